"""Polls of Messages, as the archive of their balloon holds them. Pure.

The archive is a property list; in it stands an address, `data:,` and JSON in base64:

    a poll: {"item": {"title", "orderedPollOptions": [{"optionIdentifier", "text"}]}}
    a vote: {"item": {"votes": [{"voteOptionIdentifier", "participantHandle"}]}}, all that its voter has chosen now

A poll's title is often empty, and the question a message of its own behind it. Source: openclaw/imsg
Sources/IMsgHelper/PollHandlers.inc and Sources/IMsgCore/MessagePolls.swift (facts only).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from bridge.chatdb.rows import MessageRow
from bridge.chatdb.summary import read_plist
from bridge.macos.wire_text import identifier, label
from bridge.taming import json_in, list_in, mapping_in
from hub.model.observation import ObservedOption

#: `associated_message_type` of a vote, and of a row that gives a poll more options.
VOTE: Final = 4000
UPDATE: Final = 2
_BUNDLE: Final = "com.apple.messages.Polls"
_MOST_OPTIONS: Final = 64
#: Values of a property list that are looked at.
_MOST_VALUES: Final = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Poll:
    """What the archive of a row says."""

    title: str | None = None
    options: tuple[ObservedOption, ...] = ()
    #: Of a vote; None where the row is none.
    choices: tuple[str, ...] | None = None


def is_poll(row: MessageRow) -> bool:
    """Tell whether a row is a poll, or more options of one."""
    return (row.balloon_bundle_id or "").rpartition(":")[2] == _BUNDLE and row.associated_type < 1000


def read_poll(archive: bytes | None) -> Poll | None:
    """Read a poll, or a vote; None for an archive that holds neither."""
    for content in _contents(archive):
        item = mapping_in(content.get("item")) or content
        votes, options = item.get("votes"), tuple(_options(item.get("orderedPollOptions")))
        if isinstance(votes, list):
            return Poll(choices=tuple(_choices(votes)))
        if options:
            return Poll(title=label(item.get("title")), options=options[:_MOST_OPTIONS])
    return None


def _options(listed: Any) -> Iterator[ObservedOption]:
    seen: set[str] = set()
    for each in map(mapping_in, list_in(listed)):
        name = identifier(each.get("optionIdentifier"), most=128)
        if name is not None and name not in seen:
            seen.add(name)
            yield ObservedOption(id=name, text=label(each.get("text")) or "")


def _choices(votes: list[Any]) -> list[str]:
    named = [identifier(mapping_in(each).get("voteOptionIdentifier"), most=128) for each in votes]
    return list(dict.fromkeys(name for name in named if name is not None))[:_MOST_OPTIONS]


def _contents(archive: bytes | None) -> Iterator[dict[str, Any]]:
    for text in _texts(read_plist(archive)):
        if text[:5].lower() == "data:":
            found = _json_of(text)
            if isinstance(found, dict):
                yield found


def _texts(value: Any) -> Iterator[str]:
    """Give the texts of a property list, however deep; bounded, for it comes from others."""
    left, looked = [value], 0
    while left and looked < _MOST_VALUES:
        each, looked = left.pop(), looked + 1
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            left += each.values()
        elif isinstance(each, list):
            left += each


def _json_of(address: str) -> Any:
    data = unquote(address.partition(",")[2].partition("?")[0].partition("#")[0]).strip()
    if data.startswith("{"):
        return json_in(data.encode("utf-8", "replace"))
    try:
        return json_in(
            base64.b64decode(data + "=" * (-len(data) % 4), altchars=b"-_" if "-" in data else None)
        )
    except (binascii.Error, ValueError):
        return None
