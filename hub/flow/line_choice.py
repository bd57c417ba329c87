"""Choose the line of a send that names none (`from: "auto"`): who last spoke with the contact goes on speaking.

Not here: lines that are named (hub.flow.lines), and what a line may send (hub.flow.outgoing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from hub.flow.lines import LineBook
from hub.flow.recipients import read_chat_keys
from hub.flow.repositories import Chat, Store
from hub.model.errors import InvalidRequest
from hub.model.ids import InvalidId, Prefix, parse_id
from hub.model.key import ApiKey
from hub.model.line import Line

#: What stands for a line that the hub is to choose.
AUTO: Final = "auto"


#: The service of lines whose bridge chooses it message by message.
ANY_SERVICE: Final = "auto"


def serves(line: Line, service: str) -> bool:
    """Tell whether a line can carry messages of a service."""
    return line.service.casefold() in {service.casefold(), ANY_SERVICE}


class LineChoice:
    """Chooses among the lines that a key may use."""

    def __init__(self, *, store: Store, lines: LineBook, can_send: Callable[[Line], bool]) -> None:
        self._store = store
        self._lines = lines
        self._can_send = can_send

    async def choose(self, key: ApiKey, to: str | None, *, service: str | None = None) -> Line:
        """Give the line for a send.

        The line of the chat that `to` names; else, of those that can send, the one with the latest message to or from
        `to`; else the first of them: one that is online before one that is not, the sandbox last.

        Args:
            key: Whose lines.
            to: As `hub.flow.recipients.find_recipient` takes it; None for a send to many.
            service: Only lines of this service; None for all.

        Raises:
            InvalidRequest: chat_not_found, or line_not_found where the key has no line that can send.
        """
        visible = await self._lines.visible(key)
        if to is not None and to.startswith("cht_"):
            return await self._of_chat(visible, to)
        able = [
            line
            for line in visible
            if line.is_active and self._can_send(line) and (service is None or serves(line, service))
        ]
        chats = [] if to is None else await self._chats(able, to)
        if chats:
            latest = max(chats, key=lambda chat: (chat.last_message_at or 0, chat.id))
            return next(line for line in able if line.id == latest.line_id)
        if not able:
            of_service = "" if service is None else f" of the service '{service}'"
            raise InvalidRequest(
                "line_not_found",
                f"There is no line{of_service} for this key that is switched on and can send; GET /v1/lines shows "
                "what there is.",
                param="from",
            )
        return min(able, key=self._rank)

    def _rank(self, line: Line) -> tuple[bool, bool, int]:
        return self._lines.is_sandbox(line.id), line.status == "offline", line.id

    async def _chats(self, lines: Sequence[Line], to: str) -> list[Chat]:
        ids = [line.id for line in lines]
        found = [await self._store.chats.by_key_on(ids, key) for key in read_chat_keys(to)]
        return [chat for chats in found for chat in chats]

    async def _of_chat(self, visible: Sequence[Line], to: str) -> Line:
        try:
            chat = await self._store.chats.get(parse_id(Prefix.CHAT, to))
        except InvalidId:
            chat = None
        line = next((line for line in visible if chat is not None and line.id == chat.line_id), None)
        if line is None:
            raise InvalidRequest("chat_not_found", "Chat not found.", param="to")
        return line
