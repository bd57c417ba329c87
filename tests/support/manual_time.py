"""A clock that stands still until a test moves it, and an alarm that moves it instead of waiting."""

from __future__ import annotations


class EndOfTime(Exception):
    """The test's time is over: whoever waited would wait for ever."""


class ManualClock:
    """Tells the time that a test has set, in Unix milliseconds."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, milliseconds: int) -> None:
        self._now_ms += milliseconds

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.advance(round(seconds * 1000))


class ManualAlarm:
    """Moves the clock to the moment waited for; ends at the horizon.

    Args:
        clock: Is moved.
        lasts_ms: How far the clock may go from here.
    """

    def __init__(self, clock: ManualClock, *, lasts_ms: int = 60_000) -> None:
        self._clock = clock
        self._horizon_ms = clock.now_ms() + lasts_ms
        self._is_rung = False

    async def wait_until(self, at_ms: int) -> None:
        if self._is_rung:
            self._is_rung = False
            return
        if at_ms > self._horizon_ms:
            raise EndOfTime
        self._clock.advance(max(0, at_ms - self._clock.now_ms()))

    def ring(self) -> None:
        self._is_rung = True
