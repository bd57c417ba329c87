"""Do a request once, however often it comes, by keeping its whole answer under the client's idempotency key.

For what has no key of its own within its transaction, as sends have (hub.flow.repeating). The key is claimed before
the request is begun; a process that dies in between leaves a claim without an answer, and then nobody can say what was
done: a repeat is told so rather than done twice.
"""

from __future__ import annotations

from hub.flow.ports import Clock
from hub.flow.repeating import conflict
from hub.flow.repositories import Repeats
from hub.model.errors import InvalidRequest
from hub.rules.idempotency import Conflict, Replay, StillRunning, admit_request

#: A larger answer is not kept.
MOST_ANSWER_BYTES = 1_048_576
_ASK_AGAIN_SECONDS = 1


class RepeatDesk:
    """Hands out keys, and keeps the answers."""

    def __init__(self, repeats: Repeats, clock: Clock) -> None:
        self._repeats = repeats
        self._clock = clock

    async def begin(self, scope: str, key: str, *, request_hash: bytes, lease_ms: int) -> bytes | None:
        """Claim a key; None if the request is to be done now, or the answer that it got before.

        Args:
            scope: Whose key it is.
            key: As the client gave it.
            request_hash: Differs for different requests.
            lease_ms: How long doing it takes at the most.

        Raises:
            InvalidRequest: idempotency_key_conflict, idempotency_in_progress or idempotency_answer_lost.
        """
        now = self._clock.now_ms()
        record = await self._repeats.claim(
            scope, key, request_hash=request_hash, lease_until=now + lease_ms, now=now
        )
        if record is None:
            return None
        match admit_request(record, request_hash=request_hash, now_ms=now):
            case Replay(answer=answer):
                return answer
            case Conflict():
                raise conflict()
            case StillRunning():
                raise _in_progress()
        raise lost()

    async def keep(self, scope: str, key: str, *, status: int, answer: bytes) -> None:
        """Remember the answer; one that is too large only as done."""
        kept = answer if len(answer) <= MOST_ANSWER_BYTES else b""
        await self._repeats.keep(scope, key, status=status, answer=kept)

    async def give_up(self, scope: str, key: str) -> None:
        """Free the key: nothing was done."""
        await self._repeats.give_up(scope, key)


def _in_progress() -> InvalidRequest:
    return InvalidRequest(
        "idempotency_in_progress",
        "The request under this idempotency key is being worked on; ask again.",
        param="Idempotency-Key",
        retry_after=_ASK_AGAIN_SECONDS,
    )


def lost() -> InvalidRequest:
    """Refuse a repeat of which nobody knows the answer."""
    return InvalidRequest(
        "idempotency_answer_lost",
        "The request under this idempotency key was begun before, and its answer is not known any more. Look at what "
        "is there, then use a fresh key if it has to be done.",
        param="Idempotency-Key",
    )
