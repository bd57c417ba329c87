"""Twilio's webhooks: messages that come in, and the statuses of ours. The signature is verified first."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl

from bridge.twilio.reading import read_form
from bridge.twilio.sending import ATTEMPT
from bridge.twilio.settings import TwilioSettings
from bridge.unread import Unread, passed_over
from hub.flow.bridge_kinds import HookReply, HookRequest, Surroundings
from hub.model.observation import Observation
from hub.model.refused import RefusalCode
from hub.rules.sources.model import Check, Reason, Refused, SourceRequest, SourceSecret
from hub.rules.sources.special import FORM, verify_twilio

#: An empty answer in Twilio's language: say nothing to the contact.
SILENCE: Final = b'<?xml version="1.0" encoding="UTF-8"?><Response></Response>'
XML: Final = "text/xml"
MOST_BYTES: Final = 262_144
MOST_FIELDS: Final = 500
#: What a signature covers is what may be wrong.
_TO_LOOK_AT: Final = (
    "Is auth_token the one of this account (not an API key's secret), and does the address at Twilio begin with "
    "web.base_url, letter by letter?"
)
_CHECK: Final = Check(kind="python", variant="twilio")


def _why(refused: Refused) -> str:
    if refused.reason is not Reason.BAD_SIGNATURE:
        return refused.detail
    return f"{refused.detail} {_TO_LOOK_AT}"


class TwilioHooks:
    """The way in of one account."""

    def __init__(self, settings: TwilioSettings, surroundings: Surroundings) -> None:
        self._account_sid = settings.account_sid
        self._secrets = (SourceSecret(settings.auth_token),)
        self._clock = surroundings.clock

    async def receive(self, request: HookRequest) -> HookReply:
        now_ms = self._clock.now_ms()
        if request.method != "POST":
            return HookReply(status=405, reason="Twilio's webhooks are POST; set HTTP POST in the console.")
        if len(request.body) > MOST_BYTES:
            return HookReply(status=413, reason="The body is larger than any that Twilio sends.")
        refused = self._verify(request, now_ms)
        if refused is not None:
            return HookReply(status=403, reason=_why(refused))
        return await self.read(request)

    async def read(self, request: HookRequest) -> HookReply:
        read = self._read(request, self._clock.now_ms())
        if isinstance(read, str):
            # It is signed and of no use: sending it again would not help.
            return replace(passed_over(read), body=SILENCE, content_type=XML)
        return HookReply(observations=read, body=SILENCE, content_type=XML)

    def _read(self, request: HookRequest, now_ms: int) -> tuple[Observation, ...] | str:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return Unread("it is no form", RefusalCode.UNREADABLE)
        try:
            fields = parse_qsl(
                request.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS
            )
        except ValueError:
            return Unread("it has more fields than any that Twilio sends", RefusalCode.UNREADABLE)
        form = dict(fields)
        if form.get("AccountSid", self._account_sid) != self._account_sid:
            return Unread("it is about another account", RefusalCode.OTHER_LINE)
        return read_form(form, attempt_id=dict(request.query).get(ATTEMPT), now_ms=now_ms)

    def _verify(self, request: HookRequest, now_ms: int) -> Refused | None:
        signed = SourceRequest(
            method=request.method,
            url=request.url,
            query=dict(request.query),
            headers=request.headers,
            body=request.body,
        )
        return verify_twilio(_CHECK, signed, self._secrets, now_ms)
