"""hub import: what a person gives and reads. What becomes of each vendor's things is in tests/moving."""

from __future__ import annotations

import http.server
import io
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command

KEY = "bl_live_of_the_vendor"
HOOK = "https://receiver.example/hook"
PEOPLE = [
    {"contact_id": "ct_1", "identifier": "+15550200001", "name": "Ann", "tags": ["vip"]},
    {"contact_id": "ct_2\x1b[2J", "identifier": "0170 1234567", "name": "Bob"},
]


@dataclass(slots=True)
class Vendor:
    """A vendor on a port: answers each path with its document."""

    url: str = ""
    documents: dict[str, Any] = field(default_factory=dict)
    keys: list[str | None] = field(default_factory=list)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """Blooio, with a contact, one that is none here, and a webhook."""
    found = Vendor()
    found.documents["/v2/api/contacts"] = {"contacts": PEOPLE, "pagination": {"total": 2}}
    hook = {"webhook_id": "wh_1", "webhook_url": HOOK, "webhook_type": "status", "is_active": True}
    found.documents["/v2/api/webhooks"] = {"webhooks": [hook]}

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.keys.append(self.headers["Authorization"])
            document = found.documents.get(self.path.partition("?")[0])
            body = json.dumps(document).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
def test_what_a_person_reads(stopped_hub: Command, vendor: Vendor) -> None:
    arguments = ("import", "blooio", "--from", vendor.url)
    dry = stopped_hub(*arguments, "--dry-run", BLOOIO_KEY=KEY)
    first = stopped_hub(*arguments, BLOOIO_KEY=f"{KEY}\n")
    again = stopped_hub(*arguments, "--region", "DE", BLOOIO_KEY=KEY)
    listed = stopped_hub("webhooks", "list").out
    webhook_id, secret = re.findall(
        rf"^(wh_\w+)  disabled {HOOK}\nsecret: (whsec_\S+)$", first.out, re.MULTILINE
    )[0]

    assert (dry.code, first.code, again.code) == (1, 1, 0)
    assert "Nothing was done; it would be:\ncontacts: read 2, created 1," in dry.out
    assert f"(dry run)  disabled {HOOK}\n" in dry.out
    assert "whsec_" not in dry.out
    assert "contacts: read 2, created 1, updated 0, unchanged 0, failed 1\n" in first.out
    assert "webhooks: read 1, created 1, updated 0, unchanged 0, failed 0\n" in first.out
    assert "`hub webhooks enable ID`" in first.out
    assert re.search(
        r"^contacts ct_2\?\[2J, handles: This number has no country code.*\(01\*+67\)$",
        first.err,
        re.MULTILINE,
    )
    assert "Blooio's groups are chats of the device" in first.err
    assert "created 1, updated 0, unchanged 1, failed 0" in again.out
    assert "webhooks: read 1, created 0, updated 0, unchanged 1, failed 0" in again.out
    assert "secret" not in again.out
    assert webhook_id in listed
    assert secret not in listed
    assert set(vendor.keys) == {f"Bearer {KEY}"}
    assert all(KEY not in ended.out + ended.err for ended in (dry, first, again))


@pytest.mark.slow
def test_what_a_program_reads(stopped_hub: Command, vendor: Vendor) -> None:
    arguments = ("import", "blooio", "--from", vendor.url, "--start", "--json")
    first = stopped_hub(*arguments, BLOOIO_KEY=KEY)
    document = json.loads(first.out)
    (hook,) = document["webhooks"]

    assert first.code == 1
    assert document["lists"]["contacts"] == {
        "read": 2, "created": 1, "updated": 0, "unchanged": 0, "merged": 0, "failed": 1,
    }  # fmt: skip
    assert (hook["vendor_id"], hook["url"], hook["is_active"]) == ("wh_1", HOOK, True)
    assert hook["secret"].startswith("whsec_")
    assert [(each["list"], each["row"], each["field"]) for each in document["problems"]] == [
        ("contacts", 2, "handles")
    ]
    assert json.loads(stopped_hub(*arguments, BLOOIO_KEY=KEY).out)["webhooks"] == []


