"""Read what an operation asks for, where all vendors read it alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from bridge.http_api import rejected
from bridge.sent_words import recipient_of, sent_words
from hub.flow.bridge_kinds import FileLinker
from hub.model.outbox import Operation, OperationOutcome

#: Where a file needs a public address and there is none.
NO_ADDRESS: Final = rejected(
    "public_address_needed",
    "The vendor fetches files from the hub: set web.base_url to an https address that the internet reaches.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A file that the vendor fetches from us."""

    url: str
    name: str | None


def place_of(operation: Operation) -> str:
    """Give the other side of the conversation, or the group's key; empty for nobody."""
    handle = recipient_of(operation.payload)
    return handle if handle is not None else text_of(operation.payload, "chat_key") or ""


def is_group(operation: Operation) -> bool:
    """Tell whether the operation is for a group."""
    return recipient_of(operation.payload) is None


def text_of(payload: Mapping[str, object], name: str) -> str | None:
    """Give a field that is a text; None for none."""
    value = payload.get(name)
    return value if isinstance(value, str) and value else None


def handles_of(operation: Operation) -> list[str]:
    """Give whom a CHECK is about."""
    one, several = operation.payload.get("handle"), operation.payload.get("handles")
    if isinstance(several, (list, tuple)):
        return [str(each) for each in several]
    return [one] if isinstance(one, str) else []


def members_of(operation: Operation) -> list[str]:
    """Give who is to be in a new group."""
    given = operation.payload.get("participants")
    return [str(each) for each in given] if isinstance(given, (list, tuple)) else []


def check_result(operation: Operation, found: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Give the result of a CHECK: by handle, and beside it for a single one."""
    handle = text_of(operation.payload, "handle")
    if handle is None:
        return {"handles": found}
    return {"handle": handle, **found.get(handle, {}), "handles": found}


def named_files(operation: Operation, links: FileLinker) -> list[Named] | OperationOutcome:
    """Give the addresses of the files that a send has, or say why there are none."""
    files = []
    for part in sent_words(operation.payload).files:
        url = links.address(part.ref or "")
        if url is None:
            return NO_ADDRESS
        files.append(Named(url=url, name=part.filename))
    return files


def in_path(text: str) -> str:
    """Write a value as one piece of a path."""
    return quote(text, safe="")
