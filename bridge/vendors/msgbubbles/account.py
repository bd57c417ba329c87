"""An account at MsgBubbles: what the bridge asks of it, and what its webhooks say (contracts: msgbubbles)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bridge.checkups import State
from bridge.file_forms import file_form
from bridge.http_api import accepted, unknown
from bridge.list_reading import Lists, is_since
from bridge.sent_words import sent_words
from bridge.taming import date_in, id_in, list_in, mapping_in, tame
from bridge.vendors.account import MOST_PAGES, Act, Listed, tell_cut, trouble_of
from bridge.vendors.bridge import SLACK_MS
from bridge.vendors.examining import Hook, account_finding, lacking, line_findings, webhook_findings
from bridge.vendors.hooks import BAD_SIGNATURE, STALE, Told, is_current, is_signed, not_taken
from bridge.vendors.msgbubbles.errors import FAULTS, done
from bridge.vendors.msgbubbles.groups import MsgBubblesGroups
from bridge.vendors.msgbubbles.reading import (
    EVENTS,
    NEEDED,
    listed,
    next_page,
    place_in,
    read_message,
    read_reaction,
)
from bridge.vendors.msgbubbles.sending import send_body
from bridge.vendors.msgbubbles.settings import MsgBubblesSettings
from bridge.vendors.operations import check_result, handles_of, in_path, is_group, place_of, text_of
from bridge.vendors.vendor_api import VendorApi, not_uploaded
from hub.flow.bridge_kinds import Finding, HookRequest, Surroundings
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome
from hub.model.refused import Origin
from hub.rules.chatkeys import normalize_handle

TITLE: Final = "MsgBubbles"
_ABLE: Final = frozenset(
    {
        "attachments",
        "audio",
        "availability",
        "delivered",
        "edit",
        "effects",
        "group_create",
        "group_members",
        "group_rename",
        "idempotent_send",
        "react_emoji",
        "react_std",
        "read_in",
        "read_out",
        "reply",
        "text",
        "unsend",
    }
)
_PAGE: Final = 100
_MOST_KNOWN: Final = 10_000


class MsgBubblesAccount:
    """bridge.vendors.account.Account."""

    title = TITLE
    able = _ABLE

    def __init__(self, settings: MsgBubblesSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._around = surroundings
        self._lists = Lists(surroundings.refuse)
        self._api = VendorApi(TITLE, surroundings, url=settings.api_url, api_key=settings.api_key)
        self._groups = MsgBubblesGroups(self._api)
        #: Conversation → as it was shown.
        self._chats: OrderedDict[str, Mapping[str, Any]] = OrderedDict()

    @property
    def acts(self) -> Mapping[OperationKind, Act]:
        return {
            **self._groups.acts,
            OperationKind.CHECK: self._check,
            OperationKind.EDIT: self._edit,
            OperationKind.REACT: self._react,
            OperationKind.READ: self._read,
            OperationKind.SEND: self._send,
            OperationKind.UNSEND: self._unsend,
        }

    async def _send(self, operation: Operation) -> OperationOutcome:
        file_ids = []
        for part in sent_words(operation.payload).files:
            file_id = await self._upload(part.ref or "")
            if isinstance(file_id, OperationOutcome):
                return file_id
            file_ids.append(file_id)
        answer = await self._api.do(
            "POST", "/messages", send_body(operation, file_ids), once_as=operation.attempt_id
        )
        if answer.status == 409 and file_ids:
            # The key may be known with another body: files are uploaded anew on each try.
            return unknown("already_taken", "MsgBubbles may know this send already; its list tells.")
        if not answer.is_good:
            return FAULTS.verdict(answer, may_repeat=True)
        message_id = id_in(mapping_in(answer.body.get("data")).get("id"))
        if message_id is None:
            return unknown("unreadable_answer", "MsgBubbles took it and named no message.")
        return accepted(message_id)

    async def _upload(self, file_id: str) -> str | OperationOutcome:
        file = await self._api.open_file(file_id)
        form = file_form(file, field="file", filename=file.filename or "file")
        answer = await self._api.upload("/attachments", form.body, content_type=form.content_type)
        if not answer.is_good:
            return FAULTS.verdict(answer, may_repeat=True)
        made = [id_in(mapping_in(each).get("id")) for each in list_in(answer.body.get("data"))]
        return next((each for each in made if each is not None), not_uploaded("no id came back"))

    async def _react(self, operation: Operation) -> OperationOutcome:
        body: dict[str, Any] = {"reaction": text_of(operation.payload, "type") or "love"}
        if operation.payload.get("remove"):
            body["remove"] = True
        return done(await self._api.do("POST", f"{_message_path(operation)}/react", body))

    async def _edit(self, operation: Operation) -> OperationOutcome:
        body = {"text": text_of(operation.payload, "text") or ""}
        return done(await self._api.do("POST", f"{_message_path(operation)}/edit", body))

    async def _unsend(self, operation: Operation) -> OperationOutcome:
        answer = await self._api.do("POST", f"{_message_path(operation)}/unsend")
        if answer.status == 409:
            # What was taken back before, by a try whose answer was lost, cannot be taken back again.
            shown = mapping_in((await self._api.find(_message_path(operation)) or {}).get("data"))
            if shown.get("status") == "unsent":
                return accepted()
        return done(answer)

    async def _read(self, operation: Operation) -> OperationOutcome:
        chat_id = place_of(operation) if is_group(operation) else await self._chat_id(operation)
        if chat_id is None:
            return accepted()  # nothing was said there that could be read
        return done(await self._api.do("POST", f"/chats/{in_path(chat_id)}/read"))

    async def _check(self, operation: Operation) -> OperationOutcome:
        found: dict[str, Mapping[str, object]] = {}
        for handle in handles_of(operation):
            answer = await self._api.ask("/handles/availability", handle=handle)
            if not answer.is_good:
                return FAULTS.verdict(answer, may_repeat=True)
            told = mapping_in(answer.body.get("data"))
            found[handle] = {
                "imessage": told.get("imessage") if isinstance(told.get("imessage"), bool) else None,
                "sms": True if told.get("channel") == "sms" else None,
            }
        return OperationOutcome(disposition=Disposition.ACCEPTED, result=check_result(operation, found))

    async def _chat_id(self, operation: Operation) -> str | None:
        """Find the conversation with a contact; the latest come first."""
        before: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._api.show("/chats", limit=_PAGE, before=before)
            chats = self._lists.entries(page.get("data"), origin=Origin.BACKFILL)
            for chat in chats:
                if _is_with(chat, operation):
                    return id_in(chat.get("id"))
            before = next_page(page, chats, before)
            if before is None:
                break
        return None

    async def state(self) -> State:
        answer = await self._api.ask("/numbers")
        trouble = trouble_of(TITLE, answer)
        if trouble is not None:
            return trouble
        numbers = [mapping_in(each) for each in list_in(answer.body.get("data"))]
        if not any(each.get("status") == "online" for each in numbers):
            return "offline", "MsgBubbles says that no number is online."
        return "online", None

    async def news(self, since_ms: int) -> Sequence[tuple[Observation, ...]]:
        found = []
        for message in await self._messages(since_ms):
            chat = await self._chat(message.get("conversation_id"))
            told = read_message(message, chat)
            if told is None:
                named = id_in(message.get("id"))
                self._lists.pass_over(message, "it does not say who wrote what to whom, or when", named=named)
            else:
                found.append((told,))
        return found[::-1]

    async def _messages(self, since_ms: int, *, origin: Origin = Origin.FEED) -> list[Mapping[str, Any]]:
        """List all conversations' messages, newest first."""
        messages: dict[str, Mapping[str, Any]] = {}
        before: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._api.show("/messages", limit=_PAGE, before=before)
            found = self._lists.entries(page.get("data"), origin=origin)
            fresh = (each for each in found if is_since(date_in(each.get("created_at")), since_ms))
            # What has no id is no message, and must not hide another one.
            messages |= {id_in(each.get("id")) or repr(each): each for each in fresh}
            before = next_page(page, found, before)
            if before is None or (date_in(before) or 0) < since_ms:
                break
        else:
            tell_cut(TITLE)
        return list(messages.values())

    async def known(self, operation: Operation) -> OperationOutcome | None:
        """MsgBubbles names the message at once: there is nothing between."""
        return None

    async def sent_to(self, operation: Operation) -> Sequence[Listed]:
        shown = await self._messages(max(0, operation.dispatched_at - SLACK_MS), origin=Origin.BACKFILL)
        ours = [
            each
            for each in shown
            if each.get("direction") == "outbound"
            and _is_with(await self._chat(each.get("conversation_id")), operation)
        ]
        return self._lists.search(ours, listed, named="id")

    async def _chat(self, chat_id: object) -> Mapping[str, Any]:
        """Give a conversation, which messages name by its id only; an empty one where there is none such."""
        name = id_in(chat_id)
        if name is None:
            return {}
        known = self._chats.get(name)
        if known is None:
            page = await self._api.find(f"/chats/{in_path(name)}")
            if page is None:
                return {}
            known = self._chats[name] = mapping_in(page.get("data"))
            while len(self._chats) > _MOST_KNOWN:
                self._chats.popitem(last=False)
        return known

    async def told(self, body: Mapping[str, Any], now_ms: int) -> Told:
        """Read a webhook's delivery."""
        event, data = tame(body.get("event"), 64) or "what has no name", mapping_in(body.get("data"))
        if event not in EVENTS and event != "message.reaction":
            return not_taken(event)
        at, chat = date_in(body.get("created_at")) or now_ms, await self._chat(data.get("conversation_id"))
        if event == "message.reaction":
            seen = read_reaction(data, chat, at)
        elif event == "message.received":
            seen = read_message(data, chat)
        else:
            seen = read_message(data, chat, at=at, is_edited=event == "message.edited")
        return "it does not say who wrote what to whom" if seen is None else (seen,)

    async def examine(self) -> Sequence[Finding]:
        state = await self.state()
        if state[0] != "online":
            return (account_finding(state),)
        numbers = [mapping_in(each) for each in list_in((await self._api.show("/numbers")).get("data"))]
        hooks = [mapping_in(each) for each in list_in((await self._api.show("/webhooks")).get("data"))]
        return (
            account_finding(state),
            *line_findings(
                self._around,
                {str(each.get("handle")): each.get("status") == "online" for each in numbers},
                TITLE,
            ),
            *webhook_findings(
                self._around,
                secret=self._settings.webhook_secret,
                hooks=[
                    Hook(url=str(each.get("url")), trouble=lacking(each.get("events"), NEEDED))
                    for each in hooks
                    if each.get("enabled") is not False
                ],
                poll_seconds=self._settings.poll_seconds,
            ),
        )


def check(secret: bytes, request: HookRequest, body: Mapping[str, Any], now_ms: int) -> str | None:
    """Verify the signature as a hub of ours makes it; the vendor's own scheme is not known (contracts §7)."""
    del body
    stamp, signature = (request.headers.get(f"x-webhook-{name}", "") for name in ("timestamp", "signature"))
    is_number = stamp.isascii() and stamp.isdigit() and len(stamp) < 15
    if not is_number or not is_signed(secret, stamp.encode() + b"." + request.body, signature):
        return BAD_SIGNATURE
    return None if is_current(int(stamp), now_ms) else STALE


def _is_with(chat: Mapping[str, Any], operation: Operation) -> bool:
    place, wanted = place_in(chat, {}), place_of(operation)
    if place is None or place.handle != normalize_handle(operation.line_handle):
        return False
    return place.is_group is is_group(operation) and wanted in (place.other, normalize_handle(place.other))


def _message_path(operation: Operation) -> str:
    return f"/messages/{in_path(text_of(operation.payload, 'message_guid') or '')}"
