"""Meta's webhooks: the handshake, and signed batches. The signature is verified over the raw bytes, before all else."""

from __future__ import annotations

from typing import Final

from bridge.taming import json_in
from bridge.unread import NO_JSON, passed_over, unused, worst_of
from bridge.whatsapp.reading import Numbers, read_hook
from bridge.whatsapp.sending import numbers_of
from bridge.whatsapp.settings import WhatsAppSettings
from hub.flow.bridge_kinds import HookReply, HookRequest, Surroundings
from hub.rules.sources.model import Check, Definition, Source, SourceRequest, SourceSecret
from hub.rules.sources.verification import token_fits, verify

MOST_BYTES: Final = 4_194_304
_LONGEST_CHALLENGE: Final = 256
_TO_LOOK_AT: Final = "Is app_secret the app's secret (App settings, Basic), and not a token?"
#: As hub/sources/whatsapp.yaml has it.
_DEFINITION: Final = Definition(
    name="whatsapp",
    title="WhatsApp (Meta)",
    docs="https://developers.facebook.com/docs/whatsapp/cloud-api/guides/set-up-webhooks",
    check=Check(
        kind="hmac",
        variant="sha256",
        headers=("x-hub-signature-256",),
        prefix="sha256=",
        sign=(("{body}",),),
    ),
    parts=(),
)


class WhatsAppHooks:
    """The way in of one app."""

    def __init__(self, settings: WhatsAppSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._clock = surroundings.clock
        self._source = Source(
            name="whatsapp", definition=_DEFINITION, secrets=(SourceSecret(settings.app_secret),)
        )
        self._token = (SourceSecret(settings.verify_token),)

    async def receive(self, request: HookRequest) -> HookReply:
        if request.method == "GET":
            return self._shake_hands(dict(request.query))
        if request.method != "POST":
            return HookReply(status=405, reason="Meta's webhooks are GET and POST.")
        if len(request.body) > MOST_BYTES:
            return HookReply(status=413, reason="The body is larger than any that Meta sends.")
        now_ms = self._clock.now_ms()
        signed = SourceRequest(
            method=request.method,
            url=request.url,
            query=dict(request.query),
            headers=request.headers,
            body=request.body,
        )
        refused = verify(self._source, signed, now_ms=now_ms)
        if refused is not None:
            return HookReply(status=401, reason=f"{refused.detail} {_TO_LOOK_AT}")
        return await self.read(request)

    def _shake_hands(self, query: dict[str, str]) -> HookReply:
        challenge = query.get("hub.challenge", "")
        is_asked = query.get("hub.mode") == "subscribe" and token_fits(
            query.get("hub.verify_token", ""), self._token
        )
        if not is_asked or not challenge.isascii() or len(challenge) > _LONGEST_CHALLENGE:
            return HookReply(status=403, reason="The verify token is not the bridge's.")
        return HookReply(body=challenge.encode())

    async def read(self, request: HookRequest) -> HookReply:
        found = json_in(request.body)
        if not isinstance(found, dict):
            # It is signed and of no use: Meta would send it again for a week.
            return passed_over(NO_JSON)
        numbers = Numbers(
            lines=numbers_of(self._settings.phone_numbers),
            is_stop_opt_out=self._settings.marketing_stop_opts_out,
            now_ms=self._clock.now_ms(),
        )
        read = read_hook(found, numbers)
        passed = ", ".join(f"{count}: {why}" for why, count in sorted(read.passed_over.items())[:5])
        reason = f"Passed over: {passed}." if passed else None
        if not read.observations and reason is None:
            return passed_over(unused("it holds nothing"))
        return HookReply(observations=read.observations, reason=reason, refusal=worst_of(read.passed_over))
