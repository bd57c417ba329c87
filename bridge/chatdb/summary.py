"""What `message.message_summary_info`, a property list, says of edits and of parts that were taken back.

`ec` holds the history of each edited part, `ep` the edited parts, `rp` the parts taken back, `otr` all parts there were
(docs/tables/messages.md of ReagentX/imessage-exporter; facts only). It comes from other people's phones: anything may
stand in it.
"""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from typing import Any, Final

from bridge.chatdb.typedstream import decode_text
from bridge.macos.apple_time import past_ms

#: Property lists beyond it are not parsed: the real ones hold a few edits.
_MOST_BYTES: Final = 2 * 1024 * 1024
_MOST_PARTS: Final = 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What became of a message after it was sent."""

    #: Indexes of parts that were taken back, sorted.
    unsent_parts: tuple[int, ...] = ()
    #: Indexes of all parts that there were; empty where that is not said.
    all_parts: tuple[int, ...] = ()
    is_edited: bool = False
    #: Unix ms of the last change of words, as the history dates it.
    last_edit_at: int | None = None
    #: The words of the edited parts as they stand now, in order.
    words: tuple[str, ...] = ()

    @property
    def is_all_unsent(self) -> bool:
        return bool(self.all_parts) and set(self.all_parts) <= set(self.unsent_parts)


NOTHING: Final = Summary()


def read_summary(archive: object, *, now_ms: int) -> Summary:
    """Read it; nothing for what cannot be read."""
    content = read_plist(archive)
    if not isinstance(content, dict):
        return NOTHING
    history = content.get("ec")
    edits = history if isinstance(history, dict) else {}
    dates = [past_ms(each, now_ms=now_ms) for each in _edit_dates(edits)]
    return Summary(
        unsent_parts=_indexes(content.get("rp")),
        all_parts=_indexes(content.get("otr")),
        is_edited=bool(_indexes(content.get("ep"))) or bool(dates),
        last_edit_at=max((each for each in dates if each is not None), default=None),
        words=_last_words(edits),
    )


def read_plist(archive: object) -> Any:
    """Give what a binary or XML property list holds; None for what is none."""
    if not isinstance(archive, bytes) or not archive or len(archive) > _MOST_BYTES:
        return None
    try:
        return plistlib.loads(archive)
    except Exception:  # the parser raises a dozen kinds of errors for what others wrote
        return None


def _edit_dates(edits: dict[Any, Any]) -> list[float]:
    """Give the date of each edit; the first entry of a part is what was sent."""
    found: list[float] = []
    for versions in list(edits.values())[:_MOST_PARTS]:
        if isinstance(versions, list):
            found += [
                each["d"] for each in versions[1:] if isinstance(each, dict) and _is_number(each.get("d"))
            ]
    return found


def _last_words(edits: dict[Any, Any]) -> tuple[str, ...]:
    found = []
    for _, versions in sorted(edits.items(), key=lambda item: str(item[0]))[:_MOST_PARTS]:
        last = versions[-1] if isinstance(versions, list) and versions else None
        words = decode_text(last.get("t")) if isinstance(last, dict) else None
        if words:
            found.append(words)
    return tuple(found)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _indexes(value: object) -> tuple[int, ...]:
    """Read indexes from a list of numbers, or from the keys of a dictionary, where they are texts."""
    listed = list(value) if isinstance(value, list | dict) else []
    found = {
        int(each) for each in listed if isinstance(each, int) or (isinstance(each, str) and each.isdecimal())
    }
    return tuple(sorted(index for index in found if 0 <= index <= 1024))[:_MOST_PARTS]
