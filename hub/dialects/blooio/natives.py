"""What the native surface tells, as far as this dialect needs it; and how it is asked for pages and verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import msgspec

from hub.api.calls import Call, Listed
from hub.api.paging import MOST_LIMIT as NATIVE_LIMIT
from hub.api.sends import SendReply
from hub.dialects.blooio.errors import Refusal
from hub.dialects.native import Asked, ask
from hub.model.errors import InvalidRequest

Thing = TypeVar("Thing")

#: How long an answer waits for what a device says: the vendor's are its verdicts.
VERDICT_SECONDS: Final = 10


class NativeFile(msgspec.Struct, frozen=True):
    """A file of a message."""

    filename: str | None = None
    mime_type: str | None = None
    url: str | None = None


class NativeError(msgspec.Struct, frozen=True):
    """Why a message failed."""

    code: str | None = None
    #: As its network says it.
    raw: str | None = None


class NativeReaction(msgspec.Struct, frozen=True):
    """A reaction."""

    type: str
    sender: str
    is_from_me: bool
    added: bool
    sent_at: int


class NativeMessage(msgspec.Struct, frozen=True):
    """A message."""

    id: str
    line_handle: str
    status: str
    synced_at: int
    is_from_me: bool
    chat_id: str | None = None
    chat_address: str | None = None
    is_group: bool | None = None
    sender: str | None = None
    text: str | None = None
    attachments: tuple[NativeFile, ...] = ()
    service: str | None = None
    sent_at: int | None = None
    delivered_at: int | None = None
    error: NativeError | None = None
    #: Of a list that was asked for with them.
    reactions: tuple[NativeReaction, ...] = ()

    @property
    def at(self) -> int:
        """By what lists are in order."""
        return self.synced_at if self.sent_at is None else self.sent_at


async def page(
    call: Call[Any, Any],
    name: str,
    shape: type[Thing],
    query: Mapping[str, Any],
    *,
    limit: int,
    offset: int = 0,
) -> tuple[list[Thing], int]:
    """Ask for a page by its offset; give its things, and how many there are on all pages.

    The vendor's pages may be longer than ours: they are put together.
    """
    things: list[Thing] = []
    wanted = {**query, "offset": offset, "include_total": True}
    total = 0
    while True:
        wanted["limit"] = min(limit - len(things), NATIVE_LIMIT)
        listed = (await ask(call, name, Listed, query=wanted)).content
        things += [_read(each, shape) for each in listed.data]
        total = listed.total if isinstance(listed.total, int) else total
        if len(things) >= limit or listed.next_cursor is None:
            return things, total
        wanted = {**query, "cursor": listed.next_cursor}


def _read(item: Any, shape: type[Thing]) -> Thing:
    if isinstance(item, shape):
        return item
    raw = item if isinstance(item, msgspec.Raw) else msgspec.json.encode(item)
    return msgspec.json.decode(raw, type=shape)


def decided(asked: Asked[Any]) -> Any:
    """Give what an operation's answer says, unless the device has refused it; one that still waits counts as taken.

    Raises:
        Refusal: 502.
    """
    content = asked.content
    if getattr(content, "state", None) in ("failed", "cancelled"):
        why = content.error if isinstance(content.error, str) else "no reason was given"
        code, _, told = why.partition(":")
        raise Refusal(502, f"The device could not do it: {told.strip() or why}.", code=code)
    return content


async def verdict(
    call: Call[Any, Any],
    name: str,
    *,
    path: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
    expected: type[Any] = SendReply,
) -> Any:
    """Ask for an operation, and wait for what the device says.

    Raises:
        Refusal: 502: it refused, or cannot do such a thing.
    """
    with by_device():
        return decided(await ask(call, name, expected, path=path, body=body, wait_seconds=VERDICT_SECONDS))


@contextmanager
def by_device() -> Iterator[None]:
    """Tell of what a line cannot do as the vendor does of a device that cannot: 502."""
    try:
        yield
    except InvalidRequest as error:
        if error.code != "advanced_features_required":
            raise
        raise Refusal(502, error.message, code=error.code) from None
