"""A draft: an answer that a language model proposes, and what it cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Whose words: the contact's, or ours."""

    USER = "user"
    ASSISTANT = "assistant"


class FinishReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    #: It ran into `max_output_tokens`.
    LENGTH = "length"
    #: The provider held something back.
    FILTERED = "filtered"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """What one side said."""

    role: Role
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """What the model is asked."""

    #: How it is to behave.
    system: str
    #: Oldest first; the first is the contact's, roles alternate.
    turns: tuple[Turn, ...]

    @property
    def characters(self) -> int:
        """How long it is."""
        return len(self.system) + sum(len(turn.content) for turn in self.turns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What a draft took, as the provider counts."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A proposed answer; never trusted, never sent without being asked."""

    text: str
    #: As the provider names it.
    model: str
    finish_reason: FinishReason
    #: None when the provider did not count.
    usage: Usage | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Delta:
    """The next piece of a draft that is being made."""

    text: str = ""
    model: str | None = None
    finish_reason: FinishReason | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


class AiLimit(StrEnum):
    """A limit of the operator's that a draft would pass."""

    REQUESTS = "requests_per_hour"
    TOKENS = "daily_tokens"
    COST = "daily_cost"


@dataclass(frozen=True, kw_only=True, slots=True)
class AiLimits:
    """What the whole hub may take from its model. 0 sets no limit."""

    requests_per_hour: int
    tokens_per_day: int
    #: Millionths of the operator's currency.
    cost_micros_per_day: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spending:
    """What a draft takes, or may take at the most."""

    tokens: int
    cost_micros: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AiTally:
    """What was taken so far, reservations included."""

    hour_requests: int
    day_requests: int
    day_tokens: int
    day_cost_micros: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AiPrices:
    """What tokens cost. A price per million tokens is the number of millionths that one token costs."""

    #: Per token, in millionths of the operator's currency.
    input_micros: float
    output_micros: float

    def spending(self, usage: Usage) -> Spending:
        """Give what a draft took."""
        cost = usage.input_tokens * self.input_micros + usage.output_tokens * self.output_micros
        return Spending(tokens=usage.input_tokens + usage.output_tokens, cost_micros=math.ceil(cost))
