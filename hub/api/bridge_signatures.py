"""Who signs as a bridge: Standard Webhooks 1.0.0 with the bridge's secret; `X-Bridge-Id` names the bridge."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hub.flow.directory import DirectoryHolder
from hub.flow.ports import Clock
from hub.model.errors import InvalidRequest
from hub.model.ids import InvalidId, Prefix, parse_id
from hub.model.line import Bridge
from hub.rules.signing import Secret, Verification, verify_standard

_REQUEST_ID = re.compile(rb"[!-\-/-~]{1,255}")

_REFUSALS: Mapping[Verification, tuple[str, str]] = {
    Verification.MISSING_HEADER: (
        "invalid_signature",
        "Sign the request: headers webhook-id, webhook-timestamp and webhook-signature are required.",
    ),
    Verification.BAD_TIMESTAMP: (
        "invalid_signature",
        "webhook-timestamp must be the time of this attempt in whole Unix seconds.",
    ),
    Verification.TOO_OLD: (
        "timestamp_out_of_tolerance",
        "webhook-timestamp is too old; check the bridge's clock and sign each attempt anew.",
    ),
    Verification.TOO_NEW: (
        "timestamp_out_of_tolerance",
        "webhook-timestamp lies in the future; check the bridge's clock.",
    ),
    Verification.BAD_SIGNATURE: (
        "invalid_signature",
        "No signature matches: sign `{webhook-id}.{webhook-timestamp}.{raw body}` with this bridge's secret.",
    ),
    Verification.MALFORMED: (
        "invalid_signature",
        "webhook-signature must hold entries of the form v1,<base64>, separated by spaces.",
    ),
}


class BridgeSignatures:
    """Tells which bridge sent a request."""

    def __init__(self, directory: DirectoryHolder, clock: Clock, *, tolerance_seconds: int) -> None:
        self._directory = directory
        self._clock = clock
        self._tolerance_seconds = tolerance_seconds
        self._secrets: dict[int, tuple[int, int | None, list[Secret]]] = {}

    async def verified(self, headers: Mapping[bytes, bytes], body: bytes) -> tuple[Bridge, str]:
        """Find the bridge and check its signature; before refusing, look whether it was changed elsewhere.

        Another process may have added the bridge or turned its secret a moment ago.

        Returns:
            The bridge, and the request's `webhook-id`.

        Raises:
            InvalidRequest: invalid_signature or timestamp_out_of_tolerance.
        """
        revision = self._directory.current.revision
        try:
            bridge = self._bridge(headers)
            return bridge, self._verify(bridge, headers, body)
        except InvalidRequest:
            if (await self._directory.refresh()).revision == revision:
                raise
        bridge = self._bridge(headers)
        return bridge, self._verify(bridge, headers, body)

    def _bridge(self, headers: Mapping[bytes, bytes]) -> Bridge:
        text = headers.get(b"x-bridge-id", b"").decode("latin-1")
        if not text:
            raise InvalidRequest(
                "invalid_signature", "Say which bridge signs: send X-Bridge-Id: brg_….", param="X-Bridge-Id"
            )
        try:
            bridge = self._directory.current.bridges_by_id.get(parse_id(Prefix.BRIDGE, text))
        except InvalidId:
            bridge = None
        if bridge is None or not bridge.is_enabled:
            raise InvalidRequest(
                "invalid_signature",
                "No such bridge is enabled; `hub bridges` lists them, POST /v1/bridges adds one.",
                param="X-Bridge-Id",
            )
        return bridge

    def _verify(self, bridge: Bridge, headers: Mapping[bytes, bytes], body: bytes) -> str:
        webhook_id = headers.get(b"webhook-id")
        if webhook_id is not None and not _REQUEST_ID.fullmatch(webhook_id):
            raise InvalidRequest(
                "invalid_signature",
                "webhook-id must be 1 to 255 visible ASCII characters without a dot.",
                param="webhook-id",
            )
        timestamp, signature = headers.get(b"webhook-timestamp"), headers.get(b"webhook-signature")
        now_ms = self._clock.now_ms()
        verdict = verify_standard(
            self._live_secrets(bridge, now_ms),
            webhook_id=_text(webhook_id),
            timestamp_text=_text(timestamp),
            signature_header=_text(signature),
            body=body,
            now_seconds=now_ms // 1000,
            tolerance_seconds=self._tolerance_seconds,
        )
        if verdict is not Verification.OK:
            code, message = _REFUSALS[verdict]
            raise InvalidRequest(code, message)
        assert webhook_id is not None, "a verified request has an id"
        return webhook_id.decode("ascii")

    def _live_secrets(self, bridge: Bridge, now_ms: int) -> list[Secret]:
        """Secrets that sign today; compiled once a revision, less those whose overlap is over."""
        revision = self._directory.current.revision
        known = self._secrets.get(bridge.id)
        if known is not None and known[0] == revision and (known[1] is None or known[1] > now_ms):
            return known[2]
        live = [
            secret for secret in bridge.secrets if secret.expires_at is None or secret.expires_at > now_ms
        ]
        stale_at = min((secret.expires_at for secret in live if secret.expires_at), default=None)
        secrets = [Secret(secret.text) for secret in live]
        self._secrets[bridge.id] = (revision, stale_at, secrets)
        return secrets


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
