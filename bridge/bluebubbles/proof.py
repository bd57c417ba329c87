"""Whether an attempt happened, by what the Mac shows: never by hope.

Proof of a send is an own message in that chat, not older than ten seconds before the hand-over, with the same words
(letters and digits compared, as the server itself does) or the same file, that is not another attempt's. Absence proves
nothing on such a server; only who has asked for it (`resend: after_quiet`) gets a send again, after three quiet minutes
on a healthy server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from bridge.bluebubbles.answers import ERROR_CODES, rejected, unknown
from bridge.bluebubbles.chats import handle_in, key_of, read_chat
from bridge.bluebubbles.content import words_of
from bridge.bluebubbles.knowledge import Knowledge
from bridge.bluebubbles.reactions import target_of
from bridge.bluebubbles.sending import Sending
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.shapes import JSON, mapping, mappings, number, text
from bridge.bluebubbles.state import ServerState
from bridge.bluebubbles.wire import Server, segment
from bridge.bluebubbles.wishes import Piece, places_left, wish_of
from bridge.outgoing_files import NotSent
from bridge.quotes import guids_of
from hub.flow.calling import CallFailed
from hub.flow.ports import Clock, OutgoingFiles
from hub.model.errors import AttachmentGone, StoreUnavailable
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome, SentPiece, outbox_id_of
from hub.rules.chatkeys import normalize_handle

_BEFORE_MS: Final = 10_000
QUIET_MS: Final = 180_000
_PAGE: Final = 200
_MOST_PAGES: Final = 10
_WITH: Final = ["chat", "chat.participants", "attachment", "attributed-body", "message-summary-info"]


class Proof:
    """Looks attempts up."""

    def __init__(
        self,
        server: Server,
        state: ServerState,
        knowledge: Knowledge,
        sending: Sending,
        *,
        settings: BlueBubblesSettings,
        files: OutgoingFiles,
        clock: Clock,
    ) -> None:
        self._server = server
        self._state = state
        self._knowledge = knowledge
        self._sending = sending
        self._settings = settings
        self._files = files
        self._clock = clock
        self._ways: dict[OperationKind, Callable[[Operation], Awaitable[OperationOutcome | None]]] = {
            OperationKind.EDIT: self._edit,
            OperationKind.GROUP_ADD: self._member,
            OperationKind.GROUP_CREATE: self._group,
            OperationKind.GROUP_REMOVE: self._member,
            OperationKind.GROUP_RENAME: self._name,
            OperationKind.REACT: self._react,
            OperationKind.SEND: self._send,
            OperationKind.UNSEND: self._unsend,
        }

    async def lookup(self, operation: Operation) -> OperationOutcome:
        """Say whether it happened."""
        way = self._ways.get(operation.kind)
        if way is None:
            return unknown("no_trace", "such an operation leaves no trace that could be looked for")
        try:
            return await way(operation) or await self._absent(operation)
        except CallFailed as failure:
            return unknown("unreachable", failure.detail)
        except NotSent as error:
            return unknown("unreachable", error.outcome.detail or "the server cannot be asked")

    async def _absent(self, operation: Operation) -> OperationOutcome:
        quiet_ms = self._clock.now_ms() - operation.dispatched_at
        is_asked_for = self._settings.resend == "after_quiet" and operation.kind is OperationKind.SEND
        if is_asked_for and quiet_ms >= QUIET_MS and (await self._state.health())[0] == "online":
            return OperationOutcome(
                disposition=Disposition.NOT_STARTED,
                code="not_found",
                detail=f"no trace after {quiet_ms // 1000} s on a healthy server",
                is_retry_safe=True,
                is_certain=True,  # so its owner has decided
            )
        return unknown("not_found", "the Mac shows no trace of it, which does not rule it out")

    async def _send(self, operation: Operation) -> OperationOutcome | None:
        wish = wish_of(operation, is_private=True)
        known = next(
            (
                guid
                for guid, each in self._knowledge.quotes.items()
                if each.attempt_id == operation.attempt_id
            ),
            None,
        )
        if known is not None and (len(wish.pieces) == 1 or wish.is_one_message):
            return _verdict([(await self._server.get(f"/message/{segment(known)}")).message])
        places = places_left(operation, wish)
        rows = await self._own_rows(operation, key_of(operation.payload))
        # One that was there before the hand-over may be another send of the same words: only in want of others.
        rows.sort(key=lambda row: (number(row, "dateCreated") or 0) < operation.dispatched_at)
        needles = [await self._needle(wish.pieces[place]) for place in places]
        if wish.is_one_message and (row := next((row for row in rows if _holds_all(row, needles)), None)):
            return _verdict([row])
        found: list[JSON] = []
        for needle in needles:
            row = next((row for row in rows if row not in found and _holds(row, needle)), None)
            if row is None:
                break
            found.append(row)
        return _of_parts(found, places)

    async def _needle(self, piece: Piece) -> _Needle:
        if piece.text is not None:
            return _Needle(words=piece.text)
        try:
            opened = await self._files.open_file(piece.file_id or "")
        except (AttachmentGone, StoreUnavailable):
            return _Needle(is_voice=piece.is_voice)
        return _Needle(filename=opened.filename, size=opened.size, is_voice=piece.is_voice)

    async def _react(self, operation: Operation) -> OperationOutcome | None:
        payload = operation.payload
        name = text(payload, "type") or "love"
        wanted = f"-{name}" if payload.get("remove") is True else name
        target = text(payload, "message_guid", most=512)
        for row in await self._own_rows(operation, None):
            if row.get("associatedMessageType") == wanted and target_of(row) == target:
                return _verdict([row])
        return None

    async def _edit(self, operation: Operation) -> OperationOutcome | None:
        row = await self._target(operation)
        is_newer = (number(row, "dateEdited") or 0) >= operation.dispatched_at - _BEFORE_MS
        is_so = is_newer and _same(words_of(row), text(operation.payload, "text") or "")
        return _verdict([row]) if is_so else None

    async def _unsend(self, operation: Operation) -> OperationOutcome | None:
        rows = [await self._row(guid) for guid in guids_of(operation.payload)]
        is_so = all(number(row, "partCount") == 0 and number(row, "dateEdited") for row in rows)
        return _verdict(rows) if rows and is_so else None

    async def _target(self, operation: Operation) -> JSON:
        return await self._row(text(operation.payload, "message_guid", most=512) or "")

    async def _row(self, guid: str) -> JSON:
        answer = await self._server.get(f"/message/{segment(guid)}")
        return answer.message if answer.is_ok else {}

    async def _name(self, operation: Operation) -> OperationOutcome | None:
        is_so = (await self._chat(operation)).get("displayName") == operation.payload.get("name")
        return OperationOutcome(disposition=Disposition.ACCEPTED) if is_so else None

    async def _member(self, operation: Operation) -> OperationOutcome | None:
        chat = await self._chat(operation)
        people = {handle_in(each) for each in mappings(chat.get("participants"))}
        is_in = normalize_handle(text(operation.payload, "handle") or "") in people
        is_so = bool(people) and is_in == (operation.kind is OperationKind.GROUP_ADD)
        return OperationOutcome(disposition=Disposition.ACCEPTED) if is_so else None

    async def _group(self, operation: Operation) -> OperationOutcome | None:
        given = operation.payload.get("participants")
        wanted = {normalize_handle(str(each)) for each in given} if isinstance(given, list | tuple) else set()
        words = text(operation.payload, "text") or ""
        for row in await self._own_rows(operation, None):
            chats = mappings(row.get("chats"))
            chat = read_chat(chats[0]) if chats else None
            if chat is not None and set(chat.participants) == wanted and _same(words_of(row), words):
                result: dict[str, Any] = {"chat_key": chat.key, "participants": list(chat.participants)}
                guid = text(row, "guid", most=512)
                return OperationOutcome(disposition=Disposition.ACCEPTED, provider_id=guid, result=result)
        return None

    async def _chat(self, operation: Operation) -> JSON:
        guid = await self._sending.chat_guid(operation)
        answer = await self._server.get(f"/chat/{segment(guid or '')}", {"with": "participants"})
        return mapping(answer.data) if answer.is_ok else {}

    async def _own_rows(self, operation: Operation, chat_key: str | None) -> list[JSON]:
        """Our own messages since the hand-over, in a chat or anywhere, that are not another attempt's."""
        rows: list[JSON] = []
        for page in range(_MOST_PAGES):
            body = {
                "with": _WITH,
                "after": max(0, operation.dispatched_at - _BEFORE_MS),
                "sort": "ASC",
                "limit": _PAGE,
                "offset": page * _PAGE,
            }
            answer = await self._server.query("/message/query", body)
            if not answer.is_ok:
                raise CallFailed("unknown", answer.words or f"the server answered {answer.status}")
            found = mappings(answer.data)
            rows += (row for row in found if self._may_be(row, operation, chat_key))
            if len(found) < _PAGE:
                break
        return rows

    def _may_be(self, row: JSON, operation: Operation, chat_key: str | None) -> bool:
        guid = text(row, "guid", most=512)
        if row.get("isFromMe") is not True or guid is None or guid in operation.taken:
            return False
        if (number(row, "dateCreated") or 0) < operation.dispatched_at - _BEFORE_MS:
            return False
        quote = self._knowledge.quotes.get(guid)
        named = None if quote is None else quote.attempt_id
        if outbox_id_of(named) is not None and named != operation.attempt_id:
            return False
        chats = mappings(row.get("chats"))
        chat = read_chat(chats[0]) if chats else None
        return chat_key is None or (chat is not None and chat.key == chat_key)


