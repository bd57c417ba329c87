"""Sends by imsg. Words are tracked where that works: their guid is the attempt id, so lost answers can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from bridge.chatdb.matching import comparable
from bridge.imsg.asking import chat_of, question_of, recipient_of
from bridge.imsg.effects import effect_id
from bridge.imsg.lane import SEND_SECONDS, Lane
from bridge.imsg.reading import found_at
from bridge.imsg.rpc import Refused, RpcFailed
from bridge.imsg.verdicts import is_lane_lost, outcome_of
from bridge.macos.file_folder import FileFolder, FileTooLarge
from bridge.macos.outcomes import accepted, not_started, rejected, unknown
from bridge.macos.requests import chat_key_of, parts_of, text_of, texts_of
from bridge.macos.sends import Expected, SentMemory
from bridge.quotes import guids_of
from hub.flow.ports import Clock, OutgoingFiles
from hub.model.errors import AttachmentGone, BlobMissing, StoreUnavailable
from hub.model.observation import Part
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome, SentPiece
from hub.rules.chatkeys import handle_of, normalize_chat_key

#: How much the clocks of the hub and of the Mac may differ.
_SLACK_MS: Final = 10_000
_STATUS: Final = "message.send_status"
_INVALID_PARAMS: Final = -32602
#: A message may yet come of it.
_OPEN: Final = frozenset({Disposition.MAY_HAVE_COMPLETED, Disposition.STILL_IN_FLIGHT})


class Sending:
    """Does operations."""

    def __init__(
        self,
        lane: Lane,
        folder: FileFolder | None,
        *,
        sent: SentMemory,
        files: OutgoingFiles,
        clock: Clock,
        most_bytes: int,
    ) -> None:
        self._lane = lane
        self._folder = folder
        self._sent = sent
        self._files = files
        self._clock = clock
        self._most_bytes = most_bytes

    async def perform(self, operation: Operation, *, methods: frozenset[str]) -> OperationOutcome:
        """Do it, with the methods that work now."""
        try:
            return await self._perform(operation, methods)
        except RpcFailed as error:
            return await self._failed(error)
        except (AttachmentGone, BlobMissing, FileTooLarge) as error:
            return rejected("file_unavailable", str(error))
        except StoreUnavailable as error:
            return not_started("files_away", str(error))
        except OSError as error:
            return not_started("file_not_staged", f"the folder of attachments cannot be written: {error}")

    async def _perform(self, operation: Operation, methods: frozenset[str]) -> OperationOutcome:
        if operation.kind is OperationKind.SEND:
            return await self._send(operation, methods)
        return await (self._check if operation.kind is OperationKind.CHECK else self._do)(operation)

    async def lookup(self, operation: Operation, *, methods: frozenset[str]) -> OperationOutcome:
        """Ask what became of a send."""
        parts = parts_of(operation)
        if operation.kind is not OperationKind.SEND or not parts:
            return unknown("not_found", "only sends can be looked for")
        try:
            known = self._sent.guid_of(operation.attempt_id)
            if _STATUS in methods:
                found = await self._state(known or operation.attempt_id)
                if found is not None:
                    return found if len(parts) == 1 else _of_first(found, parts[0][0])
            if len(parts) > 1 or parts[0][1].ref is not None:
                return unknown("not_found", "a file cannot be looked for")
            return await self._search(operation, parts[0][1].text or "")
        except RpcFailed as error:
            return unknown("imsg_unavailable", str(error))

    async def _failed(self, error: RpcFailed) -> OperationOutcome:
        if is_lane_lost(error):
            await self._lane.restart()
        return outcome_of(error)

    # ---- messages

    async def _send(self, operation: Operation, methods: frozenset[str]) -> OperationOutcome:
        parts = parts_of(operation)
        if chat_key_of(operation) is None or not parts:
            return rejected("empty", "there is nothing to send, or nobody to send it to")
        effect = text_of(operation, "effect")
        if effect is not None and effect_id(effect) is None:
            return rejected("unknown_effect", f"Messages has no effect {effect!r}")
        pieces: list[SentPiece] = []
        for index, (place, part) in enumerate(parts):
            expected = self._expected(operation, part, place - 1)
            self._sent.expect(expected)
            try:
                outcome = await self._send_part(operation, part, methods, is_first=index == 0)
            except RpcFailed as error:
                outcome = await self._failed(error)
            if outcome.disposition not in _OPEN:
                self._sent.settle(expected)
            if outcome.provider_id is not None:
                self._sent.note(outcome.provider_id, operation.attempt_id, part=place - 1)
            if outcome.disposition is not Disposition.ACCEPTED:
                return replace(outcome, parts_done=place - 1, part=place - 1, pieces=tuple(pieces))
            if outcome.provider_id is not None:
                pieces.append(SentPiece(guid=outcome.provider_id, part=place - 1, part_count=1))
        first = pieces[0].guid if pieces else None
        return replace(accepted(first, parts_done=parts[-1][0]), pieces=tuple(pieces))

    def _expected(self, operation: Operation, part: Part, place: int) -> Expected:
        """Give what the message will look like in chat.db, which may show it before imsg says which it is."""
        return Expected(
            attempt_id=operation.attempt_id,
            part=place,
            chat_key=chat_key_of(operation) or "",
            words=comparable(part.text or "") if part.ref is None else "",
            filename=part.ref,
            since_ms=self._clock.now_ms(),
            after_rowid=None,
        )

    async def _send_part(
        self, operation: Operation, part: Part, methods: frozenset[str], *, is_first: bool
    ) -> OperationOutcome:
        rich = _rich(operation) if is_first else {}
        path = await self._staged(part.ref) if part.ref is not None else None
        if path is not None and part.type == "audio":
            asked = {**chat_of(operation), "file": path, "audio": True}
            return _sent(await self._ask("send.attachment", asked))
        content = {"text": part.text or ""} if path is None else {"file": path}
        if rich:
            return _sent(await self._ask("send.rich", {**chat_of(operation), **content, **rich}))
        # The attempt's guid is one message's: only the first part of a whole send can have it.
        is_tracked = (
            path is None
            and is_first
            and not operation.payload.get("parts_done")
            and "send.tracked" in methods
        )
        if is_tracked and (outcome := await self._send_tracked(operation, content)) is not None:
            return outcome
        return _sent(await self._ask("send", {**recipient_of(operation), **content, **_service(operation)}))

    async def _send_tracked(
        self, operation: Operation, content: Mapping[str, str]
    ) -> OperationOutcome | None:
        """Send under the attempt's own guid; None where it takes a chat that is there already."""
        asked = {
            **recipient_of(operation),
            **content,
            "attempt_id": operation.attempt_id,
            "allow_sms_fallback": False,
        }
        try:
            return _sent(await self._ask("send.tracked", asked))
        except Refused as error:
            if _lacks_chat(error):
                return None
            if error.data.get("disposition") == "not_started":
                # It says so as well of an attempt that is there already: then it was sent before.
                return await self._state(operation.attempt_id) or outcome_of(error)
            raise

    async def _state(self, guid: str) -> OperationOutcome | None:
        """Ask for a message; None where nobody knows it."""
        answer = await self._lane.request(_STATUS, {"guid": guid})
        fields = answer.get("status_fields")
        if not isinstance(fields, dict):
            return None
        name = answer.get("guid")
        provider_id = name if isinstance(name, str) and name else guid
        match answer.get("send_state"):
            case "sent" | "delivered":
                return accepted(provider_id)
            case "failed":
                return rejected(
                    str(fields.get("error")), "Messages could not send it", provider_id=provider_id
                )
        return OperationOutcome(
            disposition=Disposition.STILL_IN_FLIGHT,
            provider_id=provider_id,
            code="pending",
            detail="not sent yet",
        )

    async def _search(self, operation: Operation, words: str) -> OperationOutcome:
        """Look for a send that was not tracked: by its words, its chat and its time."""
        answer = await self._lane.request("messages.search", {"query": words, "match": "exact", "limit": 50})
        listed = answer.get("messages")
        since = operation.dispatched_at - _SLACK_MS
        for message in reversed(listed) if isinstance(listed, list) else ():
            if not isinstance(message, dict) or message.get("is_from_me") is not True:
                continue
            guid, where = message.get("guid"), message.get("chat_guid") or message.get("chat_identifier")
            at = found_at(message, self._clock.now_ms())
            if not isinstance(guid, str) or not isinstance(where, str) or at is None or at < since:
                continue
            is_here = normalize_chat_key(where, is_group=message.get("is_group") is True) == chat_key_of(
                operation
            )
            is_free = self._sent.may_be(guid, operation.attempt_id, part=0) and guid not in operation.taken
            if is_here and is_free:
                self._sent.note(guid, operation.attempt_id, part=0)
                return accepted(guid)
        return unknown("not_found", "Messages does not show it, which is no proof")

    # ---- everything else

    async def _do(self, operation: Operation) -> OperationOutcome:
        if operation.kind is OperationKind.UNSEND:
            return await self._unsend(operation)
        file_id = text_of(operation, "file_id")
        path = await self._staged(file_id) if file_id is not None else None
        question = question_of(operation, path=path)
        if question is None:
            return rejected("unsupported", f"imsg cannot do: {operation.kind}")
        answer = await self._ask(question.method, question.params)
        if operation.kind is OperationKind.GROUP_CREATE:
            return _created(operation, answer)
        if operation.kind is OperationKind.POLL:
            if (guid := _guid(answer)) is not None:
                self._sent.note(guid, operation.attempt_id, part=0)
            return _polled(answer)
        return accepted(_guid(answer) if operation.kind is OperationKind.REACT else None)

    async def _unsend(self, operation: Operation) -> OperationOutcome:
        """Take back all messages of a send."""
        for guid in guids_of(operation.payload):
            one = replace(operation, payload={**operation.payload, "message_guid": guid})
            question = question_of(one, path=None)
            if question is None:
                return rejected("unsupported", f"imsg cannot do: {operation.kind}")
            await self._ask(question.method, question.params)
        return accepted()

    async def _check(self, operation: Operation) -> OperationOutcome:
        listed = texts_of(operation, "handles")
        single = text_of(operation, "handle") or handle_of(chat_key_of(operation) or "") or ""
        reach = {}
        for handle in listed or (single,):
            answer = await self._lane.request("handles.check", {"address": handle})
            # Whether a number takes SMS, nobody here knows.
            reach[handle] = {"imessage": answer.get("available") is True, "sms": None}
        return accepted(result={"handles": reach} if listed else {"handle": single, **reach[single]})

    async def _ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        return await self._lane.request(method, params, seconds=SEND_SECONDS)

    async def _staged(self, file_id: str) -> str:
        if self._folder is None:
            raise AttachmentGone("files cannot be sent to a Mac that is reached by ssh")
        return await self._folder.stage(self._files, file_id, most_bytes=self._most_bytes)


