"""What a new reaction takes the place of.

iMessage keeps one tapback of each person on each part of a message, any emoji and sticker among them, and WhatsApp one
reaction of each person on a message: a new one replaces the old, and the network tells of the new one only. Other
networks let people hold several; their bridges say so (`react_many`).
Not here: what a reaction is called (hub.rules.facts) and the merge itself (the store).
"""

from __future__ import annotations

from typing import Final

#: The capability of a line whose network lets one person hold several reactions to one message.
REACT_MANY: Final = "react_many"


def slot_of(reaction_type: str, *, part: int, is_one_of_many: bool) -> str:
    """Name the place that a reaction takes among those of its sender on its message.

    Args:
        reaction_type: One of the six names, or the emoji.
        part: Which part of the message it is on, from 0.
        is_one_of_many: The network lets a person hold several.

    Returns:
        The same for reactions of which only the latest counts; empty for the only one on a whole message.
    """
    place = str(part) if part else ""
    return f"{place}:{reaction_type}" if is_one_of_many else place