class _Needle:
    """What a message must hold to be the one."""

    def __init__(
        self,
        *,
        words: str | None = None,
        filename: str | None = None,
        size: int | None = None,
        is_voice: bool = False,
    ) -> None:
        self.words = words
        self.filename = filename
        self.size = size
        self.is_voice = is_voice

    def is_in(self, files: Iterable[JSON]) -> bool:
        if self.is_voice:  # it was made into another format under another name
            return any(str(each.get("mimeType") or "audio/").startswith("audio/") for each in files)
        return any(
            (self.filename is not None and each.get("transferName") == self.filename)
            or (self.size is not None and number(each, "totalBytes") == self.size)
            for each in files
        )


def _holds(row: JSON, needle: _Needle) -> bool:
    if needle.words is not None:
        return _same(words_of(row), needle.words)
    return needle.is_in(mappings(row.get("attachments")))


def _holds_all(row: JSON, needles: list[_Needle]) -> bool:
    words = "".join(needle.words for needle in needles if needle.words is not None)
    files = mappings(row.get("attachments"))
    return _same(words_of(row), words) and all(
        needle.is_in(files) for needle in needles if needle.words is None
    )


def _same(shown: str, sent: str) -> bool:
    """Compare letters and digits, for the network changes quotes and dashes; without any, all that is there."""
    a, b = ["".join(filter(str.isalnum, each)) for each in (shown, sent)]
    return a == b if a or b else "".join(shown.split()) == "".join(sent.split())


