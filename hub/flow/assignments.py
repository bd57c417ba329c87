"""Say who takes care of a chat, and tell it (`chat.assigned`): one transaction, so that nobody is told what is not so.

The hub keeps the names and knows no teams: what they may do is the affair of whoever listens.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hub.flow.event_shapes import ChatAssignedData
from hub.flow.ports import Clock, HotTransaction
from hub.flow.record import Recorder
from hub.flow.repositories import Chat
from hub.flow.rows import EventRow
from hub.model.assignee import Assignee
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory, Prefix, id_text
from hub.model.line import Line
from hub.rules.chatkeys import handle_of
from hub.rules.facts import dedupe_key

_encode: Final = msgspec.json.Encoder().encode


class AssignmentDesk:
    """Assigns chats."""

    def __init__(self, *, recorder: Recorder, clock: Clock, new_id: IdFactory) -> None:
        self._recorder = recorder
        self._clock = clock
        self._new_id = new_id

    async def assign(self, line: Line, chat: Chat, assignee: Assignee | None) -> tuple[int | None, bool]:
        """Give a chat to somebody, or to nobody again.

        Returns:
            Since when it is so, Unix ms (None: it is nobody's), and whether that is new. Who has it already is told
            nothing, unless the note is another.

        Raises:
            InvalidRequest: chat_not_found.
        """
        text = None if assignee is None else _encode(assignee).decode()

        async def work(tx: HotTransaction) -> tuple[tuple[int | None, bool], list[EventRow]]:
            states = await tx.chats.states([chat.id])
            if not states:
                raise InvalidRequest("chat_not_found", "Chat not found.")
            (state,) = states
            if state.assignee == text:
                return (state.assigned_at, False), []
            now_ms = self._clock.now_ms()
            assigned_at = None if text is None else now_ms
            await tx.chats.save_states([state._replace(assignee=text, assigned_at=assigned_at)])
            before = read_assignee(state.assignee)
            data = assigned_data(line, chat.id, chat.chat_key, before=before, now=assignee, at_ms=now_ms)
            return (assigned_at, True), [self._event(line, chat, data, now_ms)]

        return await self._recorder.write(work)

    def _event(self, line: Line, chat: Chat, data: str, at_ms: int) -> EventRow:
        key = dedupe_key(f"{line.id}:{self._new_id()}:", "chat.assigned:")
        return EventRow(0, "chat.assigned", line.id, chat.id, key, at_ms, None, data)


def read_assignee(text: str | None) -> Assignee | None:
    """Read what is kept."""
    return None if text is None else msgspec.json.decode(text, type=Assignee)


def assigned_data(
    line: Line, chat_id: int, chat_key: str, *, before: Assignee | None, now: Assignee | None, at_ms: int
) -> str:
    """Render what is told when a chat was given to somebody."""
    chat, handle = id_text(Prefix.CHAT, chat_id), handle_of(chat_key)
    new, old = now or Assignee(), before or Assignee()
    data = ChatAssignedData(
        id=chat,
        chat_id=chat,
        line_id=id_text(Prefix.LINE, line.id),
        line_handle=line.handle,
        chat_address=handle or chat_key,
        is_group=handle is None,
        team=new.team,
        user=new.user,
        note=new.note,
        previous_team=old.team,
        previous_user=old.user,
        occurred_at=at_ms,
    )
    return _encode(data).decode()
