"""The supervisor with real processes: starts, restarts, drains, kills, and never leaves an orphan."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.embedded.children import restart_delay_seconds

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("group.py")
Event = dict[str, Any]


class Group:
    """A running group.py, and a pipe that closes when its last process is gone."""

    def __init__(self, folder: Path, *children: str, tether: str = sys.platform, drain: float = 10) -> None:
        self._life, others = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(folder), tether, str(drain), *children],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[others],
            start_new_session=True,
            text=True,
        )
        os.close(others)

    def until(self, name: str, **fields: object) -> Event:
        """Return the next event of that name and with those fields, reading past others."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: Event = json.loads(line)
            if event["event"] == name and fields.items() <= event.items():
                return event
        raise AssertionError(f"The group ended before {name}: {self.errors()}")

    def errors(self) -> str:
        assert self.process.stderr is not None
        return self.process.stderr.read()

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def send_until_it_ends(self, number: signal.Signals) -> None:
        """Send a signal again and again, as an impatient person does: two at once may count as one."""
        while self.process.poll() is None:
            self.send(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.1)

    def press_control_c(self) -> None:
        """Do what a terminal does: interrupt the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait_until_all_are_gone(self) -> None:
        """Block until no process of the group is left; the test's timeout is the judge."""
        assert os.read(self._life, 1) == b""

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        os.close(self._life)


Start = Callable[..., Group]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start groups on one data folder and clear them away afterwards."""
    groups: list[Group] = []

    def start_group(*children: str, **options: Any) -> Group:
        groups.append(Group(tmp_path / "data", *children, **options))
        return groups[-1]

    yield start_group
    for group in groups:
        group.close()


def test_one_signal_drains_the_group_and_ends_it_well(start: Start) -> None:
    group = start("steady", "valkey")
    group.until("steady.up")

    group.send(signal.SIGTERM)

    assert group.until("steady.down")["interrupts"] == 0
    assert group.until("child.stopped", child="valkey")["ended_by"] == "exit code 0"
    assert group.process.wait() == 0
    group.wait_until_all_are_gone()


def test_children_share_the_supervisors_process_group(start: Start) -> None:
    group = start("steady")

    assert group.until("steady.up")["group"] == group.process.pid


def test_lower_stages_are_ready_before_others_start_and_stop_after_them(start: Start) -> None:
    group = start("steady", "valkey")

    assert group.until("child.started")["child"] == "valkey"
    assert group.until("child.started")["child"] == "steady"
    group.until("group.ready")
    group.send(signal.SIGTERM)
    assert group.until("child.stopped")["child"] == "steady"
    assert group.until("child.stopped")["child"] == "valkey"


@pytest.mark.parametrize("child", ["steady", "handling"])
def test_control_c_reaches_children_once_and_as_sigterm(start: Start, child: str) -> None:
    """Ctrl-C interrupts every process of the terminal; a web server that heard it twice would not drain."""
    group = start(child)
    group.until(f"{child}.up")

    group.press_control_c()

    stopped = group.until("child.stopped")
    assert stopped["ended_by"] == "exit code 0"
    assert group.process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_each_way_to_ask_for_the_end_is_heard(start: Start, number: signal.Signals) -> None:
    group = start("steady")
    group.until("steady.up")

    group.send(number)

    assert group.until("supervisor.stopping")["signal"] == number.name
    assert group.process.wait() == 0


def test_two_signals_at_once_are_one_wish(start: Start) -> None:
    """`timeout` and terminals signal the whole process group beside the supervisor itself."""
    group = start("steady")
    group.until("steady.up")

    group.send(signal.SIGTERM)
    group.send(signal.SIGTERM)

    assert group.process.wait() == 0


ENDING = """
import os, signal
from hub.embedded.signals import SignalPipe

with SignalPipe() as signals:
    os.kill(os.getpid(), signal.{first})
    list(signals.wait(None))
