"""Have a language model draft an answer: within limits, cleaned, counted. Until somebody sends it, it is only words.

What may be taken is reserved before the model is asked and settled afterwards, so that limits hold whoever asks at the
same time; a crash in between leaves the reservation counted, never the other way round.
Not here: sending a draft (hub.api.generate does it by the ordinary way) and the providers' wires (hub.ai).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from hub.flow.message_pages import MessageFilter
from hub.flow.ports import Clock
from hub.flow.repositories import Chat, Store
from hub.flow.rows import MessageRow
from hub.model.draft import (
    AiLimit,
    AiLimits,
    AiPrices,
    Delta,
    Draft,
    FinishReason,
    Prompt,
    Role,
    Spending,
    Turn,
    Usage,
)
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory
from hub.rules.drafting import clean_words, estimated_tokens, make_prompt

log = structlog.get_logger("drafts")

DRAFTED: Final = "drafted"
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS


class Drafter(Protocol):
    """A language model."""

    async def draft(self, prompt: Prompt, *, max_output_tokens: int) -> Draft:
        """Ask for a whole draft."""
        ...

    def stream(self, prompt: Prompt, *, max_output_tokens: int) -> AsyncGenerator[Delta]:
        """Ask for one piece by piece."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class AiConnection:
    """A model, and what the operator lets it do."""

    drafter: Drafter
    #: As set; the provider's answer may name a finer one.
    model: str
    system_prompt: str
    max_output_tokens: int
    #: Of everything that is sent to it in one request.
    most_characters: int
    limits: AiLimits
    prices: AiPrices
    #: Told of every draft that was asked for: `drafted`, or the code of the refusal; and the tokens it took.
    on_outcome: Callable[[str, int], None] = lambda outcome, tokens: None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What a caller wants drafted."""

    #: Oldest first.
    turns: tuple[Turn, ...]
    instructions: str | None
    #: Of the draft.
    most_characters: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Drafted:
    """A draft that was made."""

    id: int
    #: Its words cleaned.
    draft: Draft
    spending: Spending


@dataclass(frozen=True, kw_only=True, slots=True)
class _Begun:
    connection: AiConnection
    prompt: Prompt
    reserved: Spending
    reserved_at: int


class DraftDesk:
    """Makes drafts."""

    def __init__(
        self, *, store: Store, clock: Clock, new_id: IdFactory, connection: AiConnection | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._connection = connection

    def require_connection(self) -> AiConnection:
        """Give the model.

        Raises:
            InvalidRequest: ai_not_configured.
        """
        if self._connection is None:
            raise InvalidRequest(
                "ai_not_configured",
                "No language model is connected. Set ai.provider, ai.model and ai.api_key in hub.yaml (or "
                "HUB_AI__PROVIDER, HUB_AI__MODEL and HUB_AI__API_KEY), then start the hub again.",
            )
        return self._connection

    async def history(self, chat: Chat, count: int) -> tuple[Turn, ...]:
        """Give the last words of a chat, oldest first; what was taken back or never went out was not said."""
        wanted = MessageFilter(line_ids=(chat.line_id,), chat_ids=(chat.id,))
        page = await self._store.messages.page(wanted, after=None, limit=count)
        return tuple(
            Turn(role=Role.ASSISTANT if row.is_from_me else Role.USER, content=row.text)
            for row in reversed(page.messages)
            if row.text and row.unsent_at is None and row.cancelled_at is None and not _is_lost(row)
        )

    async def draft(self, wish: Wish) -> Drafted:
        """Make a whole draft.

        Raises:
            InvalidRequest: ai_not_configured, ai_limit_reached, missing_required_parameter, or what the model says.
        """
        begun = await self._begin(wish)
        usage = Usage()
        outcome = "cancelled"
        try:
            made = await begun.connection.drafter.draft(
                begun.prompt, max_output_tokens=begun.connection.max_output_tokens
            )
            usage, outcome = made.usage or _guess(begun, made.text), DRAFTED
        except InvalidRequest as refusal:
            outcome = refusal.code
            raise
        finally:
            spent = await self._settle(begun, usage, outcome)
        return self._drafted(made, wish, spent)

    async def stream(self, wish: Wish) -> AsyncGenerator[str | Drafted]:
        """Make a draft piece by piece; the whole of it comes last.

        Raises:
            InvalidRequest: As `draft`; in the middle too, when the model breaks off.
        """
        begun = await self._begin(wish)
        whole = _Whole(begun.connection.model)
        spent, outcome = begun.reserved, "cancelled"
        try:
            deltas = begun.connection.drafter.stream(
                begun.prompt, max_output_tokens=begun.connection.max_output_tokens
            )
            async with aclosing(deltas):
                async for delta in deltas:
                    whole.take(delta)
                    if delta.text:
                        yield delta.text
            outcome = DRAFTED
        except InvalidRequest as refusal:
            outcome = refusal.code
            raise
        finally:
            spent = await self._settle(begun, whole.usage or _guess(begun, whole.text), outcome)
        yield self._drafted(whole.draft, wish, spent)

    async def _begin(self, wish: Wish) -> _Begun:
        connection = self.require_connection()
        prompt = make_prompt(
            wish.turns,
            system=connection.system_prompt,
            instructions=wish.instructions,
            most_characters=connection.most_characters,
        )
        if prompt is None:
            raise InvalidRequest(
                "missing_required_parameter",
                "There is nothing to answer: give 'context' with at least one 'user' turn that has words, or "
                "'use_history' for a chat in which the contact has written.",
                param="context",
            )
        now = self._clock.now_ms()
        most = connection.max_output_tokens
        tokens = estimated_tokens(prompt, max_output_tokens=most)
        wanted = connection.prices.spending(Usage(input_tokens=tokens - most, output_tokens=most))
        met = await self._store.ai_usage.reserve(wanted, limits=connection.limits, now=now)
        if met is not None:
            connection.on_outcome("ai_limit_reached", 0)
            raise _limit_reached(met, now)
        return _Begun(connection=connection, prompt=prompt, reserved=wanted, reserved_at=now)

    async def _settle(self, begun: _Begun, usage: Usage, outcome: str) -> Spending:
        spent = begun.connection.prices.spending(usage)
        begun.connection.on_outcome(outcome, spent.tokens)
        log.info("draft.ended", outcome=outcome, model=begun.connection.model, tokens=spent.tokens)
        await self._store.ai_usage.settle(begun.reserved, spent=spent, reserved_at=begun.reserved_at)
        return spent

    def _drafted(self, made: Draft, wish: Wish, spent: Spending) -> Drafted:
        words = clean_words(made.text, most_characters=wish.most_characters)
        if not words:
            raise InvalidRequest(
                "ai_refused", "The model answered without a word. Change the context or the instructions."
            )
        return Drafted(id=self._new_id(), draft=replace(made, text=words), spending=spent)


def _is_lost(row: MessageRow) -> bool:
    """Whether nobody has the message."""
    return row.failed_at is not None and row.delivered_at is None and row.read_at is None


class _Whole:
    """What the pieces make together."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._pieces: list[str] = []
        self._reason = FinishReason.OTHER
        self._read: int | None = None
        self._written: int | None = None

    def take(self, delta: Delta) -> None:
        self._pieces.append(delta.text)
        self._model = delta.model or self._model
        self._reason = delta.finish_reason or self._reason
        self._read = delta.input_tokens if delta.input_tokens is not None else self._read
        self._written = delta.output_tokens if delta.output_tokens is not None else self._written

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def usage(self) -> Usage | None:
        if self._read is None or self._written is None:
            return None
        return Usage(input_tokens=self._read, output_tokens=self._written)

    @property
    def draft(self) -> Draft:
        return Draft(text=self.text, model=self._model, finish_reason=self._reason, usage=self.usage)


def _guess(begun: _Begun, text: str) -> Usage:
    """Estimate what was taken where the provider did not say."""
    read = estimated_tokens(begun.prompt, max_output_tokens=0)
    return Usage(input_tokens=read, output_tokens=min(len(text), begun.connection.max_output_tokens))


def _limit_reached(met: AiLimit, now: int) -> InvalidRequest:
    period, name = (HOUR_MS, "hour") if met is AiLimit.REQUESTS else (DAY_MS, "day (UTC)")
    return InvalidRequest(
        "ai_limit_reached",
        f"The hub has used what it may take from its model this {name} (ai.{met} in hub.yaml).",
        retry_after=-(-(period - now % period) // 1000),
    )


def turns_of(context: Sequence[tuple[str, str]]) -> tuple[Turn, ...]:
    """Give a caller's context as turns; roles are checked before."""
    return tuple(Turn(role=Role(role), content=content) for role, content in context)
