"""Events are followed as people do it: over real processes that end, come back and die; in a page; on a terminal."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.embedded.valkey import find_binary
from hub.rules.sse import SseReader
from tests.e2e.rest import Rest
from tests.e2e.running import HUB, IMPATIENT, ROOT, Process, RunningHub, environment, run_hub, wait_for
from tests.load.hub_rest import is_ready
from tests.load.services import free_port, is_listening
from tests.support.node import find_node

pytestmark = pytest.mark.slow

DOCUMENT = (ROOT / "docs" / "reading-events.md").read_text("utf-8")
#: So long that nobody would wait for it: whatever ends sooner was told to end.
FOR_EVER = {"HUB_WEB__GRACEFUL_SHUTDOWN_SECONDS": "600", "HUB_WORKER__DRAIN_SECONDS": "600"}


class Follower:
    """Reads a stream in a thread of its own until it ends."""

    def __init__(self, port: int, key: str, *, after: str = "", query: str = "") -> None:
        self.told: list[dict[str, Any]] = []
        self.ends: list[str] = []
        self._reader = SseReader(most_bytes=2**20)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": f"Bearer {key}", **({"Last-Event-ID": after} if after else {})}
        self._connection.request("GET", f"/v1/events/stream?{query}", headers=headers)
        assert self._connection.sock is not None
        self._socket = self._connection.sock
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        wait_for(lambda: self.last_id)

    @property
    def last_id(self) -> str:
        return self._reader.last_id

    @property
    def texts(self) -> list[str]:
        return [each["data"]["text"] for each in self.told if each["type"] == "message.received"]

    def wait_end(self) -> None:
        """Wait until the server has ended it, or died."""
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._answer.close()
        self._connection.close()

    def close(self) -> None:
        """Leave."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self.wait_end()

    def _read(self) -> None:
        try:
            while chunk := self._answer.read1(65_536):
                for event in self._reader.feed(chunk):
                    if event.name == "message":
                        self.told.append(msgspec.json.decode(event.data))
                    else:
                        self.ends.append(msgspec.json.decode(event.data)["reason"])
        except (OSError, http.client.HTTPException):
            return


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RunningHub]:
    """A hub of a test's own, which ends it."""
    running = RunningHub(tmp_path / "own", **FOR_EVER)
    running.folder.mkdir()
    running.start()
    yield running
    running.stop()


# ---- processes that end and die


def test_a_hub_that_stops_tells_its_readers_and_does_not_wait_for_them(own: RunningHub) -> None:
    rest = Rest(own.port, own.key)
    rest.say("before")
    follower = Follower(own.port, own.key)
    waiting = threading.Thread(target=lambda: rest.get("/v1/events?order=asc&type=message.failed&wait=30"))
    waiting.start()
    assert own.process.interrupt() == 0
    follower.wait_end()
    waiting.join(20)

    assert follower.ends == ["stopping"]
    assert not waiting.is_alive()


def test_a_reader_who_comes_back_after_a_restart_misses_nothing(own: RunningHub) -> None:
    rest = Rest(own.port, own.key)
    follower = Follower(own.port, own.key)
    rest.say("one")
    wait_for(lambda: follower.texts)
    own.process.interrupt()
    follower.wait_end()
    own.command("sandbox", "say", "meanwhile")
    own.start()
    again = Follower(own.port, own.key, after=follower.last_id)
    rest.say("two")
    wait_for(lambda: len(again.texts) == 2)
    again.close()

    assert (follower.texts, again.texts) == (["one"], ["meanwhile", "two"])


class TwoWebs:
    """Two web processes and a worker on one database, with a Valkey that can be killed."""

    def __init__(self, folder: Path) -> None:
        self.redis_port, self.ports = free_port(), (free_port(), free_port())
        env = {
            **IMPATIENT,
            **FOR_EVER,
            "HUB_DATA_FOLDER": str(folder / "data"),
            "HUB_REDIS__URL": f"redis://127.0.0.1:{self.redis_port}/0",
        }
        self.valkey = subprocess.Popen(
            [find_binary(), "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", ""],
            cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        wait_for(lambda: is_listening(self.redis_port))
        self.key = re.findall(r"sk_live_\w+", run_hub(("migrate",), folder=folder, env=env).stdout)[0]
        self.webs = [
            Process(["serve"], folder=folder / f"web{port}", env={**env, "HUB_WEB__PORT": str(port)})
            for port in self.ports
        ]
        wait_for(lambda: all(is_ready(port) for port in self.ports))
        self.rests = [Rest(port, self.key) for port in self.ports]

    def stop(self) -> None:
        for web in self.webs:
            web.kill()
        self.valkey.kill()
        self.valkey.wait()


@pytest.fixture(scope="module")
def webs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoWebs]:
    """Start them; the tests below kill one after the other."""
    running = TwoWebs(tmp_path_factory.mktemp("webs"))
    yield running
    running.stop()