os.kill(os.getpid(), signal.SIGTERM)
print("ended by itself")
"""


@pytest.mark.parametrize(("first", "code"), [("SIGTERM", 0), ("SIGCHLD", -signal.SIGTERM)])
def test_who_stops_already_is_not_killed_by_a_late_wish(first: str, code: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", ENDING.format(first=first)], check=False, capture_output=True, text=True
    )

    assert (ended.returncode, ended.stdout) == (code, "" if code else "ended by itself\n")


def test_a_second_signal_kills_who_will_not_stop(start: Start) -> None:
    group = start("stubborn", drain=60)
    group.until("stubborn.up")
    group.send(signal.SIGTERM)
    group.until("supervisor.stopping")

    group.send_until_it_ends(signal.SIGTERM)

    assert group.until("child.stopped")["ended_by"] == "SIGKILL"
    assert group.process.wait() == 1


def test_the_drain_limit_kills_who_will_not_stop(start: Start) -> None:
    group = start("stubborn", "steady", drain=0.1)
    group.until("stubborn.up")

    group.send(signal.SIGTERM)

    assert group.until("child.killed")["child"] == "stubborn"
    assert group.process.wait() == 1
    group.wait_until_all_are_gone()


@pytest.mark.parametrize("child", ["steady", "valkey"])
def test_a_killed_child_is_restarted(start: Start, child: str) -> None:
    group = start("steady", "valkey")
    first = group.until("child.started", child=child)
    group.until("group.ready")

    os.kill(first["child_pid"], signal.SIGKILL)

    assert group.until("child.restarting")["ended_by"] == "SIGKILL"
    assert group.until("child.started", child=child)["child_pid"] != first["child_pid"]
    group.send(signal.SIGTERM)
    assert group.process.wait() == 0


def test_a_child_that_failed_once_is_tried_again(start: Start) -> None:
    group = start("flaky")

    assert group.until("child.restarting")["ended_by"] == "exit code 3"
    group.until("steady.up")


@pytest.mark.parametrize(
    ("child", "code", "said"),
    [("broken", 1, "RuntimeError: broken on purpose"), ("quitting", 1, "quitting on purpose")],
)
def test_a_child_that_never_comes_up_ends_the_group(start: Start, child: str, code: int, said: str) -> None:
    group = start(child, "steady")

    assert group.until("child.given_up", child=child)["ended_by"] == f"exit code {code}"
    assert group.process.wait() == 1
    assert said in group.errors()
    group.wait_until_all_are_gone()


def test_a_misconfigured_child_ends_the_group_at_once(start: Start) -> None:
    group = start("misconfigured", "steady")

    assert group.until("child.given_up")["starts"] == 1
    assert group.process.wait() == 78


def test_a_child_that_is_not_ready_in_time_is_killed_and_holds_the_others_back(start: Start) -> None:
    group = start("never_ready", "steady")

    group.until("child.not_ready")
    assert group.until("child.restarting")["ended_by"] == "SIGKILL"
    assert group.until("child.started")["child"] == "never_ready"


def test_a_child_that_takes_longer_than_it_may_gets_longer_each_time(start: Start) -> None:
    """As on a machine that is too busy: else it would be killed for ever."""
    group = start("slow")

    waits = [group.until("child.not_ready", child="slow")["after_seconds"] for _ in range(2)]
    group.until("group.ready")

    assert waits == [0.25, 0.5]


def test_children_do_not_read_the_terminal(start: Start) -> None:
    assert start("reading").until("reading.read")["text"] == ""


@pytest.mark.parametrize("tether", [sys.platform, "darwin"], ids=["platform", "guard process"])
def test_kill_9_of_the_supervisor_leaves_no_orphan(start: Start, tether: str) -> None:
    group = start("steady", "stubborn", "valkey", tether=tether)
    group.until("group.ready")

    group.send(signal.SIGKILL)

    group.wait_until_all_are_gone()


@pytest.mark.parametrize("tether", [sys.platform, "darwin"], ids=["platform", "guard process"])
def test_after_kill_9_the_folder_can_be_used_again_at_once(start: Start, tether: str) -> None:
    first = start("steady", "valkey", tether=tether)
    first.until("group.ready")
    first.send(signal.SIGKILL)

    second = start("steady", "valkey", tether=tether)

    second.until("group.ready")


def test_the_guard_process_forgets_children_that_have_ended(start: Start) -> None:
    group = start("steady", tether="darwin")
    child = group.until("child.started")
    os.kill(child["child_pid"], signal.SIGKILL)
    group.until("child.restarting")
    group.until("steady.up")

    group.send(signal.SIGTERM)

    assert group.process.wait() == 0
    group.wait_until_all_are_gone()


def test_a_second_hub_on_the_same_folder_is_told_who_uses_it(start: Start) -> None:
    first = start("steady")
    first.until("steady.up")

    second = start("steady")

    assert f"process {first.process.pid}" in second.until("refused")["message"]
    assert second.process.wait() == 9


@pytest.mark.parametrize(
    ("failures", "seconds"), [(1, 0.2), (2, 0.4), (3, 0.8), (8, 25.6), (9, 30.0), (10_000, 30.0)]
)
def test_restarts_back_off(failures: int, seconds: float) -> None:
    assert restart_delay_seconds(failures) == pytest.approx(seconds)
