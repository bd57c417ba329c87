"""WhatsApp as a bridge: sends by the Cloud API; everything that happens is told by webhook alone.

Meta knows no idempotency key and shows no list. A send without an answer is proved by its first status, which brings
the attempt's id back; without one it ends as unknown, and is never made a second time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from bridge.checkups import NO_API, Checkup, State
from bridge.http_api import Answer, put_off, rejected, unanswered, unknown
from bridge.outgoing_files import NotSent, reading
from bridge.taming import id_in
from bridge.whatsapp.api import WhatsAppApi
from bridge.whatsapp.errors import trouble_in
from bridge.whatsapp.sending import (
    Draft,
    Json,
    draft_of,
    ids_of,
    reaction_of,
    sign_of,
    verdict_of,
)
from bridge.whatsapp.settings import WhatsAppSettings
from hub.flow.bridge_kinds import Surroundings
from hub.flow.calling import CallFailed
from hub.flow.ports import OutgoingFile
from hub.model.observation import Observation, Part
from hub.model.outbox import Operation, OperationKind, OperationOutcome
from hub.rules.capabilities import missing_of, needs_of

CAPABILITIES: Final = frozenset(
    {
        "attachments",
        "audio",
        "delivered",
        "react_emoji",
        "react_std",
        "read_in",
        "read_out",
        "reply",
        "templates",
        "text",
        "typing_out",
        "whatsapp",
    }
)
#: Of its media Meta takes documents of up to 100 MB, all else less (from memory); of larger files it gets the address.
MOST_UPLOAD_BYTES: Final = 104_857_600
_IDLE_SECONDS: Final = 3_600.0
_NOTHING: Final[tuple[Observation, ...]] = ()
_SIGNS: Final = frozenset({OperationKind.READ, OperationKind.TYPING})


class WhatsAppBridge:
    """Adapter to the numbers of one app."""

    kind: str = "whatsapp"

    def __init__(self, settings: WhatsAppSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._around = surroundings
        self._ids = ids_of(settings.phone_numbers)
        self._api = WhatsAppApi(settings, surroundings.caller)
        self._checkup = Checkup(self._asked_state, surroundings.clock)

    async def capabilities(self) -> frozenset[str]:
        return CAPABILITIES

    async def health(self) -> State:
        return await self._checkup.state()

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:
        """Tell nothing, for ever: Meta calls us, and repeats what we did not answer for a week."""
        while True:
            await self._around.sleep(_IDLE_SECONDS)
            for seen in _NOTHING:
                yield seen

    async def perform(self, operation: Operation) -> OperationOutcome:
        missing = missing_of(needs_of(operation.kind, operation.payload), CAPABILITIES)
        if missing:
            return rejected("unsupported", f"WhatsApp cannot do: {', '.join(missing)}")
        number_id = self._ids.get(operation.line_handle)
        if number_id is None:
            return rejected("line_not_at_network", "The settings name no phone number id for this line.")
        body = await self._body(operation, number_id)
        if isinstance(body, OperationOutcome):
            return body
        try:
            answer = await self._api.message(number_id, body, now_ms=self._around.clock.now_ms())
        except CallFailed as error:
            return unanswered(error)
        return self._verdict(answer, is_named=operation.kind not in _SIGNS)

    async def lookup(self, operation: Operation) -> OperationOutcome:
        return unknown("cannot_be_asked", "Meta shows no list of messages: the first status will tell.")

    def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        return self._api.file(ref)

    async def aclose(self) -> None:
        """Nothing is held open."""

    async def _body(self, operation: Operation, number_id: str) -> Json | OperationOutcome:
        if operation.kind in _SIGNS:
            return sign_of(operation)
        if operation.kind is OperationKind.REACT:
            return reaction_of(operation)
        draft = draft_of(operation)
        if isinstance(draft, OperationOutcome) or draft.file is None:
            return draft if isinstance(draft, OperationOutcome) else draft.body
        return await self._with_file(draft, draft.file, number_id)

    async def _with_file(self, draft: Draft, part: Part, number_id: str) -> Json | OperationOutcome:
        """Bring the file to Meta. Whatever fails here, the message was not sent."""
        try:
            with reading():
                file = await self._around.files.open_file(part.ref or "")
                if file.size > MOST_UPLOAD_BYTES:
                    return self._linked(draft, part)
                media = await self._uploaded(file, number_id)
        except NotSent as error:
            return error.outcome
        return media if isinstance(media, OperationOutcome) else draft.with_file({"id": media})

    async def _uploaded(self, file: OutgoingFile, number_id: str) -> str | OperationOutcome:
        try:
            answer = await self._api.upload(number_id, file, now_ms=self._around.clock.now_ms())
        except CallFailed as error:
            if error.kind == "refused":
                return unanswered(error)
            return put_off("upload_failed", error.detail, wait_ms=None)
        media_id = id_in(answer.body.get("id"))
        if answer.is_good and media_id is not None:
            return media_id
        if answer.is_good or answer.status >= 500:
            return put_off("upload_failed", f"Meta answered with status {answer.status}.", wait_ms=None)
        return self._verdict(answer)

    def _linked(self, draft: Draft, part: Part) -> Json | OperationOutcome:
        address = self._around.links.address(part.ref or "")
        if address is None:
            return rejected(
                "public_address_needed",
                "Meta fetches files over 100 MiB from the hub: set web.base_url to an https address.",
            )
        return draft.with_file({"link": address})

    def _verdict(self, answer: Answer, *, is_named: bool = True) -> OperationOutcome:
        is_opt_out = self._settings.marketing_stop_opts_out
        return verdict_of(answer, is_stop_opt_out=is_opt_out, is_named=is_named)

    async def _asked_state(self) -> State:
        """The first number that is not well speaks for all: they share the token."""
        for number_id in self._settings.phone_numbers.values():
            try:
                answer = await self._api.number(number_id)
            except CallFailed as error:
                return "offline", f"Meta cannot be reached: {error.detail}"
            state = number_state(answer)
            if state[0] != "online":
                return state
        return "online", None


def number_state(answer: Answer) -> State:
    """Say how a number is, from what Meta shows of it."""
    if not answer.is_good:
        trouble = trouble_in(answer.body.get("error"))
        is_ours = 400 <= answer.status < 500 and answer.status != 429
        return ("offline" if is_ours else "degraded"), trouble.detail
    if not answer.is_read:
        return "offline", NO_API.format(status=answer.status, title="Meta")
    if answer.body.get("quality_rating") == "RED":
        return "degraded", "Meta rates the number's quality as low: many block or report it."
    return "online", None
