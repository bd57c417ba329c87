"""What the vendors' pages print (tests/dialects/samples) works as printed, on a running hub.

Replaced are the host, the key, the numbers and the ids; REPLACED says by what. Commands run in a real shell with real
curl, programs in node and Python; a line that shows what a program found out is put after it (SHOWS).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from anyio.from_thread import start_blocking_portal

from hub.dialects.registry import DIALECTS
from tests.e2e.rest import LINE, Rest
from tests.e2e.running import ROOT, RunningHub, environment
from tests.support.ai_provider import openai_words, providing
from tests.support.node import find_node

pytestmark = pytest.mark.slow

SAMPLES: Final = ROOT / "tests" / "dialects" / "samples"
CONTACT: Final = "+15550100001"
#: Digits alone, because a `+` stands there in both its spellings.
_CONTACT, _LINE = CONTACT[1:], LINE[1:]
#: Vendor → what its pages print, and what stands for it; {url} is the hub, {key} a key of the dialect.
REPLACED: Final[Mapping[str, Mapping[str, str]]] = {
    "ava": {"https://chat.buzzedtech.com": "{url}", "YOUR_API_KEY": "{key}", "1234567890": _CONTACT},
    "blooio": {"https://backend.blooio.com": "{url}", "YOUR_API_KEY": "{key}", "15551234567": _CONTACT},
    "coop": {"15551234567": _CONTACT},
    "messages-dev": {"15551234567": _LINE, "15559876543": _CONTACT},
    "msgbubbles": {
        "https://api.msgbubbles.com": "{url}",
        "sk_live_…": "{key}",
        "15555550123": _CONTACT,
        "18005551111": _LINE,
    },
}
#: Vendor → under which name its programs look for the key.
KEY_VARIABLES: Final = {"blooio": "BLOOIO_API_KEY"}
#: Sample → the status of its answer; 0 for a program that makes none.
STATUS: Final[Mapping[str, int]] = {
    "ava/1-send.sh": 200,
    "ava/2-history.sh": 200,
    "ava/3-poll.sh": 200,
    "ava/4-generate.sh": 200,
    "blooio/1-me.sh": 200,
    "blooio/2-send.sh": 202,
    "blooio/3-send.mjs": 0,
    "blooio/4-send.python": 0,
    "blooio/5-chats.sh": 200,
    "blooio/6-idempotency.sh": 202,
    "blooio/7-webhook.sh": 201,
    "blooio/8-encoding.mjs": 0,
    "coop/1-send.http": 201,
    "coop/2-status.http": 200,
    "coop/3-queue.http": 200,
    "coop/4-bulk.http": 201,
    "messages-dev/2-send.ts": 201,
    "msgbubbles/1-send.sh": 202,
    "msgbubbles/2-availability.sh": 200,
    "msgbubbles/3-react.http": 200,
    "msgbubbles/4-edit.http": 200,
}
#: Sample → why it cannot be run.
NOT_RUN: Final[Mapping[str, str]] = {
    "messages-dev/1-install.sh": "the package is not in the public registry",
}
#: Request lines whose bodies the page does not print; the fields are those of the answer.
#: A bulk job sends later, perhaps while the next sample counts: its words are nobody else's.
BODIES: Final[Mapping[str, list[dict[str, Any]]]] = {
    "coop/1-send.http": [{"to": CONTACT, "body": "Hello!"}],
    "coop/4-bulk.http": [{"messages": [{"to": CONTACT, "body": "Hello, all of you!"}]}],
}
#: Program → what it found out.
SHOWS: Final = {"blooio/3-send.mjs": "message_id", "blooio/8-encoding.mjs": "chatId"}
#: Sample → the words that are in a new message after it.
SENDS: Final[Mapping[str, str]] = {
    "ava/1-send.sh": "Hello from AVA!",
    "blooio/2-send.sh": "Hello from the REST API",
    "blooio/3-send.mjs": "Hello from the REST API",
    "blooio/4-send.python": "Hello from the REST API",
    "blooio/6-idempotency.sh": "Hello",
    "coop/1-send.http": "Hello!",
    "messages-dev/2-send.ts": "Hello!",
    "msgbubbles/1-send.sh": "your order shipped!",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who pastes what a page prints."""

    folder: Path
    rest: Rest
    #: Vendor → key.
    keys: Mapping[str, str]

    def text(self, sample: str) -> str:
        """Give a sample with its own values."""
        vendor = sample.partition("/")[0]
        text = (SAMPLES / sample).read_text("utf-8")
        for printed, ours in REPLACED[vendor].items():
            url = f"http://127.0.0.1:{self.rest.port}"
            text = text.replace(printed, ours.format(url=url, key=self.keys[vendor]))
        return text

    def run(self, sample: str, *command: str) -> str:
        """Run a program to its end; give what it printed. Curl adds the status in a line of its own."""
        vendor = sample.partition("/")[0]
        variables = {
            "CURL_HOME": str(self.folder),
            KEY_VARIABLES.get(vendor, "NO_KEY"): self.keys[vendor],
        }
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment(variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def messages(self, text: str) -> set[str]:
        """Give the ids of the messages of ours with these words."""
        listed = self.rest.get("/v1/messages", direction="outbound", limit=100)["data"]
        return {each["id"] for each in listed if each["text"] == text}

    def delivered(self) -> str:
        """Send a message of our own and wait until it has arrived; give its id."""
        sent = self.rest.post("/v1/messages", {"from": LINE, "to": CONTACT, "text": "For you"})
        path = f"/v1/messages/{sent['message_id']}"
        self.rest.until(path, lambda it: it["status"] in {"delivered", "read"})
        return str(sent["message_id"])


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Give a reader of a hub with a language model, to whom the contact has written."""
    folder = tmp_path_factory.mktemp("samples")
    (folder / ".curlrc").write_text('silent\nshow-error\nwrite-out = "\\n%{http_code}"\n')
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(providing(openai_words("We are open 9-5."))) as model,
    ):
        running = RunningHub(
            folder,
            HUB_SANDBOX__PACE_SECONDS="0",
            HUB_AI__PROVIDER="openai_compatible",
            HUB_AI__BASE_URL=f"{model.url}/v1",
            HUB_AI__MODEL="any",
        )
        try:
            running.start()
            rest = Rest(running.port, running.key)
            rest.say("Hi there!", CONTACT)
            keys = {each.name: key_of(running, each.name) for each in DIALECTS}
            reader = Reader(folder, rest, {**keys, "messages-dev": running.key})
            reader.delivered()
            yield reader
        finally:
            running.stop()


def key_of(running: RunningHub, dialect: str) -> str:
    """Make a key as a customer does who moves here."""
    printed = running.command("keys", "create", "--name", dialect, "--dialect", dialect)
    found = re.search(r"[a-z]+_live_\w+", printed)
    assert found is not None, printed
    return found[0]


@pytest.mark.parametrize("sample", sorted(STATUS))
def test_what_a_page_prints_works(reader: Reader, sample: str) -> None:
    before = reader.messages(SENDS.get(sample, ""))
    answers = RUNNERS[Path(sample).suffix](reader, sample)
    beside = (SAMPLES / sample).with_suffix(".json")
    sent = reader.messages(SENDS.get(sample, "")) - before

    assert answers, "nothing was asked"
    for status, document in answers:
        assert status == STATUS[sample], document
        if beside.exists():
            require_alike(printed_json(beside), document)
    assert len(sent) == (sample in SENDS)


Answers = list[tuple[int, Any]]


def run_shell(reader: Reader, sample: str) -> Answers:
    body, _, status = reader.run(sample, "bash", "-c", reader.text(sample)).rpartition("\n")
    return [(int(status), json.loads(body))]


def run_node(reader: Reader, sample: str) -> Answers:
    node = find_node()
    program = f"{reader.text(sample)}\nconsole.log({SHOWS[sample]})"
    shown = reader.run(sample, node, "--input-type=module", "--eval", program).strip()

    assert shown == f"%2B{_CONTACT}" or shown in reader.messages(SENDS[sample])
    return [(0, shown)]


def run_python(reader: Reader, sample: str) -> Answers:
    shown = reader.run(sample, sys.executable, "-c", reader.text(sample)).strip()

    assert shown in reader.messages(SENDS[sample])
    return [(0, shown)]


def run_typescript(reader: Reader, sample: str) -> Answers:
    """Ask what the SDK asks: without its package, what is given to it is the body of POST /v1/messages."""
    given = re.search(r"sendMessage\((\{.*?\})\)", reader.text(sample), re.DOTALL)
    assert given is not None
    quoted = re.sub(r"(\w+):", r'"\1":', given[1]).replace(",\n}", "\n}")
    answer = reader.rest.ask("POST", "/v1/messages", json.loads(quoted))
    return [(answer.status, answer.document)]


def run_request(reader: Reader, sample: str) -> Answers:
    """Ask a printed request line with each of its bodies; the id is that of a message that has arrived."""
    vendor = sample.partition("/")[0]
    client = Rest(reader.rest.port, reader.keys[vendor])
    (method, path), *printed = [line.split(" ", 1) for line in reader.text(sample).splitlines()]
    bodies = [json.loads(re.sub(r"//.*", "", " ".join(line))) for line in printed]
    if ":id" in path:
        path = path.replace(":id", ids_of(reader, client, vendor))
    asked = BODIES.get(sample, bodies or [None])
    answers = [client.ask(method, path, body) for body in asked]
    return [(each.status, each.document) for each in answers]


def ids_of(reader: Reader, client: Rest, vendor: str) -> str:
    """Give the vendor's id of a message that has arrived."""
    reader.delivered()
    listed = client.get({"coop": "/api/v1/messages", "msgbubbles": "/v1/messages"}[vendor], limit=1)
    return str(listed["data"][0]["id"])


RUNNERS: Final = {
    ".http": run_request,
    ".mjs": run_node,
    ".python": run_python,
    ".sh": run_shell,
    ".ts": run_typescript,
}


def printed_json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def require_alike(printed: Any, answered: Any, place: str = "answer") -> None:
    """Hold an answer against the printed one: its fields, each of the same kind; null stands for any kind."""
    if printed is None or answered is None:
        return
    assert type(printed) is type(answered), (place, printed, answered)
    if isinstance(printed, dict):
        assert printed.keys() <= answered.keys(), (place, printed.keys() - answered.keys())
        for name, value in printed.items():
            require_alike(value, answered[name], f"{place}.{name}")
    if isinstance(printed, list) and printed:
        assert answered, (place, "is empty")
        require_alike(printed[0], answered[0], f"{place}[0]")


def test_no_sample_is_left_out() -> None:
    samples = {str(path.relative_to(SAMPLES)) for path in SAMPLES.glob("*/*") if path.suffix in RUNNERS}
    answers = list(SAMPLES.glob("*/*.json"))

    assert samples == {*STATUS, *NOT_RUN}
    assert {*STATUS} & {*NOT_RUN} == set()
    assert [path for path in answers if not any(path.with_suffix(each).exists() for each in RUNNERS)] == []
    assert {path.parent.name for path in answers} | {"messages-dev"} == set(REPLACED)


def test_every_dialect_has_its_samples() -> None:
    assert {each.name for each in DIALECTS} | {"messages-dev"} == set(REPLACED)
