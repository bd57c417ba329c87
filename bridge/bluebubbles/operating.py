"""Every operation but sends, each one request or two; all need the Private API."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from bridge.bluebubbles.answers import Answer, outcome_of, outcome_of_failure, rejected
from bridge.bluebubbles.chats import handle_in, key_of, read_chat
from bridge.bluebubbles.knowledge import Knowledge
from bridge.bluebubbles.sending import Sending, name_of
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.shapes import mapping, mappings, number, text
from bridge.bluebubbles.state import ServerState
from bridge.bluebubbles.wire import Server, segment
from bridge.file_forms import file_form
from bridge.outgoing_files import NotSent, open_outgoing, reading
from bridge.quotes import Quote, guids_of
from hub.flow.calling import CallFailed
from hub.flow.ports import OutgoingFiles
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome
from hub.rules.chatkeys import handle_of

_DONE: Final = OperationOutcome(disposition=Disposition.ACCEPTED)
_MOST_PARTS: Final = 64
_MOST_HANDLES: Final = 50
_AT_ONCE: Final = 4


class Operating:
    """Performs them."""

    def __init__(
        self,
        server: Server,
        state: ServerState,
        knowledge: Knowledge,
        sending: Sending,
        *,
        settings: BlueBubblesSettings,
        files: OutgoingFiles,
    ) -> None:
        self._server = server
        self._state = state
        self._knowledge = knowledge
        self._sending = sending
        self._settings = settings
        self._files = files
        self._ways: dict[OperationKind, Callable[[Operation], Awaitable[OperationOutcome]]] = {
            OperationKind.CHECK: self._check,
            OperationKind.CONTACT_CARD: self._share_card,
            OperationKind.EDIT: self._edit,
            OperationKind.GROUP_ADD: self._add,
            OperationKind.GROUP_CREATE: self._make_group,
            OperationKind.GROUP_ICON: self._change_icon,
            OperationKind.GROUP_LEAVE: self._leave,
            OperationKind.GROUP_REMOVE: self._remove,
            OperationKind.GROUP_RENAME: self._rename,
            OperationKind.REACT: self._react,
            OperationKind.READ: self._read,
            OperationKind.SEND: sending.send,
            OperationKind.TYPING: self._type,
            OperationKind.UNREAD: self._unread,
            OperationKind.UNSEND: self._unsend,
        }

    async def perform(self, operation: Operation) -> OperationOutcome:
        """Do it once."""
        way = self._ways.get(operation.kind)
        if way is None:
            return rejected("unsupported", f"BlueBubbles cannot do: {operation.kind}")
        try:
            return await way(operation)
        except NotSent as error:
            return error.outcome
        except CallFailed as failure:
            return outcome_of_failure(failure)

    async def _react(self, operation: Operation) -> OperationOutcome:
        payload = operation.payload
        name = text(payload, "type") or "love"
        body = {
            "chatGuid": await self._chat(operation),
            "selectedMessageGuid": _target(operation),
            "reaction": f"-{name}" if payload.get("remove") is True else name,
            "partIndex": 0,
        }
        return outcome_of(await self._server.do("POST", "/message/react", body))

    async def _edit(self, operation: Operation) -> OperationOutcome:
        words = text(operation.payload, "text") or ""
        body = {
            "editedMessage": words,
            "backwardsCompatibilityMessage": f"Edited to \u201c{words}\u201d",
            "partIndex": 0,
        }
        return outcome_of(await self._server.do("POST", f"/message/{segment(_target(operation))}/edit", body))

    async def _unsend(self, operation: Operation) -> OperationOutcome:
        """Take all messages of a send back that are not yet."""
        outcome = _DONE
        for guid in guids_of(operation.payload):
            outcome = await self._unsend_one(guid)
            if outcome.disposition is not Disposition.ACCEPTED:
                return outcome
        return outcome

    async def _unsend_one(self, guid: str) -> OperationOutcome:
        """Take all parts back: without a number the server takes the first only."""
        path = f"/message/{segment(guid)}"
        found = await self._server.get(path)
        count = number(found.message, "partCount") if found.is_ok else None
        outcome = _DONE
        for part in range(min(max(count or 1, 1), _MOST_PARTS)):
            outcome = outcome_of(await self._server.do("POST", f"{path}/unsend", {"partIndex": part}))
            if outcome.disposition is not Disposition.ACCEPTED:
                return outcome
        return outcome

    async def _type(self, operation: Operation) -> OperationOutcome:
        path = f"/chat/{segment(await self._chat(operation))}/typing"
        if operation.payload.get("state") != "off":
            return outcome_of(await self._server.do("POST", path))
        if not (await self._state.info()).can_stop_typing:
            # DELETE starts it there (1.9.9). Left alone it ends by itself, and with the next message.
            return _DONE
        return outcome_of(await self._server.do("DELETE", path))

    async def _read(self, operation: Operation) -> OperationOutcome:
        return await self._on_chat(operation, "POST", "/read")

    async def _unread(self, operation: Operation) -> OperationOutcome:
        return await self._on_chat(operation, "POST", "/unread")

    async def _leave(self, operation: Operation) -> OperationOutcome:
        return await self._on_chat(operation, "POST", "/leave")

    async def _rename(self, operation: Operation) -> OperationOutcome:
        name = text(operation.payload, "name", most=1024)
        if name is None:
            return rejected("unsupported", "BlueBubbles cannot take a group's name away")
        return await self._on_chat(operation, "PUT", "", {"displayName": name})

    async def _add(self, operation: Operation) -> OperationOutcome:
        return await self._on_chat(operation, "POST", "/participant", {"address": _handle(operation)})

    async def _remove(self, operation: Operation) -> OperationOutcome:
        return await self._on_chat(operation, "DELETE", "/participant", {"address": _handle(operation)})

    async def _share_card(self, operation: Operation) -> OperationOutcome:
        if operation.payload.get("action", "share") != "share":
            return rejected(
                "unsupported", "BlueBubbles shares the Mac's own card, and cannot read or change it"
            )
        return await self._on_chat(operation, "POST", "/share/contact")

    async def _change_icon(self, operation: Operation) -> OperationOutcome:
        path = f"/chat/{segment(await self._chat(operation))}/icon"
        if operation.payload.get("remove") is True:
            return outcome_of(await self._server.do("DELETE", path))
        named, most = text(operation.payload, "file_id"), self._settings.most_file_bytes
        file = await open_outgoing(self._files, named, most_bytes=most)
        with reading():
            return outcome_of(
                await self._server.upload(path, file_form(file, field="icon", filename=name_of(file)))
            )

    async def _make_group(self, operation: Operation) -> OperationOutcome:
        payload = operation.payload
        given = payload.get("participants")
        handles = [str(each) for each in given] if isinstance(given, list | tuple) else []
        body = {
            "addresses": handles,
            "message": text(payload, "text") or "",
            "method": "private-api",
            "service": "iMessage",
            "tempGuid": operation.attempt_id,
        }
        answer = await self._server.do("POST", "/chat/new", body)
        outcome = outcome_of(answer)
        chat = read_chat(answer.message)
        if outcome.disposition is not Disposition.ACCEPTED or chat is None or chat.provider_id is None:
            return outcome
        self._knowledge.chat_guids.note(chat.key, chat.provider_id)
        if name := text(payload, "name", most=1024):
            await self._name(chat.provider_id, name)
        first = _first_message(answer)
        if first is not None:
            self._knowledge.quotes.note(first, Quote(operation.attempt_id))
        people = [
            each for person in mappings(answer.message.get("participants")) if (each := handle_in(person))
        ]
        result = {"chat_key": chat.key, "participants": people or handles}
        return replace(outcome, provider_id=first, result=result)

    async def _name(self, guid: str, name: str) -> None:
        """Name a new group; it exists whether that works or not, and its name shows in what is observed."""
        try:
            await self._server.do("PUT", f"/chat/{segment(guid)}", {"displayName": name})
        except CallFailed:
            return

    async def _check(self, operation: Operation) -> OperationOutcome:
        payload = operation.payload
        given = payload.get("handles")
        handles = [str(each) for each in given[:_MOST_HANDLES]] if isinstance(given, list | tuple) else []
        room = asyncio.Semaphore(_AT_ONCE)
        if handles:
            told = await asyncio.gather(*(self._reach(each, room) for each in handles))
            return replace(_DONE, result={"handles": dict(zip(handles, told, strict=True))})
        handle = handle_of(key_of(payload)) or ""
        return replace(_DONE, result={"handle": handle, **await self._reach(handle, room)})

    async def _reach(self, handle: str, room: asyncio.Semaphore) -> dict[str, bool | None]:
        """How one handle is reached; of SMS a Mac knows nothing."""
        told: dict[str, bool | None] = {"sms": None}
        for service in ("imessage", "facetime"):
            async with room:
                answer = await self._server.get(f"/handle/availability/{service}", {"address": handle})
            available = mapping(answer.data).get("available")
            if service == "imessage" and not answer.is_ok:
                raise NotSent(outcome_of(answer))
            told[service] = available if isinstance(available, bool) else None
        return told

    async def _on_chat(
        self, operation: Operation, method: str, path: str, body: dict[str, Any] | None = None
    ) -> OperationOutcome:
        guid = await self._chat(operation)
        answer = await self._server.do(method, f"/chat/{segment(guid)}{path}", body)
        return replace(outcome_of(answer), provider_id=None)

    async def _chat(self, operation: Operation) -> str:
        guid = await self._sending.chat_guid(operation)
        if guid is None:
            raise NotSent(rejected("not_found", "the Mac has no such chat"))
        return guid


def _target(operation: Operation) -> str:
    return text(operation.payload, "message_guid", most=512) or ""


def _handle(operation: Operation) -> str:
    return text(operation.payload, "handle", most=320) or ""


def _first_message(answer: Answer) -> str | None:
    rows = mappings(answer.message.get("messages"))
    return text(rows[0], "guid", most=512) if rows else None