def _of_parts(found: list[JSON], places: Sequence[int]) -> OperationOutcome | None:
    """Say what the messages that were found, of the first of these parts on, prove of a send."""
    verdict = _verdict(found)
    if verdict is None or len(places) < 2:
        return verdict
    good = [row for row in found if not number(row, "error")]
    pieces = tuple(
        SentPiece(guid=guid, part=place, part_count=1)
        for row, place in zip(found, places, strict=False)
        if row in good and (guid := text(row, "guid", most=512)) is not None
    )
    if len(good) == len(places):
        return replace(verdict, pieces=pieces, parts_done=places[-1] + 1)
    part = places[next((index for index, row in enumerate(found) if row not in good), len(found))]
    if len(good) == len(found):
        verdict = unknown("partly_found", f"the Mac shows {len(found)} of its {len(places)} messages")
    return replace(verdict, pieces=pieces, parts_done=part, part=part)


def _verdict(rows: list[JSON]) -> OperationOutcome | None:
    guid = text(rows[0], "guid", most=512) if rows else None
    if guid is None:
        return None
    for row in rows:
        if code := number(row, "error"):
            return rejected(str(code), ERROR_CODES.get(code, "the network refused it"), provider_id=guid)
    return OperationOutcome(disposition=Disposition.ACCEPTED, provider_id=guid)