def _lacks_chat(error: Refused) -> bool:
    """Tell whether nothing was sent for want of a chat that is there already: others than tracked sends make one."""
    if error.code == _INVALID_PARAMS:
        return "existing chat" in error.message
    detail = str(error.data.get("detail", "")).lower()
    return error.data.get("disposition") == "not_started" and "chat not found" in detail


def _rich(operation: Operation) -> dict[str, str]:
    """Give what only `send.rich` takes."""
    effect, subject = text_of(operation, "effect"), text_of(operation, "subject")
    reply_to = text_of(operation, "reply_to_guid") or text_of(operation, "reply_to")
    named = {"effect": effect_id(effect) if effect else None, "subject": subject, "reply_to": reply_to}
    return {name: value for name, value in named.items() if value is not None}


def _service(operation: Operation) -> dict[str, Any]:
    """Keep to iMessage unless an SMS is allowed; a group has its own service."""
    if handle_of(chat_key_of(operation) or "") is None:
        return {}
    may_be_sms = operation.payload.get("allow_sms_fallback") is True
    return {"service": "auto", "allow_sms_fallback": True} if may_be_sms else {"service": "imessage"}


def _guid(answer: Mapping[str, Any]) -> str | None:
    name = answer.get("guid") or answer.get("message_id")
    return name if isinstance(name, str) and name else None


