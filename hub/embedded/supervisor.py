"""Keeps a small group of processes alive: the parent behind `hub up`.

It forks children from an interpreter that has everything imported, so that they share its memory; restarts
one that ends; stops all on the first signal and kills them on the second; and leaves no orphan however it
ends. It does no work of its own and logs nothing itself: what happens goes to `report`.
"""

import gc
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from hub.embedded.children import (
    EXIT_CLEAN,
    EXIT_DO_NOT_RESTART,
    EXIT_FAILED,
    FIRST_STARTS,
    STABLE_SECONDS,
    UP_SECONDS,
    Child,
    patience_seconds,
    restart_delay_seconds,
)
from hub.embedded.forking import fork_child
from hub.embedded.signals import STOP_SIGNALS, SignalPipe
from hub.embedded.tether import Tether, new_tether

#: Takes an event's name (`child.exited`) and its fields.
Report = Callable[[str, Mapping[str, object]], None]

#: How long children of a lower stage (the embedded Valkey) may take to stop, once nobody needs them.
_LOWER_STAGE_SECONDS = 3.0
_POLL_SECONDS = 0.01
#: Whoever signals a whole process group (timeout, a terminal) may reach us twice with one wish to stop.
_SAME_WISH_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Alive:
    """A child that runs."""

    pid: int
    #: By the monotonic clock.
    started_at: float


Settled = Callable[[Mapping[str, Alive]], None]


def _stay(alive: Mapping[str, Alive]) -> None:
    """Go on as this process."""


def supervise(
    children: Sequence[Child],
    *,
    report: Report,
    drain_seconds: float = 15.0,
    on_ready: Callable[[], None] = lambda: None,
    on_settled: Settled = _stay,
    adopted: Mapping[str, Alive] = MappingProxyType({}),
    tether: Tether | None = None,
) -> int:
    """Run the children until a signal asks to stop, or one of them cannot be kept alive.

    Call it from the main thread of a process without other threads, after all imports.

    Args:
        children: Their stages say in which order they start and stop.
        report: Called with one event per thing that happens.
        drain_seconds: How long children may take to stop before they are killed.
        on_ready: Called once, in the supervisor, when every child is ready for the first time.
        on_settled: Called after that with the children that run, by name. It may replace this process by another
            program that adopts them (hub.embedded.lean), and returns only if it did not.
        adopted: Children that this process has already, by name: it took the place of the one that started them.
        tether: What binds the children's lives to ours; None for the platform's own.

    Returns:
        `EXIT_CLEAN`, `EXIT_FAILED` or `EXIT_DO_NOT_RESTART`.
    """
    tether = tether or new_tether()
    # Frozen objects are not touched by later collections, so their pages stay shared with the children.
    gc.collect()
    gc.freeze()
    try:
        with SignalPipe() as signals:
            if adopted:
                signals.let_in()
            return _Group(
                children=children,
                report=report,
                drain_seconds=drain_seconds,
                on_ready=on_ready,
                on_settled=on_settled,
                adopted=adopted,
                tether=tether,
                signals=signals,
            ).run()
    finally:
        tether.close()
        gc.unfreeze()


@dataclass(slots=True)
class _Slot:
    """One child and how it has fared. Times are of the monotonic clock."""

    child: Child
    pid: int | None = None
    started_at: float = 0.0
    start_due_at: float = 0.0
    is_ready: bool = False
    #: It was not ready in time, and was killed.
    is_given_up: bool = False
    #: Once up, a child is never given up: what ended it later came from outside.
    has_been_up: bool = False
    failures: int = 0


def _slot(child: Child, alive: Alive | None) -> _Slot:
    if alive is None:
        return _Slot(child=child)
    return _Slot(child=child, pid=alive.pid, started_at=alive.started_at, is_ready=True, has_been_up=True)


