"""What a network lists and nobody here can read: kept as it stands in the list, as webhooks are that give nothing.

A list shows the same entry in every round: it stays one row, whatever else changes about it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from bridge.taming import id_in, mapping_in
from bridge.unread import Unread, code_of
from hub.flow.refused import Noting
from hub.model.refused import Origin, RefusalCode, Refused

Found = TypeVar("Found")
_NO_OBJECT: Final = Unread("an entry of the list is no object", RefusalCode.UNREADABLE)


class Lists:
    """Reads lists of one account, and notes what is passed over in them.

    Args:
        refuse: Keeps it.
    """

    def __init__(self, refuse: Noting) -> None:
        self._refuse = refuse

    def entries(self, value: object, *, origin: Origin = Origin.FEED) -> list[Mapping[str, Any]]:
        """Give the objects of a list; anything else is noted and stands as an empty one: pages keep their length."""
        listed = entries_in(value)
        for each in listed:
            if not isinstance(each, dict):
                self._note(each, _NO_OBJECT, origin, None)
        return list(map(mapping_in, listed))

    def pass_over(
        self, entry: Mapping[str, Any], why: str, *, named: str | None = None, origin: Origin = Origin.FEED
    ) -> None:
        """Note an entry that gives nothing.

        Args:
            entry: As it is listed; an empty one was noted by `entries`.
            why: For people, with its code (bridge.unread).
            named: The network's id, where it can be read: the same entry again counts as the same.
            origin: Whether it was listed for news, or to look something up.
        """
        if entry:
            self._note(entry, why, origin, named)

    def search(
        self,
        entries: Iterable[Mapping[str, Any]],
        read: Callable[[Mapping[str, Any]], Found | None],
        *,
        named: str,
    ) -> list[Found]:
        """Read messages of ours among which a send is looked for; one that cannot be compared with it is noted.

        Args:
            entries: As `entries` gave them, without what is not ours.
            read: Reads one; None where it cannot.
            named: The field of the network's id.
        """
        found: list[Found] = []
        for each in entries:
            seen = read(each)
            if seen is None:
                why = "it names no message, or not when it was made"
                self.pass_over(each, why, named=id_in(each.get(named)), origin=Origin.BACKFILL)
            else:
                found.append(seen)
        return found

    def _note(self, entry: object, why: str, origin: Origin, named: str | None) -> None:
        same_as = None if named is None else f"listed {named}"
        self._refuse(
            Refused(code=code_of(why), reason=str(why), origin=origin, raw=_written(entry), same_as=same_as)
        )


def is_since(at: int | None, since_ms: int) -> bool:
    """Tell whether an entry is new; one without a date that can be read may be."""
    return at is None or at >= since_ms


def entries_in(value: object) -> list[Any]:
    """Give a list; what is none counts as one entry, so that it is not taken for nothing."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _written(entry: object) -> bytes:
    try:
        return msgspec.json.encode(entry)
    except UnicodeEncodeError:
        return json.dumps(entry).encode()  # it writes halves of surrogate pairs, which networks send
    except (TypeError, ValueError, RecursionError):
        return repr(entry).encode("utf-8", "backslashreplace")
