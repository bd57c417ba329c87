"""Sends: pieces become messages, one after the other, each asked for once.

The server drops a repeat only while the first is under way (its tempGuid is a lock, not a key), so nothing is repeated
here: what may have been sent is told as such, and looked up (bridge.bluebubbles.proof).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bridge.bluebubbles.answers import not_started, outcome_of, outcome_of_failure, rejected
from bridge.bluebubbles.chats import guid_for, is_masked, key_of
from bridge.bluebubbles.knowledge import Knowledge
from bridge.bluebubbles.server_info import method_for
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.shapes import mappings, text
from bridge.bluebubbles.state import ServerState
from bridge.bluebubbles.wire import Server, segment
from bridge.bluebubbles.wishes import Piece, Wish, places_left, temp_guid, wish_of
from bridge.file_forms import file_form
from bridge.outgoing_files import NotSent, open_outgoing, reading
from bridge.quotes import Quote
from hub.flow.calling import CallFailed
from hub.flow.ports import OutgoingFile, OutgoingFiles
from hub.model.outbox import Disposition, Operation, OperationOutcome, SentPiece
from hub.rules.chatkeys import handle_of


class Sending:
    """Performs sends."""

    def __init__(
        self,
        server: Server,
        state: ServerState,
        knowledge: Knowledge,
        *,
        settings: BlueBubblesSettings,
        files: OutgoingFiles,
    ) -> None:
        self._server = server
        self._state = state
        self._knowledge = knowledge
        self._settings = settings
        self._files = files

    async def send(self, operation: Operation) -> OperationOutcome:
        """Send all pieces that are not sent yet."""
        method = method_for(await self._state.info(), self._settings.method)
        wish = wish_of(operation, is_private=method == "private-api")
        if not wish.pieces:
            return rejected("empty", "there is nothing to send")
        left = places_left(operation, wish)
        done = left[0] if left else len(wish.pieces)
        pieces: list[SentPiece] = []
        # Where all is one message, what becomes of it becomes of all of it.
        part = None if wish.is_one_message else done
        try:
            guid = await self.chat_guid(operation)
            for done in left[:1] if wish.is_one_message else left:
                part = None if wish.is_one_message else done
                quote = Quote(operation.attempt_id, done, None if wish.is_one_message else 1)
                self._knowledge.given.note(temp_guid(operation, done), quote)
                outcome = await self._next(operation, wish, done, guid, method)
                if outcome.provider_id is not None:
                    self._knowledge.quotes.note(outcome.provider_id, quote)
                if outcome.disposition is not Disposition.ACCEPTED:
                    return replace(outcome, parts_done=done, part=part, pieces=tuple(pieces))
                if outcome.provider_id is not None:
                    piece = SentPiece(guid=outcome.provider_id, part=done, part_count=quote.part_count)
                    pieces.append(piece)
                guid = guid or await self.chat_guid(operation)
        except NotSent as error:
            return replace(error.outcome, parts_done=done, part=part, pieces=tuple(pieces))
        return OperationOutcome(
            disposition=Disposition.ACCEPTED,
            provider_id=pieces[0].guid if pieces else None,
            parts_done=len(wish.pieces),
            pieces=tuple(pieces),
        )

    async def chat_guid(self, operation: Operation) -> str | None:
        """How the Mac names the chat; None for a direct chat that it does not have yet.

        Raises:
            NotSent: There is no such group, nobody there, or the server cannot be asked.
        """
        key = key_of(operation.payload)
        handle = handle_of(key)
        if handle is not None and (is_masked(handle) or not handle):
            raise NotSent(
                rejected("masked_handle", "the Mac does not tell who this is, so nothing can be sent")
            )
        known = self._knowledge.chat_guids.get(key)
        if known is not None:
            return known
        for macos in dict.fromkeys(((await self._state.info()).macos, 26, 13)):
            guid = guid_for(key, macos=macos)
            if await self._has_chat(guid):
                self._knowledge.chat_guids.note(key, guid)
                return guid
        if handle is None:
            raise NotSent(rejected("not_found", "the Mac has no such group"))
        return None

    async def _has_chat(self, guid: str) -> bool:
        try:
            answer = await self._server.get(f"/chat/{segment(guid)}", seconds=self._server.patience.probe)
        except CallFailed as failure:
            raise NotSent(_not_begun(failure)) from None
        if answer.status == 404 and answer.is_envelope:
            return False
        if not answer.is_ok:
            outcome = outcome_of(answer)
            if outcome.disposition is Disposition.MAY_HAVE_COMPLETED:
                outcome = not_started("unreachable", outcome.detail or "")  # it was only a question
            raise NotSent(outcome)
        return True

    async def _next(
        self, operation: Operation, wish: Wish, done: int, guid: str | None, method: str
    ) -> OperationOutcome:
        """Send the next message."""
        piece = wish.pieces[done]
        fields: dict[str, Any] = {"tempGuid": temp_guid(operation, done)}
        if done == 0:
            fields |= dict(wish.extras)
        try:
            if guid is None and piece.text is not None:
                return await self._open_chat(operation, piece.text, fields, method)
            fields["chatGuid"] = guid or guid_for(key_of(operation.payload), macos=0)
            if wish.is_one_message:
                return await self._send_together(operation, wish, fields)
            fields["method"] = method
            if piece.text is not None:
                body = {**fields, "message": piece.text}
                return outcome_of(await self._server.do("POST", "/message/text", body))
            return await self._send_file(piece, fields)
        except CallFailed as failure:
            return outcome_of_failure(failure)

    async def _open_chat(
        self, operation: Operation, words: str, fields: dict[str, Any], method: str
    ) -> OperationOutcome:
        """Begin a direct chat with its first words: what is not there cannot be sent to."""
        handle = handle_of(key_of(operation.payload)) or ""
        body = {name: fields[name] for name in fields if name not in {"selectedMessageGuid", "partIndex"}}
        body |= {"addresses": [handle], "message": words, "method": method, "service": "iMessage"}
        answer = await self._server.do("POST", "/chat/new", body)
        outcome = outcome_of(answer)
        if outcome.disposition is not Disposition.ACCEPTED:
            return outcome
        if (guid := text(answer.message, "guid", most=512)) is not None:
            self._knowledge.chat_guids.note(key_of(operation.payload), guid)
        rows = mappings(answer.message.get("messages"))
        return replace(outcome, provider_id=text(rows[0], "guid", most=512) if rows else None)

    async def _send_together(
        self, operation: Operation, wish: Wish, fields: dict[str, Any]
    ) -> OperationOutcome:
        parts: list[dict[str, Any]] = []
        for index, piece in enumerate(wish.pieces[place] for place in places_left(operation, wish)):
            part: dict[str, Any] = {"partIndex": index}
            if piece.text is not None:
                part["text"] = piece.text
                part |= {"mention": piece.mention} if piece.mention else {}
            else:
                file = await self._open(piece)
                part |= {"attachment": await self._put(file), "name": name_of(file)}
            parts.append(part)
        return outcome_of(await self._server.do("POST", "/message/multipart", {**fields, "parts": parts}))

    async def _put(self, file: OutgoingFile) -> str:
        """Bring a file to the server, to be sent with others; nothing is sent yet."""
        form = file_form(file, field="attachment", filename=name_of(file))
        try:
            with reading():
                answer = await self._server.upload("/attachment/upload", form)
        except CallFailed as failure:
            raise NotSent(_not_begun(failure)) from None
        path = text(answer.message, "path", most=1024)
        if not answer.is_ok or path is None:
            outcome = outcome_of(answer)
            is_refusal = outcome.disposition in (Disposition.REJECTED, Disposition.NOT_STARTED)
            raise NotSent(outcome if is_refusal else not_started("upload_failed", answer.words))
        return path

    async def _send_file(self, piece: Piece, fields: dict[str, Any]) -> OperationOutcome:
        file = await self._open(piece)
        values = [(name, str(value)) for name, value in fields.items()]
        values += [("name", name_of(file)), ("isAudioMessage", "true" if piece.is_voice else "false")]
        form = file_form(file, field="attachment", filename=name_of(file), fields=values)
        with reading():
            return outcome_of(await self._server.upload("/message/attachment", form))

    async def _open(self, piece: Piece) -> OutgoingFile:
        file = await open_outgoing(self._files, piece.file_id, most_bytes=self._settings.most_file_bytes)
        return replace(file, filename=file.filename or "Audio Message.mp3") if piece.is_voice else file


def name_of(file: OutgoingFile) -> str:
    """How the Mac is to see a file."""
    return file.filename or "file"


def _not_begun(failure: CallFailed) -> OperationOutcome:
    """A question, or a file put down, without an answer: nothing was sent."""
    if failure.kind == "refused":
        return rejected("address_refused", failure.detail)
    return not_started("unreachable", failure.detail)
