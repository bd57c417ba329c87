"""A key at messages.dev: what the bridge asks of it, and what its webhooks say (contracts: messages.dev).

Every write is an item of the vendor's outbox; which message it became, its list tells.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from bridge.checkups import State
from bridge.http_api import accepted, rejected, unknown
from bridge.list_reading import Lists, is_since
from bridge.sent_words import sent_words
from bridge.taming import handle_in, id_in, list_in, mapping_in, tame
from bridge.vendors.account import MOST_PAGES, Act, Listed, VendorRefused, tell_cut, trouble_of
from bridge.vendors.examining import Hook, account_finding, lacking, line_findings, webhook_findings
from bridge.vendors.hooks import BAD_SIGNATURE, STALE, Told, is_current, is_signed, not_taken
from bridge.vendors.messages_dev.errors import FAULTS
from bridge.vendors.messages_dev.reading import (
    EVENTS,
    REACTIONS,
    is_out,
    listed,
    read_message,
    read_reaction,
)
from bridge.vendors.messages_dev.settings import MessagesDevSettings
from bridge.vendors.numbers import ms_in
from bridge.vendors.operations import place_of, text_of
from bridge.vendors.vendor_api import VendorApi, not_uploaded
from hub.flow.bridge_kinds import Finding, HookRequest, Surroundings
from hub.flow.calling import CallFailed, StreamedBody
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome
from hub.model.refused import Origin
from hub.rules.chatkeys import normalize_handle

log = structlog.get_logger("bridge.vendors")

TITLE: Final = "messages.dev"
_ABLE: Final = frozenset({"attachments", "audio", "react_std", "read_out", "reply", "text", "typing_out"})
_PAGE: Final = 100
#: How long the end of an item is waited for; later look-ups go on with it.
WAITS_SECONDS: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
_MOST_KNOWN: Final = 10_000


class MessagesDevAccount:
    """bridge.vendors.account.Account."""

    title = TITLE
    able = _ABLE

    def __init__(self, settings: MessagesDevSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._around = surroundings
        self._lists = Lists(surroundings.refuse)
        self._api = VendorApi(TITLE, surroundings, url=settings.api_url, api_key=settings.api_key)
        #: Attempt → item of the vendor's outbox.
        self._items: OrderedDict[str, str] = OrderedDict()
        #: (line, chat) → the chat as it was listed.
        self._chats: OrderedDict[tuple[str, str], Mapping[str, Any]] = OrderedDict()

    @property
    def acts(self) -> Mapping[OperationKind, Act]:
        return {
            OperationKind.REACT: self._react,
            OperationKind.READ: self._read,
            OperationKind.SEND: self._send,
            OperationKind.TYPING: self._type,
        }

    async def _send(self, operation: Operation) -> OperationOutcome:
        said = sent_words(operation.payload)
        is_voice = any(part.type == "audio" for part in said.files)
        if len(said.files) > 1 or (is_voice and said.text):
            return rejected("too_many_parts", "One message has words and one file, or one voice memo alone.")
        body: dict[str, Any] = {"from": operation.line_handle, "to": place_of(operation)}
        if said.text is not None:
            body["text"] = said.text
        for part in said.files:
            file_id = await self._upload(part.ref or "")
            if isinstance(file_id, OperationOutcome):
                return file_id
            body |= {"audio_message": file_id} if is_voice else {"attachments": [file_id]}
        parent = text_of(operation.payload, "reply_to_guid")
        if parent is not None:
            body["reply_to"] = parent
        answer = await self._api.do("POST", "/v1/audio-messages" if is_voice else "/v1/messages", body)
        if not answer.is_good:
            return FAULTS.verdict(answer, may_repeat=False)
        item = id_in(answer.body.get("id"))
        if item is None:
            return unknown("unreadable_answer", "messages.dev took it and named no item.")
        self._items[operation.attempt_id] = item
        while len(self._items) > _MOST_KNOWN:
            self._items.popitem(last=False)
        return await self._ended(operation, item)

    async def _upload(self, file_id: str) -> str | OperationOutcome:
        file = await self._api.open_file(file_id)
        name = (file.filename or "").encode("ascii", "ignore").replace(b"\r", b"").replace(b"\n", b"")
        answer = await self._api.upload(
            "/v1/files",
            StreamedBody(size=file.size, pieces=file.chunks),
            content_type=file.mime_type or "application/octet-stream",
            more=((b"X-Filename", name),) if name else (),
        )
        named = id_in(answer.body.get("id")) if answer.is_good else None
        if named is not None:
            return named
        return not_uploaded("no id came back") if answer.is_good else FAULTS.verdict(answer, may_repeat=True)

    async def _ended(self, operation: Operation, item: str) -> OperationOutcome:
        """Wait for the end of a send; the item is taken, so whatever fails now is no reason to send again."""
        for seconds in WAITS_SECONDS:
            await self._around.sleep(seconds)
            try:
                outcome = await self._item(operation, item)
            except (CallFailed, VendorRefused):
                continue
            if outcome.disposition is not Disposition.STILL_IN_FLIGHT:
                return outcome
        return _under_way()

    async def _item(self, operation: Operation, item: str) -> OperationOutcome:
        """Say how an item of a send stands."""
        answer = await self._api.ask("/v1/outbox", id=item)
        status = answer.body.get("status")
        if answer.is_good and status == "failed":
            return rejected("failed", tame(answer.body.get("error"), 500) or "messages.dev gives no reason.")
        if answer.is_good and status == "sent":
            page = await self._latest(operation)
            mine = next((each for each in page if each.get("outbox_id") == item), None)
            guid = None if mine is None else id_in(mine.get("guid"))
            if guid is not None:
                return accepted(guid)
        return _under_way()

    async def known(self, operation: Operation) -> OperationOutcome | None:
        item = self._items.get(operation.attempt_id)
        if item is None:
            return None
        outcome = await self._item(operation, item)
        # The narrower messages of the vendor may not name the item: then words and time tell.
        return None if outcome.disposition is Disposition.STILL_IN_FLIGHT else outcome

    async def sent_to(self, operation: Operation) -> Sequence[Listed]:
        shown = await self._latest(operation)
        ours = (each for each in shown if each.get("is_from_me") is True and is_out(each))
        return self._lists.search(ours, listed, named="guid")

    async def _latest(self, operation: Operation) -> list[Mapping[str, Any]]:
        """List the latest messages of the operation's chat; none of one that is not there yet."""
        query = _query(operation.line_handle, to=place_of(operation), limit=_PAGE)
        page = await self._api.find("/v1/messages", **query)
        return self._lists.entries((page or {}).get("data"), origin=Origin.BACKFILL)

    async def _react(self, operation: Operation) -> OperationOutcome:
        if operation.payload.get("remove"):
            return rejected("unsupported", "messages.dev cannot take a reaction back.")
        body = {
            "message_id": text_of(operation.payload, "message_guid") or "",
            "type": text_of(operation.payload, "type") or "love",
        }
        return await self._do("/v1/reactions", operation, body)

    async def _read(self, operation: Operation) -> OperationOutcome:
        return await self._do("/v1/receipts", operation, {})

    async def _type(self, operation: Operation) -> OperationOutcome:
        state = "off" if operation.payload.get("state") == "off" else "on"
        return await self._do("/v1/typing", operation, {"state": state})

    async def _do(self, path: str, operation: Operation, body: Mapping[str, Any]) -> OperationOutcome:
        whole = {"from": operation.line_handle, "to": place_of(operation), **body}
        answer = await self._api.do("POST", path, whole)
        return accepted() if answer.is_good else FAULTS.verdict(answer, may_repeat=True)

    async def state(self) -> State:
        answer = await self._api.ask("/v1/lines")
        trouble = trouble_of(TITLE, answer)
        if trouble is not None:
            return trouble
        active = [each for each in map(mapping_in, list_in(answer.body.get("data"))) if each.get("is_active")]
        return ("online", None) if active else ("offline", "messages.dev says that no line is active.")

    async def news(self, since_ms: int) -> Sequence[tuple[Observation, ...]]:
        found: list[tuple[Observation, ...]] = []
        for line in self._around.lines():
            try:
                for chat in await self._chats_since(line, since_ms):
                    found += await self._news_of(line, chat, since_ms)
            except VendorRefused as error:
                if error.answer.status != 403:
                    raise
                # The key may be for other lines only: these must be read all the same.
                log.warning(
                    "vendor.line_unread", vendor=TITLE, error=str(error), reason="line_not_accessible"
                )
        return sorted(found, key=lambda message: message[0].at)

    async def _news_of(
        self, line: str, chat: Mapping[str, Any], since_ms: int
    ) -> list[tuple[Observation, ...]]:
        seen: list[tuple[Observation, ...]] = []
        cursor: str | None = None
        chat_id = id_in(chat.get("id"))
        if chat_id is None:
            self._lists.pass_over(chat, "a chat names no id")
            return seen
        for _ in range(MOST_PAGES):
            # A chat that is gone since it was listed must not keep the others from being read.
            page = (
                await self._api.find("/v1/messages", **_query(line, to=chat_id, limit=_PAGE, cursor=cursor))
                or {}
            )
            messages = self._lists.entries(page.get("data"))
            fresh = (each for each in messages if is_since(ms_in(each.get("sent_at")), since_ms))
            told = (self._listed(each, chat, line) for each in fresh)
            seen += [(each,) for each in told if each is not None]
            cursor = tame(page.get("next_cursor"), 4096) if page.get("has_more") is True else None
            oldest = min((ms_in(each.get("sent_at")) or 0 for each in messages), default=0)
            if cursor is None or oldest < since_ms:
                break
        else:
            tell_cut(TITLE)
        return seen

    def _listed(self, message: Mapping[str, Any], chat: Mapping[str, Any], line: str) -> Observation | None:
        seen = read_message(message, chat, line)
        if seen is None and is_out(message):
            named = id_in(message.get("guid"))
            self._lists.pass_over(message, "it does not say who wrote what, when or where", named=named)
        return seen

    async def _chats_since(self, line: str, since_ms: int) -> list[Mapping[str, Any]]:
        chats: list[Mapping[str, Any]] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            # A line that the account has not, or no more, must not keep the others from being read.
            page = await self._api.find("/v1/chats", **_query(line, limit=_PAGE, cursor=cursor)) or {}
            found = self._lists.entries(page.get("data"))
            fresh = [each for each in found if (ms_in(each.get("last_message_at")) or since_ms) >= since_ms]
            chats += fresh
            cursor = tame(page.get("next_cursor"), 4096) if page.get("has_more") is True else None
            if cursor is None or len(fresh) < len(found):
                break
        else:
            tell_cut(TITLE)
        return chats

    async def _chat(self, line: str, chat_id: str) -> Mapping[str, Any]:
        """Give a chat, which messages name by its id only; an empty one where the account has none such."""
        known = self._chats.get((line, chat_id))
        cursor: str | None = None
        for _ in range(0 if known else MOST_PAGES):
            page = await self._api.find("/v1/chats", **_query(line, limit=_PAGE, cursor=cursor)) or {}
            found = self._lists.entries(page.get("data"), origin=Origin.BACKFILL)
            known = next((each for each in found if each.get("id") == chat_id), None)
            cursor = tame(page.get("next_cursor"), 4096) if page.get("has_more") is True else None
            if known is not None or cursor is None:
                break
        if known:
            self._chats[line, chat_id] = known
        while len(self._chats) > _MOST_KNOWN:
            self._chats.popitem(last=False)
        return known or {}

    async def told(self, body: Mapping[str, Any], now_ms: int) -> Told:
        """Read a webhook's delivery."""
        del now_ms
        event, data = tame(body.get("event"), 64) or "what has no name", mapping_in(body.get("data"))
        line, chat_id = handle_in(data.get("line_handle")), id_in(data.get("chat_id"))
        if event not in EVENTS | REACTIONS:
            return not_taken(event)
        if line is None or chat_id is None:
            return "it names no line or no chat"
        line = normalize_handle(line)
        if line not in self._around.lines():
            return "its line is none of the bridge's"  # the key may not ask about it
        chat = await self._chat(line, chat_id)
        if event in EVENTS:
            seen = read_message(data, chat, line)
        else:
            target = await self._guid(line, chat_id, id_in(data.get("message_id")))
            if target is None:
                return "its message is not among the latest of its chat"
            seen = read_reaction(data, chat=chat, target=target, line=line)
        return "it does not say who wrote what" if seen is None else (seen,)

    async def _guid(self, line: str, chat_id: str, message_id: str | None) -> str | None:
        """Give the GUID of a message that a reaction names by the vendor's id."""
        page = await self._api.find("/v1/messages", **_query(line, to=chat_id, limit=_PAGE)) or {}
        found = self._lists.entries(page.get("data"), origin=Origin.BACKFILL)
        return next((id_in(each.get("guid")) for each in found if each.get("id") == message_id), None)

    async def examine(self) -> Sequence[Finding]:
        state = await self.state()
        if state[0] != "online":
            return (account_finding(state),)
        lines = [mapping_in(each) for each in list_in((await self._api.show("/v1/lines")).get("data"))]
        hooks: list[Hook] = []
        for line in self._around.lines():
            page = await self._api.show("/v1/webhooks", **_query(line))
            shown = [mapping_in(each) for each in list_in(page.get("data"))]
            hooks += [
                Hook(url=str(each.get("url")), trouble=lacking(each.get("events"), EVENTS | REACTIONS))
                for each in shown
                if each.get("is_active")
            ]
        return (
            account_finding(state),
            *line_findings(
                self._around, {str(each.get("handle")): bool(each.get("is_active")) for each in lines}, TITLE
            ),
            *webhook_findings(
                self._around,
                secret=self._settings.webhook_secret,
                hooks=hooks,
                poll_seconds=self._settings.poll_seconds,
            ),
        )


def check(secret: bytes, request: HookRequest, body: Mapping[str, Any], now_ms: int) -> str | None:
    """Verify `X-Webhook-Signature`: the secret as it is signs `{timestamp of the body}.{body}`, hex without prefix."""
    at = ms_in(body.get("timestamp"))
    signature = request.headers.get("x-webhook-signature", "")
    if at is None or not is_signed(secret, b"%d.%b" % (at, request.body), signature):
        return BAD_SIGNATURE
    return None if is_current(at, now_ms) else STALE


def _query(line: str, **more: str | int | None) -> dict[str, str | int | None]:
    """Name the line in a query: `from` is no name of Python's."""
    return {"from": line, **more}


def _under_way() -> OperationOutcome:
    return OperationOutcome(
        disposition=Disposition.STILL_IN_FLIGHT,
        code="waits_at_vendor",
        detail="messages.dev has taken it and has not sent it yet.",
    )
