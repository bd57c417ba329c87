"""Ask a provider for a draft: guarded, bounded, patient with what passes, plain about what does not.

Every call goes through the guarded outbound client. Only what may work in a moment is tried again, and never after
the first words of a streamed answer were passed on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from hub.ai.wire import Fault, Wire, WireProblem, WireRequest
from hub.flow.calling import Call, CallFailed, StreamCaller, StreamedReply
from hub.model.draft import Delta, Draft, Prompt
from hub.model.errors import InvalidRequest
from hub.rules.retry import parse_retry_after
from hub.rules.sse import SseReader, TooLongEvent

log = structlog.get_logger("ai")

T = TypeVar("T")

MOST_ATTEMPTS: Final = 4
FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 8.0
#: Of a whole answer, or of one event of a streamed one.
MOST_BYTES: Final = 1_048_576
#: Of all that a streamed answer brings.
MOST_STREAMED_BYTES: Final = 8 * 1_048_576
#: Of an answer that is no success.
MOST_PROBLEM_BYTES: Final = 16_384
RETRY_SOON_SECONDS: Final = 5
_LEAST_SECONDS: Final = 0.1

#: What looks like a key in a provider's own words.
_KEY: Final = re.compile(r"\b(?:sk|pk|key|api)[-_][A-Za-z0-9_*-]{6,}|Bearer\s+\S+")

_CODES: Final = {
    Fault.PASSING: "ai_unavailable",
    Fault.REFUSED: "ai_refused",
    Fault.SETTINGS: "ai_misconfigured",
}
_SENTENCES: Final = {
    Fault.PASSING: "The model cannot be reached just now: {}. Try again in a moment.",
    Fault.REFUSED: "The model did not take this: {}. Change the context or the instructions.",
    Fault.SETTINGS: "The model's connection is not set rightly: {}. The operator mends it under `ai` in hub.yaml.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class AiTiming:
    """Time as the client sees it."""

    #: Of one draft, with all tries of it.
    timeout_seconds: float
    monotonic: Callable[[], float]
    #: Unix ms.
    now_ms: Callable[[], int]
    sleep: Callable[[float], Awaitable[None]]


class AiClient:
    """A provider's model; hub.flow.ports.Drafter."""

    def __init__(self, *, wire: Wire, caller: StreamCaller, timing: AiTiming) -> None:
        self._wire = wire
        self._caller = caller
        self._timing = timing

    async def draft(self, prompt: Prompt, *, max_output_tokens: int) -> Draft:
        """Ask for a whole draft.

        Raises:
            InvalidRequest: ai_unavailable, ai_misconfigured or ai_refused.
        """
        wanted = self._wire.request(prompt, max_output_tokens=max_output_tokens, is_streamed=False)

        async def ask(seconds_left: float) -> Draft:
            async with self._asked(wanted, seconds_left) as answer:
                body = await self._whole(answer, MOST_BYTES)
            return self._wire.draft(body)

        return await self._patiently(ask)

    async def stream(self, prompt: Prompt, *, max_output_tokens: int) -> AsyncGenerator[Delta]:
        """Ask for a draft piece by piece; the first is given only when the provider has begun to answer.

        Raises:
            InvalidRequest: As `draft`; also in the middle, when the answer breaks off.
        """
        wanted = self._wire.request(prompt, max_output_tokens=max_output_tokens, is_streamed=True)

        async def begin(seconds_left: float) -> tuple[AsyncGenerator[Delta], Delta]:
            deltas = self._deltas(wanted, seconds_left)
            try:
                return deltas, await anext(deltas)
            except StopAsyncIteration:
                raise WireProblem(Fault.PASSING, "its answer is empty") from None

        deltas, first = await self._patiently(begin)
        async with aclosing(deltas):
            yield first
            try:
                async for delta in deltas:
                    yield delta
            except (WireProblem, CallFailed) as error:
                raise _refusal(error) from None

    async def _deltas(self, wanted: WireRequest, seconds_left: float) -> AsyncGenerator[Delta]:
        async with self._asked(wanted, seconds_left) as answer:
            if answer.status != 200:
                await self._whole(answer, MOST_PROBLEM_BYTES)
            reader = SseReader(most_bytes=MOST_BYTES)
            async for piece in answer.pieces:
                for event in _fed(reader, piece):
                    if (delta := self._wire.delta(event)) is not None:
                        yield delta

    def _asked(self, wanted: WireRequest, seconds_left: float) -> AbstractAsyncContextManager[StreamedReply]:
        call = Call(
            method="POST",
            url=wanted.url,
            headers=wanted.headers,
            body=wanted.body,
            timeout_seconds=seconds_left,
            max_response_bytes=MOST_STREAMED_BYTES,
            # Asked twice, a model is paid twice.
            is_repeatable=False,
        )
        return self._caller.stream(call)

    async def _whole(self, answer: StreamedReply, most_bytes: int) -> bytes:
        """Read a body whole; of one that is no success, raise what it says."""
        body = b""
        async for piece in answer.pieces:
            body += piece
            if len(body) > most_bytes:
                raise WireProblem(Fault.PASSING, "its answer is too long")
        if answer.status == 200:
            return body
        problem = self._wire.problem(answer.status, body)
        asked = answer.header(b"retry-after")
        asked_ms = (
            None if asked is None else parse_retry_after(asked.decode("latin-1"), self._timing.now_ms())
        )
        problem.retry_after_seconds = None if asked_ms is None else asked_ms / 1000
        raise problem

    async def _patiently(self, ask: Callable[[float], Awaitable[T]]) -> T:
        """Try until it works, the fault does not pass, or the time is over."""
        deadline = self._timing.monotonic() + self._timing.timeout_seconds

        def is_over(state: RetryCallState) -> bool:
            left = deadline - self._timing.monotonic()
            return state.attempt_number >= MOST_ATTEMPTS or _pause(state) + _LEAST_SECONDS > left

        retrying = AsyncRetrying(
            retry=retry_if_exception(_is_passing),
            stop=is_over,
            wait=_pause,
            sleep=self._timing.sleep,
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    left = max(deadline - self._timing.monotonic(), _LEAST_SECONDS)
                    async with asyncio.timeout(left):
                        return await ask(left)
        except (WireProblem, CallFailed, TimeoutError) as error:
            raise _refusal(error) from None
        raise AssertionError("tenacity ends with a result or an exception")


def _fed(reader: SseReader, piece: bytes) -> list[str]:
    try:
        return [event.data for event in reader.feed(piece)]
    except TooLongEvent:
        raise WireProblem(Fault.PASSING, "its answer is too long") from None


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, WireProblem):
        return error.fault is Fault.PASSING
    return isinstance(error, CallFailed) and not error.is_lasting


def _pause(state: RetryCallState) -> float:
    """How long to wait: as the provider asks, else longer each time."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked = error.retry_after_seconds if isinstance(error, WireProblem) else None
    own = FIRST_PAUSE_SECONDS * 2.0 ** (state.attempt_number - 1)
    return min(own, LONGEST_PAUSE_SECONDS) if asked is None else asked


def _refusal(error: WireProblem | CallFailed | TimeoutError) -> InvalidRequest:
    """Say in our own words what went wrong, with the provider's masked."""
    match error:
        case WireProblem():
            fault, message = error.fault, error.message
        case CallFailed():
            fault = Fault.SETTINGS if error.is_lasting else Fault.PASSING
            message = error.detail
        case _:
            fault, message = Fault.PASSING, "it took too long"
    message = _KEY.sub("•••", message).strip().rstrip(".")
    log.warning("ai.failed", fault=fault.value, reason=message)
    sentence = _SENTENCES[fault].format(message[:1].lower() + message[1:])
    retry_after = RETRY_SOON_SECONDS if fault is Fault.PASSING else None
    return InvalidRequest(_CODES[fault], sentence, retry_after=retry_after)
