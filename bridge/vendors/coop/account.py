"""An account at Coop: what the bridge asks of it, and what its webhooks say (contracts: coop)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bridge.checkups import State
from bridge.http_api import accepted, unknown
from bridge.list_reading import Lists, entries_in
from bridge.sent_words import sent_words
from bridge.taming import date_in, id_in, list_in, mapping_in, tame
from bridge.vendors.account import MOST_PAGES, Act, Listed, tell_cut, trouble_of
from bridge.vendors.coop.reading import EVENTS, STAGES, files_in, listed, read_message
from bridge.vendors.coop.settings import CoopSettings
from bridge.vendors.examining import Hook, account_finding, lacking, webhook_findings
from bridge.vendors.hooks import BAD_SIGNATURE, Told, is_signed, not_taken
from bridge.vendors.operations import in_path, named_files, place_of
from bridge.vendors.vendor_api import VendorApi
from bridge.vendors.verdicts import BY_STATUS, Fault, Faults
from hub.flow.bridge_kinds import Finding, HookRequest, Surroundings
from hub.model.observation import Observation, Part
from hub.model.outbox import Operation, OperationKind, OperationOutcome
from hub.model.refused import Origin

TITLE: Final = "Coop"
FAULTS: Final = Faults(
    title=TITLE,
    known={"validation_error": Fault("invalid_request", "Coop names the field that is wrong.")},
    by_status=BY_STATUS,
)
_MESSAGES: Final = "/api/v1/messages"
_PAGE: Final = 100
_MOST_KNOWN: Final = 10_000
NO_ADDRESS: Final = "a file has no address"
#: Events that Coop's pages name: a webhook must tell them.
_NEEDED: Final = frozenset({"message.failed", "message.received", "message.sent"})


class CoopAccount:
    """bridge.vendors.account.Account."""

    title = TITLE
    able = frozenset({"attachments", "delivered", "text"})

    def __init__(self, settings: CoopSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._around = surroundings
        self._lists = Lists(surroundings.refuse)
        self._api = VendorApi(TITLE, surroundings, url=settings.api_url, api_key=settings.api_key)
        #: Conversation → as it was listed.
        self._chats: OrderedDict[str, Mapping[str, Any]] = OrderedDict()
        #: Message → its files, as they were listed.
        self._known_files: OrderedDict[str, tuple[Part, ...]] = OrderedDict()

    @property
    def acts(self) -> Mapping[OperationKind, Act]:
        return {OperationKind.SEND: self._send}

    async def _send(self, operation: Operation) -> OperationOutcome:
        files = named_files(operation, self._around.links)
        if isinstance(files, OperationOutcome):
            return files
        text = sent_words(operation.payload).text
        body: dict[str, Any] = {"to": place_of(operation), "fromNumber": operation.line_handle}
        body |= {"body": text} if text is not None else {}
        body |= {"attachments": [each.url for each in files]} if files else {}
        answer = await self._api.do("POST", _MESSAGES, body)
        if not answer.is_good:
            return FAULTS.verdict(answer, may_repeat=False)
        message_id = id_in(answer.body.get("id"))
        if message_id is None:
            return unknown("unreadable_answer", "Coop took it and named no message.")
        return accepted(message_id)

    async def state(self) -> State:
        answer = await self._api.ask(_MESSAGES, page=1, limit=1)
        trouble = trouble_of(TITLE, answer)
        if trouble is not None:
            return trouble
        # A key may be of somebody who may not see the Macs: then nothing is said of them.
        answer = await self._api.ask("/api/v1/relays")
        relays = [mapping_in(each) for each in list_in(answer.body.get("data"))]
        if relays and not any(each.get("status") == "online" for each in relays):
            return "offline", "Coop says that none of its Macs is online."
        return "online", None

    async def news(self, since_ms: int) -> Sequence[tuple[Observation, ...]]:
        found: list[tuple[Observation, ...]] = []
        for number in range(1, MOST_PAGES + 1):
            page = await self._api.show(_MESSAGES, page=number, limit=_PAGE)
            messages = self._lists.entries(page.get("data"))
            fresh = [each for each in messages if (self._made_at(each) or 0) >= since_ms]
            found += [(told,) for each in fresh if (told := await self._listed(each)) is not None]
            if len(messages) < _PAGE or not fresh:
                break
        else:
            tell_cut(TITLE)
        return sorted(found, key=lambda message: message[0].at)

    async def _listed(self, message: Mapping[str, Any]) -> Observation | None:
        is_from_me, at = message.get("direction") == "sent", date_in(message.get("createdAt")) or 0
        stage = STAGES.get(str(message.get("status")), "sent") if is_from_me else "sent"
        seen = read_message(
            message,
            await self._chat(message.get("conversationId")),
            tuple(self._around.lines()),
            is_from_me=is_from_me,
            stage=stage,
            at=at,
            files=() if is_from_me else await self._files(message),
            why=await self._why(message) if stage == "failed" else None,
        )
        if seen is None:
            named = id_in(message.get("id"))
            self._lists.pass_over(message, "it names no message, or not both sides", named=named)
        return seen

    def _made_at(self, message: Mapping[str, Any]) -> int | None:
        made_at = date_in(message.get("createdAt"))
        if made_at is None:
            named = id_in(message.get("id"))
            self._lists.pass_over(message, "it does not say when it was made", named=named)
        return made_at

    async def known(self, operation: Operation) -> OperationOutcome | None:
        """Coop names the message at once: there is nothing between."""
        return None

    async def sent_to(self, operation: Operation) -> Sequence[Listed]:
        page = await self._api.find(
            _MESSAGES, direction="sent", participant=place_of(operation), page=1, limit=_PAGE
        )
        shown = self._lists.entries((page or {}).get("data"), origin=Origin.BACKFILL)
        ours = (each for each in shown if each.get("direction") != "received")
        return self._lists.search(ours, listed, named="id")

    async def _files(self, message: Mapping[str, Any]) -> tuple[Part, ...]:
        """Ask once for the files of a message that came in: nothing else tells whether it has any."""
        name = id_in(message.get("id"))
        if name is None:
            return ()
        if name not in self._known_files:
            page = await self._api.find(f"{_MESSAGES}/{in_path(name)}/attachments")
            self._known_files[name] = self._readable_files(name, entries_in((page or {}).get("data")))
            while len(self._known_files) > _MOST_KNOWN:
                self._known_files.popitem(last=False)
        return self._known_files[name]

    def _readable_files(self, message_id: str, shown: Sequence[object]) -> tuple[Part, ...]:
        for place, each in enumerate(shown):
            if not files_in([each]):
                named = f"file {place} of {message_id}"
                self._lists.pass_over({"message": message_id, "file": each}, NO_ADDRESS, named=named)
        return files_in(shown)

    async def _why(self, message: Mapping[str, Any]) -> str | None:
        name = id_in(message.get("id"))
        if name is None:
            return None
        answer = await self._api.ask(f"{_MESSAGES}/{in_path(name)}/status")
        return tame(answer.body.get("lastError"), 1024) if answer.is_good else None

    async def _chat(self, conversation_id: object) -> Mapping[str, Any]:
        """Give a conversation: only it says whether it is a group; an empty one where it is not listed."""
        name = id_in(conversation_id)
        if name is None:
            return {}
        if name not in self._chats:
            page = await self._api.find("/api/v1/conversations", page=1, limit=_PAGE) or {}
            for each in self._lists.entries(page.get("data")):
                chat_id = id_in(each.get("id"))
                if chat_id is None:
                    self._lists.pass_over(each, "a conversation names no id")
                else:
                    self._chats[chat_id] = each
            while len(self._chats) > _MOST_KNOWN:
                self._chats.popitem(last=False)
        return self._chats.get(name, {})

    async def told(self, body: Mapping[str, Any], now_ms: int) -> Told:
        """Read a webhook's delivery."""
        event, data = tame(body.get("event"), 64) or "what has no name", mapping_in(body.get("data"))
        stage, is_from_me = EVENTS.get(event), event != "message.received"
        if stage is None:
            return not_taken(event)
        at = date_in(data.get("receivedAt")) or date_in(body.get("timestamp")) or now_ms
        seen = read_message(
            data,
            await self._chat(data.get("conversationId")),
            tuple(self._around.lines()),
            is_from_me=is_from_me,
            stage=stage,
            at=at,
            files=() if is_from_me else await self._files(data),
            why=await self._why(data) if stage == "failed" else None,
        )
        return "it names no message, or not both sides" if seen is None else (seen,)

    async def examine(self) -> Sequence[Finding]:
        state = await self.state()
        if state[0] != "online":
            return (account_finding(state),)
        hooks = [mapping_in(each) for each in list_in((await self._api.show("/api/v1/webhooks")).get("data"))]
        return (
            account_finding(state),
            Finding(name="lines", state="skipped", detail="Coop's API does not list an account's numbers."),
            *webhook_findings(
                self._around,
                secret=self._settings.webhook_secret,
                hooks=[
                    Hook(url=str(each.get("url")), trouble=lacking(each.get("events"), _NEEDED))
                    for each in hooks
                    if each.get("enabled") is not False
                ],
                poll_seconds=self._settings.poll_seconds,
            ),
        )


def check(secret: bytes, request: HookRequest, body: Mapping[str, Any], now_ms: int) -> str | None:
    """Verify `X-Webhook-Signature`: bare hex over the body. Nothing says when: a repeat tells nothing new."""
    del body, now_ms
    is_good = is_signed(secret, request.body, request.headers.get("x-webhook-signature", ""))
    return None if is_good else BAD_SIGNATURE
