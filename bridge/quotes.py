"""What a message on a network is of our sends, as far as a bridge knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quote:
    """Which attempt made a message, and which of the send's parts it carries."""

    attempt_id: str
    #: The first of the parts, from 0; None: not known.
    part: int | None = None
    #: How many; None: all from the first one on.
    part_count: int | None = None


def kept_parts(payload: Mapping[str, object]) -> frozenset[int]:
    """Give the parts that the network has from an earlier attempt, beyond the first `parts_done`, from 0."""
    listed = payload.get("parts_kept")
    return frozenset(
        part for part in (listed if isinstance(listed, list | tuple) else ()) if isinstance(part, int)
    )


def guids_of(payload: Mapping[str, object]) -> tuple[str, ...]:
    """Give the network's messages that an operation is on: several where one of ours became several."""
    listed = payload.get("message_guids")
    named = listed if isinstance(listed, list | tuple) and listed else (payload.get("message_guid"),)
    return tuple(guid for guid in named if isinstance(guid, str) and guid)
