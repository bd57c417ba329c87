"""What we let WhatsApp carry for us: the attempt's id, and of a reaction all that its status does not say. Pure.

`biz_opaque_callback_data` comes back with every status of a message, at most 512 characters long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.model.outbox import outbox_id_of

_REACTION: Final = "reaction"
MOST: Final = 512


@dataclass(frozen=True, kw_only=True, slots=True)
class ReactionMark:
    """A reaction of ours."""

    target: str
    #: Empty where it was taken back.
    emoji: str
    #: As it was asked for, where it has a name.
    type: str
    is_removed: bool


def reaction_mark(mark: ReactionMark) -> str | None:
    """Write it; None if it is too long to be carried."""
    text = "|".join((_REACTION, "-" if mark.is_removed else "+", mark.type, mark.emoji, mark.target))
    return text if len(text) <= MOST else None


def read_mark(text: str | None) -> ReactionMark | str | None:
    """Read what came back: a reaction, the id of an attempt, or None for what is not ours."""
    if text is None:
        return None
    name, _, rest = text.partition("|")
    if name == _REACTION:
        fields = rest.split("|", 3)
        if len(fields) == 4 and fields[0] in {"+", "-"} and fields[1] and fields[3]:
            sign, kind, emoji, target = fields
            return ReactionMark(target=target, emoji=emoji, type=kind[:64], is_removed=sign == "-")
        return None
    return text if outbox_id_of(text) is not None else None
