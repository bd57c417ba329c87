"""What happens in a conversation and has no kind of its own: told as a message with a card that says so. Pure.

The numbers are `item_type` and `group_action_type` of chat.db (ReagentX/imessage-exporter, openclaw/imsg; facts only).
Whether 4 is the begin or the end of sharing a location, no source says for certain, so neither is claimed.
"""

from __future__ import annotations

from typing import Final

_CARDS: Final = {
    (3, 4): "The background of the chat was changed",
    (3, 6): "The background of the chat was taken away",
    (4, 0): "Location sharing was started or stopped",
}
#: No part of a conversation: voice messages that were kept, SharePlay.
_NO_NEWS: Final = frozenset({5, 6})


def card_of(item_type: int, action: int) -> str | None:
    """Give the words of the card; None for what is no news. What nobody knows yet is told as such."""
    if item_type in _NO_NEWS:
        return None
    unknown = f"Something that this hub does not know happened in Messages (item {item_type}.{action})"
    return _CARDS.get((item_type, action), unknown)
