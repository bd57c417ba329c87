"""How many may follow at once in one process, each API key and all together: streams, and callers who wait."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator

from hub.model.errors import InvalidRequest

#: When to try again: places come free as others leave.
RETRY_SECONDS = 5


class StreamPlaces:
    """Gives places, and takes them back.

    Args:
        per_key: Places of one API key.
        total: Places of all together.
        on_change: Told how many are taken.
    """

    def __init__(self, *, per_key: int, total: int, on_change: Callable[[int], None]) -> None:
        self._per_key = per_key
        self._total = total
        self._on_change = on_change
        self._taken: Counter[int] = Counter()

    @property
    def taken_count(self) -> int:
        return self._taken.total()

    @contextlib.contextmanager
    def place(self, key_id: int) -> Iterator[None]:
        """Hold a place for the length of a block.

        Raises:
            InvalidRequest: too_many_streams.
        """
        leave = self.take(key_id)
        try:
            yield
        finally:
            leave()

    def take(self, key_id: int) -> Callable[[], None]:
        """Take a place; what comes back gives it up, once.

        Raises:
            InvalidRequest: too_many_streams.
        """
        if self._taken[key_id] >= self._per_key:
            raise _refusal(f"This API key follows {self._per_key} times already (streams.per_key)")
        if self.taken_count >= self._total:
            raise _refusal(f"{self._total} follow already (streams.total)")
        self._taken[key_id] += 1
        self._on_change(self.taken_count)
        is_held = True

        def leave() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._taken[key_id] -= 1
                self._taken += Counter()  # forget keys without a place
                self._on_change(self.taken_count)

        return leave


def _refusal(why: str) -> InvalidRequest:
    message = f"{why}: end one of the streams or waits, or try again later."
    return InvalidRequest("too_many_streams", message, retry_after=RETRY_SECONDS)
