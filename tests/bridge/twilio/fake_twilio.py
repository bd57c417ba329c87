"""Twilio on the loopback: what the bridge asks of it, checked strictly, and its faults as switches.

True to facts/bridges.md §4 and the resources of the vendor's own client; webhooks are signed by the vendor's validator.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # Twilio ships no types

from hub.flow.bridge_kinds import HookRequest
from hub.flow.ports import Clock
from tests.bridge.networks import HOOK_URL, hang_up

ACCOUNT = "AC" + "0a" * 16
TOKEN = "auth-token-of-twilio"
ROOT = f"/2010-04-01/Accounts/{ACCOUNT}"
PICTURE = b"\x89PNG from a contact"
_FIELDS = {"To", "From", "Body", "MediaUrl", "StatusCallback", "ValidityPeriod", "MessagingServiceSid"}
_REFUSED = {
    "+15550100211": (400, 21211, "The 'To' number is not a valid phone number."),
    "+15550100610": (400, 21610, "Attempt to send to unsubscribed recipient"),
    "+15550100429": (429, 20429, "Too Many Requests"),
    "+15550100111": (400, 29999, "Something new"),
}


@dataclass
class FakeTwilio:
    """One account."""

    clock: Clock
    messages: list[dict[str, Any]] = field(default_factory=list)
    callbacks: dict[str, str] = field(default_factory=dict)
    #: What was sent: to whom, by the form as it came.
    forms: list[list[tuple[str, str]]] = field(default_factory=list)
    #: Recipients whose answer is lost after, or before, Twilio has the message.
    loses_answer: set[str] = field(default_factory=set)
    loses_request: set[str] = field(default_factory=set)
    breaks: set[str] = field(default_factory=set)
    hangs: set[str] = field(default_factory=set)
    is_down: bool = False
    status: str = "active"
    sms_url: str = HOOK_URL
    numbers: set[str] = field(default_factory=lambda: {"+15550100000"})
    page_size: int = 1000
    token: str = TOKEN
    #: An API key and its secret.
    api_key: tuple[str, str] | None = None
    listed: list[dict[str, str]] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(f"{ROOT}.json", self._account),
                Route(f"{ROOT}/IncomingPhoneNumbers.json", self._numbers),
                Route(f"{ROOT}/Messages.json", self._create, methods=["POST"]),
                Route(f"{ROOT}/Messages.json", self._list),
                Route(ROOT + "/Messages/{sid}/Media.json", self._media),
                Route(ROOT + "/Messages/{sid}/Media/{media}", self._file),
                Route("/cdn/picture", self._cdn),
            ]
        )

    def arrived(self, to: str, body: str | None = None) -> int:
        return sum(1 for each in self.messages if each["to"] == to and body in (None, each["body"]))

    def progress(self, sid: str, status: str, error_code: int | None = None) -> HookRequest:
        """Move a message on, and give the webhook that tells so."""
        message = next(each for each in self.messages if each["sid"] == sid)
        message.update(status=status, error_code=error_code, date_updated=self._now())
        if status not in {"queued", "accepted", "sending"}:
            message["date_sent"] = message["date_sent"] or self._now()
        form = {
            "MessageSid": sid,
            "SmsSid": sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "To": message["to"],
            "From": message["from"],
            "AccountSid": ACCOUNT,
            "ApiVersion": "2010-04-01",
        }
        if error_code is not None:
            form["ErrorCode"] = str(error_code)
        return self.signed(form, url=self.callbacks.get(sid, HOOK_URL))

    def receive(
        self,
        body: str,
        *,
        sender: str,
        files: int = 0,
        to: str = "+15550100000",
        url: str = HOOK_URL,
        **more: str,
    ) -> HookRequest:
        """Let a contact write, and give the webhook."""
        sid = self._sid("MM" if files else "SM")
        self.messages.append(
            self._resource(sid, source=sender, to=to, body=body, direction="inbound", files=files)
        )
        form = {
            "MessageSid": sid,
            "SmsSid": sid,
            "SmsMessageSid": sid,
            "AccountSid": ACCOUNT,
            "From": sender,
            "To": to,
            "Body": body,
            "NumMedia": str(files),
            "NumSegments": "1",
            "SmsStatus": "received",
            "FromCity": "SAN FRANCISCO",
            "FromZip": "",
            **more,
        }
        for index in range(files):
            form[f"MediaUrl{index}"] = f"https://api.twilio.com{ROOT}/Messages/{sid}/Media/ME{index:032x}"
            form[f"MediaContentType{index}"] = "image/png"
        return self.signed(form, url=url)

    def signed(self, form: dict[str, str], *, url: str = HOOK_URL, token: str | None = None) -> HookRequest:
        """Give a webhook as Twilio signs it."""
        signature = RequestValidator(token or self.token).compute_signature(url, form)
        return HookRequest(
            method="POST",
            url=url,
            query=parse_qsl(urlsplit(url).query),
            headers={
                "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
                "x-twilio-signature": str(signature),
            },
            body=urlencode(form).encode(),
        )

    def _refusal(self, request: Request) -> Response | None:
        if self.is_down:
            return Response("upstream is away", status_code=503)
        known = [(ACCOUNT, self.token), *([self.api_key] if self.api_key else [])]
        keys = [base64.b64encode(f"{user}:{secret}".encode()).decode() for user, secret in known]
        if request.headers.get("authorization") not in [f"Basic {key}" for key in keys]:
            return _error(401, 20003, "Authenticate")
        return None

    async def _create(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True, strict_parsing=True)
        form = dict(pairs)
        assert form.keys() <= _FIELDS, form.keys()
        files = [value for name, value in pairs if name == "MediaUrl"]
        fault = await self._fault(request, form["To"]) or _judged(form, files)
        if fault is not None:
            return fault
        self.forms.append(pairs)
        sid = self._sid("MM" if files else "SM")
        message = self._resource(
            sid, source=form["From"], to=form["To"], body=form.get("Body", ""), files=len(files)
        )
        self.messages.append(message)
        if "StatusCallback" in form:
            self.callbacks[sid] = form["StatusCallback"]
        if form["To"] in self.loses_answer:
            hang_up(request)
        return JSONResponse(message, status_code=201)

    async def _fault(self, request: Request, to: str) -> Response | None:
        if to in self.loses_request:
            hang_up(request)
            return Response()
        if to in self.hangs:
            await request.receive()  # until whoever asked goes away
            return Response()
        if to in self.breaks:
            return _error(500, 20500, "Internal Server Error")
        return _error(*_REFUSED[to]) if to in _REFUSED else None

    async def _list(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        query = dict(request.query_params)
        assert query.keys() <= {"To", "From", "DateSent>", "PageSize", "Page", "PageToken"}, query
        self.listed.append(query)
        found = [
            each
            for each in reversed(self.messages)
            if query.get("To") in (None, each["to"])
            and query.get("From") in (None, each["from"])
            and self._is_since(each, query.get("DateSent>"))
        ]
        first, size = int(query.get("Page", "0")), min(self.page_size, int(query.get("PageSize", "50")))
        shown, rest = found[first * size : (first + 1) * size], found[(first + 1) * size :]
        next_query = urlencode({**query, "Page": first + 1, "PageToken": "PASM1"})
        next_page = f"{ROOT}/Messages.json?{next_query}" if rest else None
        return JSONResponse({"messages": shown, "page": first, "page_size": size, "next_page_uri": next_page})

    def _is_since(self, message: dict[str, Any], since: str | None) -> bool:
        if since is None:
            return True
        sent = message["date_sent"]
        at = datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return sent is not None and datetime.strptime(sent, "%a, %d %b %Y %H:%M:%S %z") >= at

    async def _media(self, request: Request) -> Response:
        sid = request.path_params["sid"]
        message = next(each for each in self.messages if each["sid"] == sid)
        media = [
            {"sid": f"ME{index:032x}", "parent_sid": sid, "content_type": "image/png"}
            for index in range(int(message["num_media"]))
        ]
        return self._refusal(request) or JSONResponse({"media_list": media, "next_page_uri": None})

    async def _file(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        if request.path_params["media"] == f"ME{9:032x}":
            return _error(404, 20404, "The requested resource was not found")
        return RedirectResponse("/cdn/picture", status_code=307)

    async def _cdn(self, request: Request) -> Response:
        """The store of files behind Twilio: it refuses who brings a key along that is not its own."""
        is_known = "authorization" not in request.headers
        return Response(PICTURE if is_known else b"", status_code=200 if is_known else 400)

    async def _account(self, request: Request) -> Response:
        return self._refusal(request) or JSONResponse({"sid": ACCOUNT, "status": self.status, "type": "Full"})

    async def _numbers(self, request: Request) -> Response:
        wanted = request.query_params["PhoneNumber"]
        number = {"phone_number": wanted, "sms_url": self.sms_url, "sms_method": "POST"}
        found = [number] if wanted in self.numbers else []
        return self._refusal(request) or JSONResponse({"incoming_phone_numbers": found})

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{len(self.messages) + 1:032x}"

    def _now(self) -> str:
        return format_datetime(datetime.fromtimestamp(self.clock.now_ms() // 1000, tz=UTC))

    def _resource(
        self, sid: str, *, source: str, to: str, body: str, direction: str = "outbound-api", files: int = 0
    ) -> dict[str, Any]:
        is_inbound = direction == "inbound"
        return {
            "sid": sid,
            "account_sid": ACCOUNT,
            "from": source,
            "to": to,
            "body": body,
            "direction": direction,
            "status": "received" if is_inbound else "queued",
            "num_media": str(files),
            "num_segments": "1",
            "error_code": None,
            "error_message": None,
            "date_created": self._now(),
            "date_sent": self._now() if is_inbound else None,
            "date_updated": self._now(),
        }


def _judged(form: dict[str, str], files: list[str]) -> Response | None:
    if not form.get("Body") and not files:
        return _error(400, 21619, "A text message body or media urls must be specified.")
    if len(form.get("Body", "")) > 1600:
        return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    return None


def _error(status: int, code: int, message: str) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse(
        {"code": code, "message": message, "more_info": more, "status": status}, status_code=status
    )