class _Group:
    """The loop: reap, start what is due, look who is ready, sleep until something happens."""

    def __init__(
        self,
        *,
        children: Sequence[Child],
        report: Report,
        drain_seconds: float,
        on_ready: Callable[[], None],
        on_settled: Settled,
        adopted: Mapping[str, Alive],
        tether: Tether,
        signals: SignalPipe,
    ) -> None:
        slots = (_slot(child, adopted.get(child.name)) for child in children)
        self._slots = sorted(slots, key=lambda slot: slot.child.stage)
        self._report = report
        self._drain_seconds = drain_seconds
        self._on_ready = on_ready
        self._on_settled = on_settled
        self._tether = tether
        self._signals = signals
        self._was_ready = bool(adopted)
        self._exit_code: int | None = None  # set when stopping
        self._stopping_stage: int | None = None
        self._kill_at = 0.0
        self._asked_at = 0.0

    def run(self) -> int:
        try:
            self._reap(time.monotonic())  # of those that were adopted
            while not self._is_over():
                self._advance(time.monotonic())
                for number in self._signals.wait(self._sleep_seconds(time.monotonic())):
                    if number in STOP_SIGNALS:
                        self._on_stop_signal(number)
                self._reap(time.monotonic())
        finally:
            self._kill_all()  # nothing is left of an orderly end; an error of ours must leave nothing either
        code = EXIT_CLEAN if self._exit_code is None else self._exit_code
        self._report("supervisor.stopped", {"exit_code": code})
        return code

    def _is_over(self) -> bool:
        return self._exit_code is not None and not self._running()

    def _running(self) -> list[_Slot]:
        return [slot for slot in self._slots if slot.pid is not None]

    def _advance(self, now: float) -> None:
        if self._exit_code is None:
            self._start_due(now)
            self._look_who_is_ready(now)
        else:
            self._advance_stop(now)

    def _sleep_seconds(self, now: float) -> float | None:
        """Return how long nothing but a signal can change anything; None when only a signal can."""
        if self._exit_code is not None:
            return max(0.0, self._kill_at - now) if self._running() else 0.0
        if any(slot.pid is not None and not slot.is_ready for slot in self._slots):
            return _POLL_SECONDS
        due = [slot.start_due_at for slot in self._slots if self._may_start(slot)]
        return max(0.0, min(due) - now) if due else None

    # Starting

    def _start_due(self, now: float) -> None:
        for slot in self._slots:
            if self._may_start(slot) and now >= slot.start_due_at:
                self._start(slot, now)

    def _may_start(self, slot: _Slot) -> bool:
        """Tell whether only time can keep a slot from starting.

        A first start waits for the lower stages; whoever was up copes with an absent Valkey.
        """
        lower = (other for other in self._slots if other.child.stage < slot.child.stage)
        return slot.pid is None and (slot.has_been_up or all(other.is_ready for other in lower))

    def _start(self, slot: _Slot, now: float) -> None:
        pid = fork_child(slot.child, signals=self._signals, tether=self._tether)
        slot.pid, slot.started_at, slot.is_given_up = pid, now, False
        slot.is_ready = slot.child.is_ready is None
        self._report("child.started", {"child": slot.child.name, "child_pid": pid})

    def _look_who_is_ready(self, now: float) -> None:
        for slot in self._running():
            if slot.is_ready or slot.child.is_ready is None:
                continue
            slot.is_ready = slot.child.is_ready()
            slot.has_been_up = slot.has_been_up or slot.is_ready
            patience = patience_seconds(slot.child, slot.failures)
            if not slot.is_ready and not slot.is_given_up and now - slot.started_at > patience:
                slot.is_given_up = True
                self._report("child.not_ready", {"child": slot.child.name, "after_seconds": patience})
                self._send(slot, signal.SIGKILL)
        if not self._was_ready and all(slot.is_ready for slot in self._slots):
            self._was_ready = True
            self._on_ready()
            self._on_settled(
                {
                    slot.child.name: Alive(pid=slot.pid, started_at=slot.started_at)
                    for slot in self._slots
                    if slot.pid is not None
                }
            )

    # Ending

    def _reap(self, now: float) -> None:
        for slot in self._running():
            assert slot.pid is not None
            pid, status = os.waitpid(slot.pid, os.WNOHANG)
            if pid:
                self._on_exit(slot, os.waitstatus_to_exitcode(status), now)

    def _on_exit(self, slot: _Slot, code: int, now: float) -> None:
        assert slot.pid is not None
        self._tether.remove(slot.pid)
        lived_seconds = now - slot.started_at
        fields = {
            "child": slot.child.name,
            "child_pid": slot.pid,
            "lived_seconds": round(lived_seconds, 1),
            "ended_by": _ending(code),
        }
        # Whoever lived long without getting ready has not recovered.
        is_stable = slot.is_ready and lived_seconds >= STABLE_SECONDS
        slot.pid, slot.is_ready = None, False
        if self._exit_code is not None:
            self._report("child.stopped", fields)
            if code not in (EXIT_CLEAN, -signal.SIGTERM):
                self._exit_code = self._exit_code or EXIT_FAILED
            return
        if slot.child.is_ready is None and lived_seconds >= UP_SECONDS:
            slot.has_been_up = True
        slot.failures = 1 if is_stable else slot.failures + 1
        if code == EXIT_DO_NOT_RESTART or (slot.failures >= FIRST_STARTS and not slot.has_been_up):
            self._report("child.given_up", {**fields, "starts": slot.failures})
            self._begin_stop(EXIT_DO_NOT_RESTART if code == EXIT_DO_NOT_RESTART else EXIT_FAILED)
            return
        delay = restart_delay_seconds(slot.failures)
        slot.start_due_at = now + delay
        self._report("child.restarting", {**fields, "in_seconds": delay, "failures": slot.failures})

    # Stopping

    def _on_stop_signal(self, number: signal.Signals) -> None:
        now = time.monotonic()
        if self._exit_code is None:
            self._report("supervisor.stopping", {"signal": number.name})
            self._asked_at = now
            self._begin_stop(EXIT_CLEAN)
        elif now - self._asked_at >= _SAME_WISH_SECONDS:
            self._report("supervisor.killing", {"signal": number.name})
            self._kill_at = 0.0
            for slot in self._running():
                self._kill(slot)

    def _begin_stop(self, exit_code: int) -> None:
        self._exit_code = exit_code
        self._stopping_stage = None

    def _advance_stop(self, now: float) -> None:
        """Ask the highest stage that still runs to stop; kill what does not in time."""
        running = self._running()
        if not running:
            return
        stage = max(slot.child.stage for slot in running)
        if stage != self._stopping_stage:
            is_first = self._stopping_stage is None
            self._stopping_stage = stage
            self._kill_at = now + (self._drain_seconds if is_first else _LOWER_STAGE_SECONDS)
            for slot in running:
                if slot.child.stage == stage:
                    self._send(slot, signal.SIGTERM)
        elif now >= self._kill_at:
            self._kill_at = now + _LOWER_STAGE_SECONDS
            for slot in running:
                if slot.child.stage == stage:
                    self._kill(slot)

    def _kill(self, slot: _Slot) -> None:
        self._report("child.killed", {"child": slot.child.name, "child_pid": slot.pid})
        self._send(slot, signal.SIGKILL)

    def _kill_all(self) -> None:
        for slot in self._running():
            assert slot.pid is not None
            self._send(slot, signal.SIGKILL)
            os.waitpid(slot.pid, 0)

    def _send(self, slot: _Slot, number: signal.Signals) -> None:
        assert slot.pid is not None
        # Not reaped yet, so the id is still the child's.
        os.kill(slot.pid, number)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
