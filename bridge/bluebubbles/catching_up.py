"""Read the history: what is new since a place, oldest first, and what changed of older messages.

Pages are named by the date of the row before, not by an offset: rows come and go meanwhile. A page that cannot be read
is asked for in smaller ones, down to the one row that is at fault, which is passed over and counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from bridge.bluebubbles.answers import Answer
from bridge.bluebubbles.looking import Looking, sorted_rows
from bridge.bluebubbles.server_info import ServerInfo
from bridge.bluebubbles.shapes import JSON, mappings, number, text
from bridge.bluebubbles.state import why_not
from bridge.bluebubbles.wire import Server
from hub.flow.calling import CallFailed

PAGE: Final = 1_000
_MOST_CHANGED_PAGES: Final = 20
#: Rows in a row that cannot be read, before the server is at fault and not they.
_MOST_UNREADABLE: Final = 100
_WITH: Final = ["chat", "chat.participants", "attachment", "attributed-body", "message-summary-info"]
#: chat.db counts nanoseconds since 2001.
_APPLE_EPOCH_MS: Final = 978_307_200_000


class History:
    """Of one server."""

    def __init__(self, server: Server, looking: Looking, *, page: int = PAGE) -> None:
        self._server = server
        self._looking = looking
        self._page = page
        self._is_without_changes = False

    async def since(self, at: int) -> AsyncIterator[list[JSON]]:
        """Give pages of rows created since a date, oldest first.

        Raises:
            CallFailed: The server stopped answering; what was given before stands.
        """
        after, offset, limit, unreadable = at, 0, self._page, 0
        seen: set[str] = set()
        while True:
            answer = await self._server.query("/message/query", _body(after, offset, limit))
            rows = _rows(answer)
            if rows is None:
                unreadable += limit == 1
                if unreadable > _MOST_UNREADABLE:
                    raise CallFailed("unknown", answer.words or "the history cannot be read")
                if limit == 1:
                    self._looking.pass_over("unreadable row")
                    offset += 1
                else:
                    limit = max(1, limit // 8)
                continue
            unreadable = 0
            fresh = [row for row in sorted_rows(rows) if (text(row, "guid", most=512) or id(row)) not in seen]
            if fresh:
                yield fresh
            if len(rows) < limit:
                return
            last = max((number(row, "dateCreated") or 0) for row in rows)
            if last > after + 1:
                # The next page begins in the same millisecond: others may share it.
                after, offset = last - 1, 0
                seen = {guid for row in rows if (guid := text(row, "guid", most=512))}
            else:
                offset += len(rows)
                seen |= {guid for row in rows if (guid := text(row, "guid", most=512))}
            limit = min(self._page, limit * 8)

    async def changed(self, at: int, info: ServerInfo) -> list[JSON]:
        """Give rows delivered, read or edited since a date, whenever they were created; none where that is not told.

        Raises:
            CallFailed: The server stopped answering.
        """
        if self._is_without_changes:
            return []
        found: list[JSON] = []
        for page in range(_MOST_CHANGED_PAGES):
            body = _body(0, page * 200, 200) | {"where": [_changed_since(at, has_edits=info.macos >= 13)]}
            answer = await self._server.query("/message/query", body)
            rows = _rows(answer)
            if rows is None:
                # Never seen on a wire: a server that refuses the question is not asked again.
                self._is_without_changes = True
                self._looking.pass_over("no list of changes")
                return found
            found += rows
            if len(rows) < 200:
                break
        return sorted_rows(found)


def _body(after: int, offset: int, limit: int) -> dict[str, Any]:
    return {"with": _WITH, "after": after, "offset": offset, "limit": limit, "sort": "ASC"}


def _changed_since(at: int, *, has_edits: bool) -> dict[str, Any]:
    columns = ["message.date_delivered", "message.date_read", *(["message.date_edited"] if has_edits else [])]
    statement = " OR ".join(f"{column} >= :changed" for column in columns)
    return {"statement": f"({statement})", "args": {"changed": max(0, at - _APPLE_EPOCH_MS) * 1_000_000}}


def _rows(answer: Answer) -> list[JSON] | None:
    """The rows of a page; None where there are some that cannot be read.

    Raises:
        CallFailed: It is no page at all.
    """
    if answer.is_ok and isinstance(answer.data, list):
        return mappings(answer.data)
    is_cut = not answer.is_envelope and 200 <= answer.status < 300
    # One row that the server itself cannot serialise fails its whole page, as masked handles do.
    if is_cut or (answer.is_envelope and answer.status in (400, 500)):
        return None
    raise CallFailed("unknown", why_not(answer))