def test_each_web_process_tells_what_the_other_records(webs: TwoWebs) -> None:
    followers = [Follower(port, webs.key) for port in webs.ports]
    for number in range(6):
        webs.rests[number % 2].say(str(number))
    webs.rests[0].post("/v1/sandbox/typing", {"contact": "+15550100001", "state": "on"})
    for follower in followers:
        wait_for(lambda: len(follower.texts) == 6)  # noqa: B023 - used within the turn
        wait_for(lambda: "typing.started" in {each["type"] for each in follower.told})  # noqa: B023 - as above
        follower.close()
    typing = webs.rests[1].get("/v1/typing", **{"from": "+15550100000", "to": "+15550100001"})

    assert [follower.texts for follower in followers] == [[str(number) for number in range(6)]] * 2
    assert [each["handle"] for each in typing["data"]] == ["+15550100001"]


def test_without_redis_everything_is_told_all_the_same(webs: TwoWebs) -> None:
    webs.valkey.kill()
    webs.valkey.wait()
    follower = Follower(webs.ports[0], webs.key)
    webs.rests[1].say("elsewhere")
    webs.rests[0].say("here")
    wait_for(lambda: len(follower.texts) == 2)
    waited = webs.rests[0].get("/v1/events", order="asc", wait=0.1, cursor=follower.last_id)
    follower.close()

    assert follower.texts == ["elsewhere", "here"]
    assert waited["data"] == []


def test_a_reader_of_a_process_that_was_killed_goes_on_at_another(webs: TwoWebs) -> None:
    follower = Follower(webs.ports[0], webs.key)
    webs.rests[1].say("one")
    wait_for(lambda: follower.texts)
    webs.webs[0].kill()
    follower.wait_end()
    webs.rests[1].say("two")
    again = Follower(webs.ports[1], webs.key, after=follower.last_id)
    webs.rests[1].say("three")
    wait_for(lambda: len(again.texts) == 2)
    again.close()

    assert (follower.texts, follower.ends, again.texts) == (["one"], [], ["two", "three"])


