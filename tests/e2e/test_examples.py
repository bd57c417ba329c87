"""Every `curl` in every document, pasted into a shell in the order of the page, on a running hub."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.examples import Example, documents, examples, fits, shown_json
from tests.e2e.rest import Rest
from tests.e2e.running import RunningHub, environment

pytestmark = pytest.mark.slow

CONTACT, NOBODY, LINE = "+15550100001", "+15550100404", "+15550100000"
#: Shown to be refused.
REFUSED = {"generate.md": "ai_not_configured"}
#: What the reader takes from an answer: the document, a part of the command, the variable, the way to it.
TAKEN: tuple[tuple[str, str, str, tuple[str | int, ...]], ...] = (
    ("bridges.md", "/v1/enrolments", "ENROLMENT", ("token",)),
    ("chats-and-groups.md", '/v1/polls"', "POLL", ("poll_id",)),
    ("contacts.md", '/v1/contacts"', "CONTACT", ("id",)),
    ("contacts.md", '/v1/contact-groups"', "GROUP", ("id",)),
    ("files.md", "X-Filename", "FILE", ("id",)),
    ("files.md", "X-Filename", "URL", ("url",)),
    ("files.md", "/v1/files/fetch", "OTHER", ("id",)),
    ("files.md", "/v1/files/presign", "UPLOAD_URL", ("upload_url",)),
    ("migrating-from-blooio.md", "/v1/keys", "BLOOIO_KEY", ("api_key",)),
    ("migrating-from-blooio.md", "/v1/keys", "HUB_KEY", ("api_key",)),
    (
        "migrating-from-blooio.md",
        '/v2/api/webhooks" -H "Authorization: Bearer $HUB_KEY" -d',
        "WEBHOOK",
        ("webhook_id",),
    ),
    ("migrating-from-msgbubbles.md", "/v1/keys", "HUB_KEY", ("api_key",)),
    ("migrating-from-msgbubbles.md", "/v1/keys", "MSGBUBBLES_KEY", ("api_key",)),
    ("routes-api.md", '/v1/routes"', "ROUTE", ("id",)),
    ("sending.md", "order-17", "MESSAGE", ("message_id",)),
    ("sending.md", "order-17", "OUTBOX", ("id",)),
    ("sending.md", "TOMORROW", "PLANNED", ("message_id",)),
)
#: Vendors whom pages lead away from: the hub stands for each, under `$NAME` and `$NAME_KEY`.
VENDORS = ("BLOOIO", "COOP", "MESSAGES", "MSGBUBBLES")
#: The last ones change the line for good.
LAST = ("api-conventions.md", "chats-and-groups.md", "line-safety.md")
#: Played by tests of their own, which make what they speak of: runs that failed, in tests/api/test_runs_guide.py.
ELSEWHERE = ("runs.md",)
PAGES: list[Path] = sorted(
    (path for path in documents() if path.name not in ELSEWHERE),
    key=lambda path: (path.name in LAST, path.name),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """A person with a shell."""

    folder: Path
    env: dict[str, str]

    def paste(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False,
            timeout=30,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    def take(self, document: str, example: Example, answer: Any) -> None:
        """Keep what the next commands need."""
        for place, part, name, way in TAKEN:
            if place == document and part in example.command and isinstance(answer, dict):
                value = answer
                for step in way:
                    value = value[step]
                self.env[name] = str(value)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Give a reader of a hub of its own, because the pages change it; one thing of each kind is there."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "connections.yaml").write_text(
        "sources:\n  stripe: { verify: stripe, secret: { env: SECRET } }\n"
    )
    more = {"HUB_CONNECTIONS_FILE": "connections.yaml", "SECRET": "whsec_of_a_test"}
    running = RunningHub(folder, HUB_SANDBOX__PACE_SECONDS="0", **more)
    try:
        running.start()
        (folder / "directions.txt").write_text("Room 12, second floor\n")
        (folder / "cat.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50))
        (folder / "people.csv").write_text("name,phone\nBob,+15550100005\n")
        (folder / "plan.pdf").write_bytes(b"%PDF-1.4\n")
        variables = {"HUB": f"http://127.0.0.1:{running.port}", "HUB_KEY": running.key}
        variables |= {
            name.replace("HUB", each): variables[name] for each in VENDORS for name in ("HUB", "HUB_KEY")
        }
        variables |= things(Rest(running.port, running.key))
        yield Reader(folder, environment({**running.env, **variables}))
    finally:
        running.stop()


def things(rest: Rest) -> dict[str, str]:
    """Give the variables of the pages."""
    tomorrow = int(time.time() * 1000) + 86_400_000
    rest.say("Hello", CONTACT)
    rest.say("Viele Grüße", CONTACT)
    sent = rest.post("/v1/messages", {"from": LINE, "to": CONTACT, "text": "Hi"})
    failed = rest.post("/v1/messages", {"from": LINE, "to": NOBODY, "text": "Hi"})
    group = {"from": LINE, "participants": [CONTACT, "+15550100002"], "name": "Trip", "text": "Hello"}
    made = rest.post("/v1/chats", group)
    rest.until(f"/v1/messages/{sent['message_id']}", lambda it: it["status"] in {"delivered", "read"})
    rest.until(f"/v1/outbox?id={made['id']}", lambda it: it["status"] == "sent")
    rest.until(f"/v1/messages/{failed['message_id']}", lambda it: it["status"] == "failed")
    chat = rest.get("/v1/chats", participant=CONTACT, is_group="false")["data"][0]
    planned = {"from": LINE, "to": CONTACT, "texts": ["One", "Two"], "send_at": tomorrow}
    trip = rest.get("/v1/chats", is_group="true")["data"][0]
    account = {
        "name": "account",
        "scopes": ["messages:read", "messages:write", "webhooks:write"],
        "dialect": "msgbubbles",
    }
    return {
        "BRIDGE_ID": rest.get("/v1/bridges")["data"][0]["id"],
        "ACCOUNT_KEY": rest.post("/v1/keys", account)["api_key"],
        "HOOK": "https://hub.example/v1/bridge/hooks/brg_1/0",
        "LINE": rest.get("/v1/lines")["data"][0]["id"],
        "CHAT": chat["id"],
        "GROUP": trip["id"],
        "MESSAGE": sent["message_id"],
        "SENT": sent["message_id"],
        "FAILED": failed["message_id"],
        "OUTBOX": sent["id"],
        "CURSOR": rest.get("/v1/messages", limit=1)["next_cursor"],
        "OF_A_SET": rest.post("/v1/messages", planned)["message_id"],
        "TOMORROW": str(tomorrow),
    }


@pytest.mark.parametrize("document", PAGES, ids=lambda path: path.name)
def test_every_command_of_a_page_does_what_is_shown(reader: Reader, document: Path) -> None:
    reader = replace(reader, env=dict(reader.env))
    if document.name == "chats-and-groups.md":
        upload(reader)
    if document.name == "upstream-vendors.md":
        reader.env["MSGBUBBLES_KEY"] = reader.env[
            "ACCOUNT_KEY"
        ]  # there it is the key of an account, not of a hub
    for example in examples(document):
        if variable := re.match(r"([A-Z]+)=", example.command):
            reader.env[variable[1]] = reader.paste(f'{example.command}; printf %s "${variable[1]}"')
            continue
        shown = None if example.shown is None else shown_json(example.shown)
        printed = reader.paste(example.command)
        answer: Any = json.loads(printed) if re.match(r"\{|\d+$", printed) else printed
        assert code_of(answer) == (code_of(shown) or REFUSED.get(document.name)), (example.command, printed)
        if shown is not None:
            assert fits(shown, answer), (example.command, example.shown, printed)
        reader.take(document.name, example, answer)
        if "DELETE" in example.command and "$CONTACT" in example.command:
            reader.paste(examples(document)[0].command)  # the page speaks of the contact again


def code_of(answer: Any) -> str | None:
    """Give the code of an answer that is an error."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, str):  # a vendor's
        return error
    return str(error["code"]) if isinstance(error, dict) else None


def upload(reader: Reader) -> None:
    """Have a picture ready."""
    command = (
        'curl -sS "$HUB/v1/files" -H "Authorization: Bearer $HUB_KEY" -H "Content-Type: image/png" '
        '-H "X-Filename: cat.png" --data-binary @cat.png'
    )
    reader.env["PICTURE"] = json.loads(reader.paste(command))["id"]


def test_no_page_is_left_out() -> None:
    assert len(documents()) >= 11
    assert sum(len(examples(path)) for path in documents()) >= 90


def at_home(example: Example) -> Example:
    """Read what is asked of a vendor as if it was asked of the hub."""
    command = example.command
    for each in VENDORS:
        command = command.replace(f"${each}", "$HUB")
    return replace(example, command=command)


def test_pages_name_the_hub_and_the_key_alike() -> None:
    for document in documents():
        for example in map(at_home, examples(document)):
            assert "$HUB" in example.command or "$URL" in example.command or "$UPLOAD_URL" in example.command
            is_keyless = "$HUB" not in example.command or "$ENROLMENT" in example.command
            assert is_keyless or "Bearer $HUB_KEY" in example.command
