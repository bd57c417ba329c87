"""What keeps a line safe: the settings that a line may have of its own, and the whole policy they are resolved to.

Meaning, unit and danger of each setting stand in config/hub.yaml (section `safety`) and docs/line-safety.md. The
settings are msgspec structs because they are born on a wire (PATCH /v1/lines/{id}).
Not here: how the one becomes the other (hub.rules.line_policy), and what follows (hub.rules).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Whether somebody's word counts for the line that heard it, or for every line of the hub.
ConsentScope = Literal["line", "hub"]
#: Whether a group with somebody in it who opted out may be written to.
GroupSends = Literal["block", "allow"]
#: What quiet hours hold back.
Holds = Literal["all", "new_conversations"]

ClockTime = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Words = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=40)], ...], Meta(max_length=50)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Share = Annotated[float, Meta(ge=0, le=1)]


class QuietWindow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """A time of rest by the line's clock. `to` at or before `from` is on the day after."""

    #: The days on which it begins.
    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=7)] = DAYS
    from_: ClockTime
    to: ClockTime
    holds: Holds = "all"


class LineSafety(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A line's own settings; null takes the hub's (hub.yaml, section `safety`)."""

    #: IANA name, such as Europe/Berlin.
    time_zone: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    #: Unix ms since when the number is in use, for the warm-up; null: since it is a line.
    in_service_since: Annotated[int, Meta(ge=0, le=32_503_680_000_000)] | None = None
    consent_scope: ConsentScope | None = None
    #: Words that count beside those of the hub.
    stop_words: Words | None = None
    start_words: Words | None = None
    help_words: Words | None = None
    #: What HELP is answered with; null: nothing.
    help_reply: Annotated[str, Meta(min_length=1, max_length=1000)] | None = None
    group_sends: GroupSends | None = None
    #: 0 sets no limit.
    new_conversations_per_hour: Count | None = None
    new_conversations_per_day: Count | None = None
    #: The daily limits of new conversations on the first days in service.
    warm_up_per_day: Annotated[tuple[Count, ...], Meta(max_length=365)] | None = None
    messages_per_day: Count | None = None
    #: Random spread of the pace, as a share of it; null: sends.jitter_ratio.
    jitter_ratio: Share | None = None
    quiet_hours: Annotated[tuple[QuietWindow, ...], Meta(max_length=14)] | None = None
    #: Thresholds of the line's health; 0 switches a warning off.
    unanswered_warning: Annotated[int, Meta(ge=0, le=1000)] | None = None
    ratio_warning: Annotated[float, Meta(ge=0, le=1000)] | None = None
    failed_warning: Share | None = None
    undelivered_warning: Share | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SafetyPolicy:
    """Everything that is decided by rules for one line: its own settings over those of the hub."""

    time_zone: str
    #: Unix ms; None: since it is a line.
    in_service_since: int | None
    consent_scope: ConsentScope
    stop_words: tuple[str, ...]
    start_words: tuple[str, ...]
    help_words: tuple[str, ...]
    help_reply: str | None
    group_sends: GroupSends
    new_conversations_per_hour: int
    new_conversations_per_day: int
    warm_up_per_day: tuple[int, ...]
    messages_per_day: int
    quiet_hours: tuple[QuietWindow, ...]
    unanswered_warning: int
    ratio_warning: float
    failed_warning: float
    undelivered_warning: float
