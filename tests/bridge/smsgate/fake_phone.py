"""SMS Gateway for Android on the loopback: what the bridge asks of it, checked strictly, and its faults as switches.

True to the app's source (routes and payloads of its local server) as told in facts/bridges.md §4; webhooks are signed
here by the words of that source, and not by the bridge's own code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.flow.bridge_kinds import HookRequest
from tests.bridge.networks import CONTACT, HOOK_URL, hang_up
from tests.support.manual_time import ManualClock

USER, PASSWORD, KEY = "sms", "pa:ss word", "signing-key"
PICTURE = b"\x89PNG by MMS"
DEVICE = "PyDmBQZZXYmyxMwED8Fzy"
_FIELDS = {"deviceId", "id", "textMessage", "phoneNumbers", "withDeliveryReport", "simNumber", "ttl"}
_STATES = {"sms:sent": "Sent", "sms:delivered": "Delivered", "sms:failed": "Failed"}
_DATES = {"sms:sent": "sentAt", "sms:delivered": "deliveredAt", "sms:failed": "failedAt"}


@dataclass
class FakePhone:
    """One phone."""

    clock: ManualClock
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    #: How often each message was put on the air.
    sent: dict[str, int] = field(default_factory=dict)
    webhooks: dict[str, dict[str, str]] = field(default_factory=dict)
    #: How often one was set.
    webhooks_set: int = 0
    #: An app that is installed anew between two polls has none.
    forgets_webhooks: bool = False
    exports: list[dict[str, str]] = field(default_factory=list)
    loses_answer: set[str] = field(default_factory=set)
    loses_request: set[str] = field(default_factory=set)
    #: Recipient → status that every send to it gets.
    refuses: dict[str, int] = field(default_factory=dict)
    is_down: bool = False
    #: What it shows of itself, or the cloud of the account's phones; None: an older version that shows nothing.
    devices: list[dict[str, Any]] | None = None
    #: Whether it lists what came in, and tells MMS again (newer versions).
    has_inbox: bool = True
    #: Older versions of the app list no messages.
    has_list: bool = True
    password: str = PASSWORD
    key: str = KEY

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/messages", self._create, methods=["POST"]),
                Route("/messages", self._list),
                Route("/messages/inbox/export", self._export, methods=["POST"]),
                Route("/inbox/refresh", self._refresh, methods=["POST"]),
                Route("/device", self._devices),
                Route("/messages/{id}", self._get),
                Route("/webhooks", self._webhooks),
                Route("/webhooks", self._set_webhook, methods=["POST"]),
                Route("/inbox/{id}/attachments/{part}", self._attachment),
            ]
        )

    def progress(self, own_id: str, event: str, reason: str = "") -> HookRequest:
        """Move a message on, and give the webhook that tells so."""
        message = self.messages[own_id]
        message["state"] = message["recipients"][0]["state"] = _STATES[event]
        message["recipients"][0]["error"] = reason or None
        message["states"][_STATES[event]] = self.now()
        payload = {"sender": None, "recipient": message["recipients"][0]["phoneNumber"], "simNumber": 1}
        payload |= {"messageId": own_id, "phoneNumber": payload["recipient"], _DATES[event]: self.now()}
        payload |= {"partsCount": 1} if event == "sms:sent" else {}
        return self.told(event, payload | ({"reason": reason} if event == "sms:failed" else {}))

    def receive(self, text: str, *, sender: str = CONTACT, sim: int | None = 1) -> HookRequest:
        """Let a contact write, and give the webhook."""
        payload = {
            "messageId": f"{zlib.crc32((text + sender).encode()):x}",
            "sender": sender,
            "recipient": None,
            "phoneNumber": sender,
            "simNumber": sim,
            "message": text,
            "receivedAt": self.now(),
        }
        return self.told("sms:received", payload)

    def told(self, event: str, payload: object) -> HookRequest:
        """Give a webhook as the phone sends it."""
        webhook = {
            "id": "Ey6ECgOkVVFjz3CL48B8C",
            "webhookId": "hub-brg_1",
            "deviceId": "00000001",
            "event": event,
        }
        return self.signed(json.dumps(webhook | {"payload": payload}).encode())

    def signed(self, body: bytes, *, stamp: str | None = None, key: str | None = None) -> HookRequest:
        stamp = str(self.clock.now_ms() // 1000) if stamp is None else stamp
        mac = hmac.new((key or self.key).encode(), body + stamp.encode(), hashlib.sha256)
        headers = {"x-signature": mac.hexdigest(), "x-timestamp": stamp, "content-type": "application/json"}
        return HookRequest(method="POST", url=HOOK_URL, query=(), headers=headers, body=body)

    def now(self) -> str:
        at = datetime.fromtimestamp(self.clock.now_ms() / 1000, tz=UTC)
        return at.isoformat(timespec="milliseconds")

    def _refusal(self, request: Request) -> Response | None:
        if self.is_down:
            return JSONResponse({"message": "java.lang.IllegalStateException"}, status_code=500)
        expected = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        is_known = request.headers.get("authorization") == f"Basic {expected}"
        return None if is_known else Response(status_code=401)

    async def _create(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        assert request.headers["content-type"] == "application/json"
        body = json.loads(await request.body())
        assert body.keys() <= _FIELDS, body.keys()
        assert body["textMessage"].keys() == {"text"}
        [to] = body["phoneNumbers"]
        if to in self.loses_request:
            hang_up(request)
            return Response()
        if to in self.refuses:
            return JSONResponse({"message": "Invalid phone number"}, status_code=self.refuses[to])
        if body["id"] in self.messages:
            return JSONResponse({"message": "Message with the same ID already exists"}, status_code=409)
        self.bodies.append(body)
        self.sent[body["id"]] = self.sent.get(body["id"], 0) + 1
        message = {
            "id": body["id"],
            "deviceId": "00000001",
            "state": "Pending",
            "isHashed": False,
            "isEncrypted": False,
            "recipients": [{"phoneNumber": to, "state": "Pending", "error": None}],
            "states": {"Pending": self.now()},
        }
        self.messages[body["id"]] = message
        if to in self.loses_answer:
            hang_up(request)
        return JSONResponse(message, status_code=202)

    async def _get(self, request: Request) -> Response:
        found = self.messages.get(request.path_params["id"])
        return self._refusal(request) or (JSONResponse(found) if found else Response(status_code=404))

    async def _list(self, request: Request) -> Response:
        if not self.has_list:
            return self._refusal(request) or Response(status_code=405)
        if self.forgets_webhooks:
            self.webhooks.clear()
        query = dict(request.query_params)
        assert query.keys() == {"from", "to", "limit", "offset"}
        since, until = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        assert since <= until
        first, limit = int(query["offset"]), int(query["limit"])
        return self._refusal(request) or JSONResponse([*self.messages.values()][first : first + limit])

    async def _webhooks(self, request: Request) -> Response:
        return self._refusal(request) or JSONResponse([*self.webhooks.values()])

    async def _set_webhook(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        webhook = json.loads(await request.body())
        assert webhook.keys() - {"deviceId"} == {"id", "url", "event"}
        assert len(webhook["id"]) <= 36, "the cloud takes no longer id"
        if not webhook["url"].startswith("https://"):
            text = "url must start with https:// or http://127.0.0.1"
            return JSONResponse({"message": text}, status_code=400)
        self.webhooks[webhook["id"]] = webhook
        self.webhooks_set += 1
        return JSONResponse({**webhook, "deviceId": None, "source": "Local"}, status_code=201)

    async def _devices(self, request: Request) -> Response:
        if self.devices is None:
            return self._refusal(request) or Response(status_code=404)
        return self._refusal(request) or JSONResponse(self.devices)

    async def _refresh(self, request: Request) -> Response:
        if not self.has_inbox:
            return self._refusal(request) or Response(status_code=404)
        body = json.loads(await request.body())
        assert body.keys() - {"deviceId"} == {"since", "until", "messageTypes", "triggerWebhooks"}
        assert body["triggerWebhooks"] is True
        self.exports.append(body)
        return self._refusal(request) or Response(status_code=202)

    async def _export(self, request: Request) -> Response:
        body = json.loads(await request.body())
        assert body.keys() - {"deviceId"} == {"since", "until"}
        assert datetime.fromisoformat(body["since"]) <= datetime.fromisoformat(body["until"])
        self.exports.append(body)
        return self._refusal(request) or Response(status_code=202)

    async def _attachment(self, request: Request) -> Response:
        if request.path_params["part"] == "404":
            return Response(status_code=404)
        return self._refusal(request) or Response(PICTURE, media_type="image/png")
