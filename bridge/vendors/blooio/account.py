"""A key at Blooio: what the bridge asks of it, and what its webhooks say (contracts: blooio)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bridge.checkups import State
from bridge.http_api import accepted, rejected, unknown
from bridge.list_reading import Lists
from bridge.taming import handle_in, id_in, list_in, mapping_in, tame
from bridge.vendors.account import MOST_PAGES, Act, Listed, tell_cut, trouble_of
from bridge.vendors.blooio.errors import FAULTS, done
from bridge.vendors.blooio.groups import BlooioGroups
from bridge.vendors.blooio.reading import (
    hook_in,
    latest_of,
    listed,
    message_id_in,
    place_in,
    read_event,
    read_message,
)
from bridge.vendors.blooio.sending import chat_path, message_path, reaction_body, send_body
from bridge.vendors.blooio.settings import BlooioSettings
from bridge.vendors.bridge import SLACK_MS
from bridge.vendors.examining import account_finding, line_findings, webhook_findings
from bridge.vendors.hooks import BAD_SIGNATURE, STALE, Told, is_current, is_signed
from bridge.vendors.numbers import ms_in
from bridge.vendors.operations import check_result, handles_of, in_path, named_files
from bridge.vendors.seen import reaction
from bridge.vendors.vendor_api import VendorApi
from hub.flow.bridge_kinds import Finding, HookRequest, Surroundings
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome
from hub.model.refused import Origin

TITLE: Final = "Blooio"
_ABLE: Final = frozenset(
    {
        "attachments",
        "availability",
        "delivered",
        "effects",
        "group_create",
        "group_icon",
        "group_leave",
        "group_rename",
        "idempotent_send",
        "react_emoji",
        "react_std",
        "read_in",
        "read_out",
        "reply",
        "text",
        "typing_out",
    }
)
#: Of chats, in one round.
_PAGE: Final = 100


class BlooioAccount:
    """bridge.vendors.account.Account."""

    title = TITLE
    able = _ABLE

    def __init__(self, settings: BlooioSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._around = surroundings
        self._lists = Lists(surroundings.refuse)
        self._api = VendorApi(TITLE, surroundings, url=settings.api_url, api_key=settings.api_key)
        self._groups = BlooioGroups(self._api)

    @property
    def acts(self) -> Mapping[OperationKind, Act]:
        return {
            **self._groups.acts,
            OperationKind.CHECK: self._check,
            OperationKind.REACT: self._react,
            OperationKind.READ: self._read,
            OperationKind.SEND: self._send,
            OperationKind.TYPING: self._type,
        }

    async def _send(self, operation: Operation) -> OperationOutcome:
        files = named_files(operation, self._around.links)
        if isinstance(files, OperationOutcome):
            return files
        body = send_body(operation, files)
        answer = await self._api.do(
            "POST", f"{chat_path(operation)}/messages", body, once_as=operation.attempt_id
        )
        if answer.status == 409:
            # The key is known with another body: addresses of files are signed anew on each try.
            return unknown(
                "already_taken", "Blooio knows this send already; its list tells which message it is."
            )
        if not answer.is_good:
            return FAULTS.verdict(answer, may_repeat=True)
        if answer.body.get("status") == "failed":
            return rejected("failed", "Blooio took it, and it has failed at once; its dashboard tells more.")
        message_id = message_id_in(answer.body)
        if message_id is None:
            return unknown("unreadable_answer", "Blooio took it and named no message.")
        return accepted(message_id)

    async def _react(self, operation: Operation) -> OperationOutcome:
        return done(
            await self._api.do("POST", f"{message_path(operation)}/reactions", reaction_body(operation))
        )

    async def _read(self, operation: Operation) -> OperationOutcome:
        return done(await self._api.do("POST", f"{chat_path(operation)}/read"))

    async def _type(self, operation: Operation) -> OperationOutcome:
        method = "DELETE" if operation.payload.get("state") == "off" else "POST"
        return done(await self._api.do(method, f"{chat_path(operation)}/typing"))

    async def _check(self, operation: Operation) -> OperationOutcome:
        found: dict[str, Mapping[str, object]] = {}
        for handle in handles_of(operation):
            answer = await self._api.ask(f"/contacts/{in_path(handle)}/capabilities")
            if not answer.is_good:
                return FAULTS.verdict(answer, may_repeat=True)
            told = mapping_in(answer.body.get("capabilities"))
            found[handle] = {
                name: told.get(name)
                for name in ("imessage", "sms", "facetime")
                if isinstance(told.get(name), bool)
            }
        return OperationOutcome(disposition=Disposition.ACCEPTED, result=check_result(operation, found))

    async def state(self) -> State:
        answer = await self._api.ask("/me")
        trouble = trouble_of(TITLE, answer)
        if trouble is not None:
            return trouble
        devices = [mapping_in(each) for each in list_in(answer.body.get("devices"))]
        if devices and not any(each.get("is_active") for each in devices):
            return "offline", "Blooio says that no number of this key is active."
        return "online", None

    async def news(self, since_ms: int) -> Sequence[tuple[Observation, ...]]:
        found: list[tuple[Observation, ...]] = []
        for number in range(MOST_PAGES):
            page = await self._api.show("/chats", limit=_PAGE, offset=number * _PAGE, sort="recent")
            chats = self._lists.entries(page.get("chats"))
            for chat in chats:
                if self._last_at(chat) >= since_ms:
                    found += await self._news_of(chat, since_ms)
            if len(chats) < _PAGE or (ms_in(chats[-1].get("last_message_time")) or 0) < since_ms:
                break
        else:
            tell_cut(TITLE)
        return sorted(found, key=lambda message: message[0].at)

    def _last_at(self, chat: Mapping[str, Any]) -> int:
        told = chat.get("last_message_time")
        at = ms_in(told)
        if at is None and told is not None:  # a chat without messages has none
            self._lists.pass_over(
                chat, "a chat does not say when it was last written in", named=id_in(chat.get("id"))
            )
        return at or 0

    async def _news_of(self, chat: Mapping[str, Any], since_ms: int) -> list[tuple[Observation, ...]]:
        chat_id, lines = id_in(chat.get("id")), tuple(self._around.lines())
        if chat_id is None:
            self._lists.pass_over(chat, "a chat names no id")
            return []
        messages = await self._messages(chat_id, since=max(0, since_ms - 1), sort="asc")
        return [told for each in messages if (told := self._listed(each, chat, lines))]

    def _listed(
        self, message: Mapping[str, Any], chat: Mapping[str, Any], lines: tuple[str, ...]
    ) -> tuple[Observation, ...]:
        told, named = read_message(message, chat, lines), id_in(message.get("message_id"))
        if not told:
            self._lists.pass_over(message, "it names no message, no time, or not both sides", named=named)
        elif len(told) <= len(list_in(message.get("reactions"))):
            self._lists.pass_over(message, "a reaction to it does not say what or when", named=named)
        return told

    async def _messages(self, chat_id: str, **query: str | int | None) -> list[Mapping[str, Any]]:
        messages: list[Mapping[str, Any]] = []
        for number in range(MOST_PAGES):
            path = f"/chats/{in_path(chat_id)}/messages"
            page = await self._api.find(path, limit=_PAGE, offset=number * _PAGE, **query)
            # A chat that is gone since it was listed must not keep the others from being read.
            found = self._lists.entries((page or {}).get("messages"))
            messages += found
            if len(found) < _PAGE:
                return messages
        tell_cut(TITLE)
        return messages

    async def known(self, operation: Operation) -> OperationOutcome | None:
        """Blooio names the message at once: there is nothing between."""
        return None

    async def sent_to(self, operation: Operation) -> Sequence[Listed]:
        since = max(0, operation.dispatched_at - SLACK_MS - 1)
        page = await self._api.find(
            f"{chat_path(operation)}/messages", direction="outbound", since=since, limit=_PAGE
        )
        shown = self._lists.entries((page or {}).get("messages"), origin=Origin.BACKFILL)
        ours = (each for each in shown if each.get("direction") == "outbound")
        return self._lists.search(ours, listed, named="message_id")

    async def examine(self) -> Sequence[Finding]:
        state = await self.state()
        if state[0] != "online":
            return (account_finding(state),)
        numbers = [mapping_in(each) for each in list_in((await self._api.show("/me/numbers")).get("numbers"))]
        hooks = [mapping_in(each) for each in list_in((await self._api.show("/webhooks")).get("webhooks"))]
        active = {str(each.get("phone_number")): bool(each.get("is_active")) for each in numbers}
        now_ms = self._around.clock.now_ms()
        return (
            account_finding(state),
            *line_findings(self._around, active, TITLE),
            *webhook_findings(
                self._around,
                secret=self._settings.webhook_secret,
                hooks=[hook_in(each, now_ms) for each in hooks if each.get("is_active") is not False],
                poll_seconds=self._settings.poll_seconds,
            ),
        )

    async def told(self, body: Mapping[str, Any], now_ms: int) -> Told:
        """Read a webhook's delivery: one event, or several in `events`."""
        several = body.get("events")
        if not isinstance(several, list):
            return await self._event(body, now_ms)
        read = [await self._event(mapping_in(each), now_ms) for each in several[:100]]
        seen = tuple(each for one in read if not isinstance(one, str) for each in one)
        reasons = [one for one in read if isinstance(one, str)]
        return seen or next(iter(reasons), "it holds no event that is taken in")

    async def _event(self, body: Mapping[str, Any], now_ms: int) -> Told:
        lines = tuple(self._around.lines())
        if body.get("event") == "message.reaction":
            return await self._reaction(body, lines, now_ms)
        return read_event(body, lines, now_ms)

    async def _reaction(self, body: Mapping[str, Any], lines: tuple[str, ...], now_ms: int) -> Told:
        """A repeat of a webhook has a new time, so the message says when somebody reacted."""
        place, target = place_in(body, lines), id_in(body.get("message_id"))
        word, action = tame(body.get("reaction"), 64), body.get("action")
        if place is None or target is None or word is None or action not in ("add", "remove"):
            return "it names no message, no reaction or no conversation"
        sender = None if body.get("direction") == "outbound" else handle_in(body.get("sender"))
        shown = list_in((await self._api.find(_path_in(place.other, target)) or {}).get("reactions"))
        at, is_added = latest_of(shown, word, sender, is_added=action == "add"), action == "add"
        # Without a date it counts once for each person, word and message.
        own_id = None if at is not None else f"{target}:{sender or ''}:{word}"[:512]
        when = at or ms_in(body.get("timestamp")) or now_ms
        return (
            reaction(
                place, target=target, word=word, is_added=is_added, at=when, sender=sender, provider_id=own_id
            ),
        )


def _path_in(chat_id: str, message_id: str) -> str:
    return f"/chats/{in_path(chat_id)}/messages/{in_path(message_id)}"


def check(secret: bytes, request: HookRequest, body: Mapping[str, Any], now_ms: int) -> str | None:
    """Verify `X-Blooio-Signature: t=<seconds>,v1=<hex>`: the whole secret signs `{t}.{body}`."""
    del body
    parts = dict(
        each.strip().partition("=")[::2] for each in request.headers.get("x-blooio-signature", "").split(",")
    )
    seconds = parts.get("t", "")
    is_number = seconds.isascii() and seconds.isdigit() and len(seconds) < 12
    if not is_number or not is_signed(secret, seconds.encode() + b"." + request.body, parts.get("v1", "")):
        return BAD_SIGNATURE
    return None if is_current(int(seconds) * 1000, now_ms) else STALE