@pytest.mark.slow
def test_a_key_and_secrets_from_files(
    stopped_hub: Command, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "secrets.json").write_text(json.dumps({HOOK: "whsec_" + "ab" * 20}))
    of_file = ("--from", f"{vendor.url}/v2/api/", "--key-file", str(tmp_path / "key"))
    contacts = stopped_hub("import", "blooio", *of_file, "--only", "contacts")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(KEY.encode())))
    of_input = ("--from", vendor.url, "--key-file", "-", "--secrets", str(tmp_path / "secrets.json"))
    webhooks = stopped_hub("import", "blooio", *of_input, "--only", "webhooks")

    assert "webhooks" not in contacts.out
    assert re.search(rf"^wh_\w+  active   {HOOK}\nwebhooks: read 1, created 1", webhooks.out, re.MULTILINE)
    assert (webhooks.code, "whsec_" in webhooks.out) == (0, False)
    assert set(vendor.keys) == {f"Bearer {KEY}"}


#: Arguments and variables, the exit code, and words of what is said.
MISTAKES: dict[str, tuple[tuple[str, ...], dict[str, str], int, str]] = {
    "no such vendor": (("twilio",), {}, 2, "there are ava, blooio, coop, messages-dev, msgbubbles"),
    "nothing to read": (("ava",), {}, 1, "hub webhooks add URL"),
    "no contacts there": (("msgbubbles", "--only", "contacts"), {}, 1, "hub contacts import FILE"),
    "no key": (("blooio",), {}, 2, "in the variable BLOOIO_KEY, or in a file with --key-file"),
    "no key of messages.dev": (("messages-dev",), {}, 2, "MESSAGES_DEV_KEY"),
    "no address": (("coop",), {"COOP_KEY": KEY}, 2, "give it with --from"),
    "no key in the file": (("blooio", "--key-file", "nowhere"), {}, 1, "nowhere"),
    "an empty key": (("blooio", "--from", "{url}"), {"BLOOIO_KEY": ""}, 1, "The key of Blooio is empty"),
    "a wrong address": (("blooio", "--from", "{url}/more"), {"BLOOIO_KEY": KEY}, 1, "check --from"),
    "no address at all": (("blooio", "--from", "blooio"), {"BLOOIO_KEY": KEY}, 1, "Blooio cannot be read"),
    "no region": (("blooio", "--region", "Germany"), {"BLOOIO_KEY": KEY}, 2, "'Germany' is no region"),
    "no secrets": (
        ("blooio", "--secrets", "{secrets}"),
        {"BLOOIO_KEY": KEY},
        2,
        "a JSON object of addresses",
    ),
}


@pytest.mark.parametrize("case", MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_told_in_a_sentence(
    case: tuple[tuple[str, ...], dict[str, str], int, str],
    stopped_hub: Command,
    vendor: Vendor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "secrets").write_text('{"https://a.example/": 7, "x": "whsec_hidden"}')
    monkeypatch.setattr("sys.stdin", io.StringIO())
    arguments, variables, code, words = case
    ended = stopped_hub(
        "import",
        *(each.format(url=vendor.url, secrets=tmp_path / "secrets") for each in arguments),
        **variables,
    )

    assert ended.code == code, ended.err
    assert words in ended.err
    assert "whsec_hidden" not in ended.err
    assert ended.out == ""


def test_problems_beyond_those_that_are_shown_are_counted(stopped_hub: Command, vendor: Vendor) -> None:
    vendor.documents["/v2/api/contacts"] = {"contacts": [{}] * 30, "pagination": {"total": 30}}
    ended = stopped_hub("import", "blooio", "--from", vendor.url, "--only", "contacts", BLOOIO_KEY=KEY)

    assert len(re.findall(r"^contacts no\. \d+: ", ended.err, re.MULTILINE)) == 20
    assert "30 problems in all; --json shows them" in ended.err