# ---- in a page


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Run the document's example as a page would; give the file that it prints into."""
    node = find_node()
    (example,) = re.findall(r"^```javascript\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    script, printed = tmp_path / "follow.mjs", tmp_path / "printed.txt"
    script.write_text(example)
    running: list[subprocess.Popen[bytes]] = []

    def open_page(url: str) -> Path:
        with printed.open("ab") as output:
            runner = ROOT / "tests" / "support" / "event_source.mjs"
            running.append(subprocess.Popen([node, runner, script, url], stdout=output, stderr=output))
        wait_for(lambda: "(open)" in printed.read_text())
        return printed

    yield open_page
    for process in running:
        process.kill()
        process.wait()


def test_the_example_for_pages_shows_what_happens_also_after_a_restart(
    own: RunningHub, page: Callable[[str], Path]
) -> None:
    """It is fifteen lines at the most, and comes back by itself, under the same token."""
    rest = Rest(own.port, own.key)
    made = rest.post("/v1/events/stream-token", {"type": "message.received,typing.*", "ttl_seconds": 600})
    printed = page(made["url"])
    rest.post("/v1/sandbox/typing", {"contact": "+15550100001", "state": "on"})
    rest.say("Hello, page")
    wait_for(lambda: "Hello, page" in printed.read_text())
    own.process.interrupt()
    own.command("sandbox", "say", "Nobody was there")
    own.start()
    wait_for(lambda: printed.read_text().count("(open)") == 2)
    rest.say("Hello again")
    wait_for(lambda: "Hello again" in printed.read_text())
    (example,) = re.findall(r"^```javascript\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)

    assert printed.read_text().splitlines() == [
        "(open)",
        "+15550100001: typing.started",
        "message.received: Hello, page",
        "(open)",
        "message.received: Nobody was there",
        "message.received: Hello again",
    ]
    assert len(example.splitlines()) <= 16  # a comment above fifteen lines


# ---- on a terminal


def _hear_interrupts() -> None:
    """As on a terminal: a shell starts what runs in its background, this test perhaps, deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_the_command_goes_on_with_what_comes_also_after_a_restart(own: RunningHub, tmp_path: Path) -> None:
    rest = Rest(own.port, own.key)
    rest.say("before")
    output = tmp_path / "followed.txt"
    with output.open("wb") as printed:
        process = subprocess.Popen(
            [*HUB, "events", "--follow"],
            env=environment(own.env),
            stdout=printed,
            stderr=printed,
            preexec_fn=_hear_interrupts,  # noqa: PLW1509 - no thread runs between fork and exec
        )
    try:
        wait_for(lambda: output.read_text().count("message.received") == 1)
        rest.say("now")
        wait_for(lambda: output.read_text().count("message.received") == 2)
        own.process.interrupt()
        own.command("sandbox", "say", "meanwhile")
        own.start()
        rest.say("after")
        wait_for(lambda: output.read_text().count("message.received") == 4)
        process.send_signal(signal.SIGINT)
        code = process.wait(20)
    finally:
        process.kill()
        process.wait()
    ids = re.findall(r"evt_\w+", output.read_text())

    assert code == 130
    assert len(ids) == len(set(ids)) == 4
    assert "Traceback" not in output.read_text()


def test_the_command_follows_what_was_chosen_alone(hub: RunningHub, rest: Rest, tmp_path: Path) -> None:
    output = tmp_path / "followed.txt"
    with output.open("wb") as printed:
        process = subprocess.Popen(
            [*HUB, "events", "-f", "--type", "typing.*"],
            env=environment(hub.env),
            stdout=printed,
            stderr=printed,
        )

    def type_until_told() -> bool:
        hub.command("sandbox", "typing")
        return "typing.started" in output.read_text()

    try:
        rest.say("not chosen")
        wait_for(type_until_told)
    finally:
        process.kill()
        process.wait()

    assert "message.received" not in output.read_text()
    assert "(live)" in output.read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("events", "--follow", "--type", "nonsense"), "is no event type"),
        (("events", "--type", "message.*"), "--type goes with --follow"),
    ],
)
def test_the_command_refuses_with_a_sentence(hub: RunningHub, arguments: tuple[str, ...], told: str) -> None:
    done = run_hub(arguments, folder=hub.folder, env=hub.env)

    assert done.returncode in (1, 2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_says_so_when_no_hub_runs(own: RunningHub) -> None:
    own.process.interrupt()
    done = run_hub(("events", "--follow"), folder=own.folder, env=own.env)

    assert done.returncode == 1
    assert "hub up" in done.stderr


# ---- the document


def commands() -> list[str]:
    """Everything to paste but what sets up the shell."""
    blocks = re.findall(r"^((?: {4}.*\n)+)", DOCUMENT, re.MULTILINE)
    lines = "".join(blocks).splitlines()
    return [line.strip() for line in lines if re.match(r" {4}(hub|curl) ", line)]


def test_every_command_of_the_document_works(hub: RunningHub, rest: Rest, tmp_path: Path) -> None:
    rest.say("Hello, reader")
    program = tmp_path / "hub"
    program.write_text(f'#!/bin/sh\nexec {" ".join(HUB)} "$@"\n')
    program.chmod(0o755)
    path = f"{tmp_path}:{environment({})['PATH']}"
    shell = {**hub.env, "PATH": path, "HUB": f"http://127.0.0.1:{hub.port}", "HUB_KEY": hub.key}
    printed = []
    for command in commands():
        done = subprocess.run(
            ["bash", "-c", command],
            env=environment(shell),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, (command, done.stderr)
        printed.append(done.stdout)

    assert len(printed) == 7
    assert all(text.startswith('{"data":[{"id":"evt_') for text in printed[:3])
    assert "\ndata: {" in printed[3]
    assert '"token":"st_' in printed[4]
    assert "evt_" in printed[5]
    assert '"oldest_pending_age_ms":' in printed[6]
