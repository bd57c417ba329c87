"""Send by AppleScript, and believe only chat.db: a send counts once its row is there and shows no error.

One message a part. Whatever hangs, or ends without a row, may have been sent: it is looked for again, never repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from bridge.chatdb.applescript import Errand, Ran, Verdict, run_script
from bridge.chatdb.database import ChatDatabase, Unreadable
from bridge.chatdb.matching import SLACK_MS, comparable, is_ghost, matches
from bridge.chatdb.reading import Reading
from bridge.chatdb.rows import MessageRow
from bridge.macos.apple_time import unix_ms
from bridge.macos.file_folder import FileFolder, FileTooLarge
from bridge.macos.outcomes import accepted, not_started, rejected, unknown
from bridge.macos.requests import chat_key_of, parts_of
from bridge.macos.sends import Expected, SentMemory
from hub.flow.ports import Clock, OutgoingFiles
from hub.model.errors import AttachmentGone, BlobMissing, StoreUnavailable
from hub.model.observation import Part
from hub.model.outbox import Disposition, Operation, OperationOutcome, SentPiece
from hub.rules.chatkeys import handle_of

#: How long the script may take. Together with the wait for the row it stays below the hub's own limit (180 s).
SCRIPT_SECONDS: Final = 60.0
#: How long the row of a message is waited for.
TEXT_SECONDS: Final = 45.0
FILE_SECONDS: Final = 100.0
#: After a script that failed midway.
_DOUBT_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.25
#: A row without an error is believed when it says "sent", or after this time.
_SETTLED_SECONDS: Final = 3.0
#: An empty row in no chat that stays so long is a ghost.
_GHOST_SECONDS: Final = 8.0
_MOST_ROWS: Final = 200
#: Refusals that say: certainly not sent, for it is not on iMessage.
_NOT_ON_IMESSAGE: Final = frozenset({"22", "chat_not_found"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a message goes, by the ways that are tried one after the other."""

    chat_key: str
    #: (route, target) of bridge.chatdb.applescript.
    routes: tuple[tuple[str, str], ...]


