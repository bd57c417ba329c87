"""Meta's Graph API on the loopback: what the bridge asks of it, checked strictly, and its faults as switches.

True to facts/bridges.md §3; webhooks are signed here, and not by the bridge's own code.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from multipart import (  # type: ignore[import-untyped]  # multipart ships no types
    MultipartParser,
    parse_options_header,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.flow.bridge_kinds import HookRequest
from tests.bridge.networks import HOOK_URL, hang_up
from tests.support.manual_time import ManualClock

NUMBER_ID, TOKEN, SECRET, VERIFY = "106540352242922", "EAAG-token-of-meta", "app-secret-1", "verify-me-please"
VOICE = b"OggS a voice"
_TYPES = {"audio", "document", "image", "reaction", "sticker", "template", "text", "video"}
_FIELDS = {"biz_opaque_callback_data", "context", "messaging_product", "recipient_type", "type"}


@dataclass
class FakeMeta:
    """One app with one number."""

    clock: ManualClock
    #: As they came, by wamid.
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    signs: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    loses_answer: set[str] = field(default_factory=set)
    loses_request: set[str] = field(default_factory=set)
    #: Recipient → (status, error number) that every send to it gets.
    refuses: dict[str, tuple[int, int]] = field(default_factory=dict)
    upload_fault: tuple[int, int] | None = None
    is_down: bool = False
    token: str = TOKEN
    quality: str = "GREEN"
    #: Where it tells of its number, by what names the address; None: it shows none.
    callbacks: dict[str, str] | None = field(default_factory=lambda: {"application": HOOK_URL})
    #: Where it says that its files are; None: here.
    file_url: str | None = None
    url: str = ""

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v23.0/{number}/messages", self._send, methods=["POST"]),
                Route("/v23.0/{number}/media", self._upload, methods=["POST"]),
                Route("/v23.0/{id}", self._show),
                Route("/cdn/voice", self._cdn),
            ]
        )

    def status(self, wamid: str, word: str, *, error: int | None = None, **more: Any) -> dict[str, Any]:
        """Give a status of a message as it stands in a webhook."""
        sent = self.messages[wamid]
        found: dict[str, Any] = {
            "id": wamid,
            "status": word,
            "timestamp": str(self.clock.now_ms() // 1000),
            **({"recipient_id": sent["to"]} if "to" in sent else {"recipient_user_id": sent["recipient"]}),
            **more,
        }
        if "biz_opaque_callback_data" in sent:
            found["biz_opaque_callback_data"] = sent["biz_opaque_callback_data"]
        if word == "sent":
            found["conversation"] = {"id": "c1", "origin": {"type": "service"}}
            found["pricing"] = {"billable": True, "pricing_model": "PMP", "category": "service"}
        if error is not None:
            found["errors"] = [
                {"code": error, "title": "Some words", "error_data": {"details": "More words"}}
            ]
        return found

    def message(
        self, kind: str, content: object, *, sender: str = "15550100001", **more: Any
    ) -> dict[str, Any]:
        """Give a message of a contact as it stands in a webhook."""
        number = len(self.messages) + int(self.clock.now_ms() % 10**9)
        at = str(self.clock.now_ms() // 1000)
        return {
            "id": f"wamid.IN{number}{kind}",
            "from": sender,
            "timestamp": at,
            "type": kind,
            kind: content,
            **more,
        }

    def hook(
        self, *, number_id: str = NUMBER_ID, change: str = "messages", **things: list[Any]
    ) -> HookRequest:
        """Give a signed webhook with these things in one change."""
        metadata = {"display_phone_number": "15550100000", "phone_number_id": number_id}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **things}
        entry = {"id": "WABA", "changes": [{"field": change, "value": value}]}
        return self.signed({"object": "whatsapp_business_account", "entry": [entry]})

    def signed(self, body: object, *, secret: str = SECRET) -> HookRequest:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        mac = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": f"sha256={mac}", "content-type": "application/json"}
        return HookRequest(method="POST", url=HOOK_URL, query=(), headers=headers, body=raw)

    def _refusal(self, request: Request) -> Response | None:
        if self.is_down:
            return Response("upstream is away", status_code=503)
        is_known = request.headers.get("authorization") == f"Bearer {self.token}"
        return None if is_known else _error(401, 190, "Error validating access token")

    async def _send(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        assert request.path_params["number"] == NUMBER_ID
        assert request.headers["content-type"] == "application/json"
        body = json.loads(await request.body())
        assert body["messaging_product"] == "whatsapp"
        if body.get("status") == "read":
            assert body.keys() <= {"messaging_product", "status", "message_id", "typing_indicator"}
            self.signs.append(body)
            return JSONResponse({"success": True})
        return self._judged(request, body)

    def _judged(self, request: Request, body: dict[str, Any]) -> Response:
        named = "to" if "to" in body else "recipient"
        kind, to = body["type"], body[named]
        assert kind in _TYPES
        assert body.keys() <= _FIELDS | {kind, named}, body.keys()
        assert named == ("to" if to.isdigit() else "recipient")
        assert body["recipient_type"] == "individual"
        assert not to.startswith("+")
        assert len(body.get("biz_opaque_callback_data", "")) <= 512
        media = body[kind].get("id") if isinstance(body[kind], dict) else None
        assert media is None or media in self.uploads
        if to in self.loses_request:
            hang_up(request)
            return Response()
        if to in self.refuses:
            return _error(*self.refuses[to], "Some words")
        wamid = f"wamid.OUT{len(self.messages) + 1}"
        self.messages[wamid] = body
        if to in self.loses_answer:
            hang_up(request)
        contacts = [{"input": to, "wa_id": to}]
        return JSONResponse(
            {"messaging_product": "whatsapp", "contacts": contacts, "messages": [{"id": wamid}]}
        )

    async def _upload(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        _, options = parse_options_header(request.headers["content-type"])
        parser = MultipartParser(BytesIO(await request.body()), options["boundary"], strict=True)
        form = {part.name: part for part in parser.parts()}
        file = form["file"]
        assert form.keys() == {"messaging_product", "type", "file"}
        assert (form["messaging_product"].value, form["type"].value) == ("whatsapp", file.content_type)
        assert file.filename
        if self.upload_fault is not None:
            return _error(*self.upload_fault, "Some words")
        media_id = str(9_000 + len(self.uploads))
        self.uploads[media_id] = (str(file.content_type), file.raw)
        return JSONResponse({"id": media_id})

    async def _show(self, request: Request) -> Response:
        refusal, known_as = self._refusal(request), request.path_params["id"]
        if refusal is not None:
            return refusal
        if known_as == NUMBER_ID and request.query_params.get("fields") == "webhook_configuration":
            called = {} if self.callbacks is None else {"webhook_configuration": self.callbacks}
            return JSONResponse({**called, "id": NUMBER_ID})
        if known_as == NUMBER_ID:
            shown = {"display_phone_number": "+1 555-010-0000", "verified_name": "Hub", "id": NUMBER_ID}
            return JSONResponse({**shown, "quality_rating": self.quality})
        if known_as != "4490709327384033":
            return _error(400, 100, "Unsupported get request. Object does not exist")
        url = self.file_url or f"{self.url}/cdn/voice"
        return JSONResponse({"url": url, "mime_type": "audio/ogg", "sha256": "x", "file_size": len(VOICE)})

    async def _cdn(self, request: Request) -> Response:
        return self._refusal(request) or Response(VOICE, media_type="audio/ogg")


def _error(status: int, number: int, message: str) -> Response:
    error = {"message": f"(#{number}) {message}", "type": "OAuthException", "code": number, "fbtrace_id": "x"}
    return JSONResponse({"error": error}, status_code=status)