def _sent(answer: Mapping[str, Any]) -> OperationOutcome:
    guid = _guid(answer)
    if guid is None:
        return unknown("no_receipt", "imsg sent it, and cannot say which message it is")
    return accepted(guid)


def _created(operation: Operation, answer: Mapping[str, Any]) -> OperationOutcome:
    guid, message = answer.get("chat_guid"), answer.get("message_guid")
    if not isinstance(guid, str) or not guid:
        return unknown("no_receipt", "imsg made the group, and cannot say which it is")
    members = list(texts_of(operation, "participants"))
    return accepted(
        message if isinstance(message, str) and message else None,
        result={"chat_key": normalize_chat_key(guid, is_group=True), "participants": members},
    )


def _polled(answer: Mapping[str, Any]) -> OperationOutcome:
    guid, poll = _guid(answer), answer.get("poll")
    options = poll.get("options") if isinstance(poll, dict) else None
    if guid is None:
        return unknown("no_receipt", "imsg sent the poll, and cannot say which message it is")
    listed = [each for each in options if isinstance(each, dict)] if isinstance(options, list) else []
    return accepted(
        guid,
        result={
            "poll_guid": guid,
            "options": [{"id": each.get("id"), "text": each.get("text")} for each in listed],
        },
    )


def _of_first(found: OperationOutcome, place: int) -> OperationOutcome:
    """Say of the first part that is left what is known of it; the parts after it cannot be looked for."""
    if found.disposition is not Disposition.ACCEPTED or found.provider_id is None:
        return replace(found, parts_done=place - 1, part=place - 1)
    piece = SentPiece(guid=found.provider_id, part=place - 1, part_count=1)
    doubt = unknown("not_found", "not all parts can be looked for")
    return replace(doubt, parts_done=place, part=place, pieces=(piece,))