class Sending:
    """Sends.

    Args:
        osascript: The interpreter of the script.
        most_bytes: The largest file.
        has_sms: An iPhone relays SMS for this Mac.
    """

    def __init__(
        self,
        reading: Reading,
        folder: FileFolder,
        *,
        sent: SentMemory,
        files: OutgoingFiles,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]],
        osascript: Sequence[str],
        most_bytes: int,
        has_sms: bool,
    ) -> None:
        self._reading = reading
        self._folder = folder
        self._sent = sent
        self._files = files
        self._clock = clock
        self._sleep = sleep
        self._osascript = tuple(osascript)
        self._most_bytes = most_bytes
        self._has_sms = has_sms

    async def send(self, operation: Operation) -> OperationOutcome:
        """Send what is left to send."""
        try:
            target = await self._target(operation)
        except Unreadable as error:
            return not_started("database_unreadable", str(error))
        parts = parts_of(operation)
        if target is None:
            return rejected("chat_not_found", "Messages on this Mac has no such chat")
        if not parts:
            return rejected("empty", "there is nothing to send")
        pieces: list[SentPiece] = []
        for place, part in parts:
            outcome = await self._send_part(operation, target, part, place - 1)
            if outcome.disposition is not Disposition.ACCEPTED:
                return _at_part(outcome, place - 1, pieces)
            if outcome.provider_id is not None:
                pieces.append(SentPiece(guid=outcome.provider_id, part=place - 1, part_count=1))
        return replace(accepted(pieces[0].guid, parts_done=parts[-1][0]), pieces=tuple(pieces))

    async def lookup(self, operation: Operation) -> OperationOutcome:
        """Look whether an earlier attempt is in chat.db."""
        chat_key, parts = chat_key_of(operation), parts_of(operation)
        if chat_key is None or not parts:
            return unknown("not_found", "there is nothing to look for")
        pieces: list[SentPiece] = []
        for place, part in parts:
            expected = await self._expected_again(operation, chat_key, part, place - 1)
            taken = operation.taken | {piece.guid for piece in pieces}
            try:
                row = await self._reading.run(partial(self._find, expected, taken))
            except Unreadable as error:
                return unknown("database_unreadable", str(error))
            if row is None:
                doubt = unknown("not_found", "chat.db does not show it, which is no proof")
                return _at_part(doubt, place - 1, pieces)
            self._sent.note(row.guid, operation.attempt_id, part=place - 1)
            if row.error:
                return _at_part(_failed(row), place - 1, pieces)
            pieces.append(SentPiece(guid=row.guid, part=place - 1, part_count=1))
        return replace(accepted(pieces[0].guid, parts_done=parts[-1][0]), pieces=tuple(pieces))

    async def _target(self, operation: Operation) -> Target | None:
        chat_key = chat_key_of(operation)
        if chat_key is None:
            return None
        handle = handle_of(chat_key)
        names = (chat_key,) if handle is None else (handle,)
        chats = await self._reading.run(lambda database: database.chats_named(names))
        guids = [chat.guid for chat in chats if chat.is_group == (handle is None)]
        if handle is not None:
            # A chat's guid begins with `any` on macOS 26, and scripts take that ill: the contact first.
            return Target(
                chat_key=chat_key, routes=(("buddy", handle), *(("chat", guid) for guid in guids[:2]))
            )
        spelt = [*guids, *(f"iMessage{guid[3:]}" for guid in guids if guid.startswith("any;"))]
        return (
            Target(chat_key=chat_key, routes=tuple(("chat", guid) for guid in spelt[:3])) if spelt else None
        )

    async def _send_part(
        self, operation: Operation, target: Target, part: Part, place: int
    ) -> OperationOutcome:
        try:
            kind, content = await self._content(part)
            after = await self._reading.run(ChatDatabase.highest_ever)
        except (AttachmentGone, BlobMissing, FileTooLarge) as error:
            return rejected("file_unavailable", str(error))
        except StoreUnavailable as error:
            return not_started("files_away", str(error))
        except Unreadable as error:
            return not_started("database_unreadable", str(error))
        except OSError as error:
            return not_started("file_not_staged", f"the folder of attachments cannot be written: {error}")
        expected = Expected(
            attempt_id=operation.attempt_id,
            part=place,
            chat_key=target.chat_key,
            words="" if kind == "file" else comparable(content),
            filename=content.rpartition("/")[2] if kind == "file" else None,
            since_ms=self._clock.now_ms(),
            after_rowid=after,
            is_tentative=self._may_be_sms(operation, target, kind),
        )
        outcome = await self._try_routes(target, kind, content, expected, service="iMessage")
        is_refused = outcome.disposition is Disposition.REJECTED and outcome.code in _NOT_ON_IMESSAGE
        if is_refused and expected.is_tentative:
            if outcome.provider_id is not None:
                self._sent.disown(outcome.provider_id)
            outcome = await self._send_as_sms(target, content, expected)
        return outcome

    async def _send_as_sms(self, target: Target, content: str, refused: Expected) -> OperationOutcome:
        try:
            after = await self._reading.run(ChatDatabase.highest_ever)
        except Unreadable as error:
            return not_started("database_unreadable", str(error))
        # Above the row of what was refused, which would be found again.
        expected = replace(refused, after_rowid=after, is_tentative=False)
        return await self._try_routes(target, "text", content, expected, service="SMS")

    async def _try_routes(
        self, target: Target, kind: str, content: str, expected: Expected, *, service: str
    ) -> OperationOutcome:
        self._sent.expect(expected)
        outcome = await self._run_routes(target, kind, content, expected, service=service)
        if outcome.disposition is not Disposition.MAY_HAVE_COMPLETED:
            self._sent.settle(expected)
        return outcome

    async def _content(self, part: Part) -> tuple[str, str]:
        if part.type == "text" or part.ref is None:
            return "text", part.text or ""
        return "file", await self._folder.stage(self._files, part.ref, most_bytes=self._most_bytes)

    def _may_be_sms(self, operation: Operation, target: Target, kind: str) -> bool:
        is_allowed = self._has_sms and operation.payload.get("allow_sms_fallback") is True
        return is_allowed and kind == "text" and handle_of(target.chat_key) is not None

    async def _run_routes(
        self, target: Target, kind: str, content: str, expected: Expected, *, service: str
    ) -> OperationOutcome:
        """Try one route after the other, as long as each has certainly sent nothing."""
        routes = target.routes if service == "iMessage" else target.routes[:1]
        ran = Ran(verdict=Verdict.UNKNOWN_TARGET, code="chat_not_found")
        for route, name in routes:
            errand = Errand(route=route, target=name, service=service, kind=kind, content=content)
            ran = await run_script(self._osascript, errand, seconds=SCRIPT_SECONDS, sleep=self._sleep)
            if ran.verdict is not Verdict.UNKNOWN_TARGET:
                break
        detail = ran.detail or "it failed"
        match ran.verdict:
            case Verdict.UNKNOWN_TARGET:
                return rejected("chat_not_found", detail)
            case Verdict.DENIED | Verdict.NOT_STARTED:
                return not_started(ran.code or "not_started", detail)
            case Verdict.MAY_HAVE_SENT if ran.code == "timeout":
                return unknown("timeout", detail)
            case Verdict.MAY_HAVE_SENT:
                return await self._confirm(expected, seconds=_DOUBT_SECONDS, code=ran.code or "applescript")
        seconds = FILE_SECONDS if kind == "file" else TEXT_SECONDS
        return await self._confirm(expected, seconds=seconds, code="not_confirmed")

    async def _confirm(self, expected: Expected, *, seconds: float, code: str) -> OperationOutcome:
        """Wait for the row."""
        began, seen_at = self._clock.now_ms(), None
        while True:
            waited = (self._clock.now_ms() - began) / 1000
            try:
                row = await self._reading.run(partial(self._find, expected, frozenset()))
                has_ghost = row is None and await self._reading.run(partial(_has_ghost, expected))
            except Unreadable as error:
                return unknown("database_unreadable", str(error))
            if row is not None:
                seen_at = waited if seen_at is None else seen_at
                if not row.error or not expected.is_tentative:
                    # A failure is this part's, too, unless another message takes its place.
                    self._sent.note(row.guid, expected.attempt_id, part=expected.part)
                if row.error:
                    return _failed(row)
                if row.is_sent is not False or row.is_delivered or waited - seen_at >= _SETTLED_SECONDS:
                    return accepted(row.guid)
            elif has_ghost and waited >= _GHOST_SECONDS:
                return rejected(
                    "ghost_row",
                    "Messages made an empty SMS and sent nothing (macOS 26); open the chat on the Mac once",
                )
            if waited >= seconds and row is None:
                return unknown(code, "the script ended, and chat.db does not show the message")
            await self._sleep(_LOOK_SECONDS)

    def _find(self, expected: Expected, taken: frozenset[str], database: ChatDatabase) -> MessageRow | None:
        rows = database.own_since(
            after=expected.after_rowid or 0, since_ms=expected.since_ms - SLACK_MS, limit=_MOST_ROWS
        )
        found = [row for row in rows if row.guid not in taken and self._may_be(expected, row)]
        if expected.after_rowid is None:
            # One from before the hand-over may be another send of the same words: only in want of others.
            found.sort(key=lambda row: (unix_ms(row.date) or 0) < expected.since_ms)
        return next(iter(found), None)

    def _may_be(self, expected: Expected, row: MessageRow) -> bool:
        is_free = self._sent.may_be(row.guid, expected.attempt_id, part=expected.part)
        return is_free and matches(expected, row)

    async def _expected_again(self, operation: Operation, chat_key: str, part: Part, place: int) -> Expected:
        """Give what an earlier attempt is known by: as it was noted then, or by its time."""
        words = comparable(part.text or "") if part.ref is None else ""
        for expected in self._sent.expected:
            if (expected.attempt_id, expected.part) == (operation.attempt_id, place):
                return expected
        return Expected(
            attempt_id=operation.attempt_id,
            part=place,
            chat_key=chat_key,
            words=words,
            filename=None if part.ref is None else await self._filename(part.ref),
            since_ms=operation.dispatched_at,
            after_rowid=None,
        )

    async def _filename(self, file_id: str) -> str:
        try:
            return self._folder.name_for((await self._files.open_file(file_id)).filename)
        except (AttachmentGone, BlobMissing, StoreUnavailable):
            return ""


def _at_part(outcome: OperationOutcome, part: int, pieces: Sequence[SentPiece]) -> OperationOutcome:
    """Say of which part an outcome is, with what became of those before it."""
    return replace(outcome, parts_done=part, part=part, pieces=tuple(pieces))


def _failed(row: MessageRow) -> OperationOutcome:
    return rejected(str(row.error), "Messages could not send it", provider_id=row.guid)


def _has_ghost(expected: Expected, database: ChatDatabase) -> bool:
    rows = database.own_since(
        after=expected.after_rowid or 0, since_ms=expected.since_ms - SLACK_MS, limit=_MOST_ROWS
    )
    return any(is_ghost(row) for row in rows)
