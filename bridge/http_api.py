"""Call a vendor's HTTP API by the guarded way out, and say what it means for a send when no answer came.

Every caller decides on the answers of its own network; here is only what all of them share. Addresses and keys never
stand in what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final

from bridge.taming import json_in, list_in, mapping_in
from hub.flow.calling import Call, CallFailed, Reply, StreamedBody, StreamedReply, UploadCaller
from hub.model.outbox import Disposition, OperationOutcome
from hub.rules.retry import parse_retry_after

#: Of one answer that is read whole.
MOST_ANSWER_BYTES: Final = 8_388_608
#: Of one attachment; what the hub keeps is bounded by itself (files.*).
MOST_FILE_BYTES: Final = 134_217_728
TIMEOUT_SECONDS: Final = 30.0
FILE_SECONDS: Final = 120.0
#: When a network says "too often" and not how long to wait.
USUAL_WAIT_MS: Final = 30_000
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What an API said."""

    status: int
    #: Its body, where that is a JSON object.
    body: Mapping[str, Any]
    #: Its body, where that is a JSON list.
    items: list[Any]
    retry_after_ms: int | None
    #: Whether its body was JSON, and whole: what could not be read is not the same as nothing.
    is_read: bool

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


class HttpApi:
    """One API under one address, with one key."""

    def __init__(self, caller: UploadCaller, *, url: str, authorization: str) -> None:
        """Take where it is.

        Args:
            caller: The guarded way out.
            url: Where every path begins, without a slash at its end.
            authorization: The header of that name; empty for none.
        """
        self._caller = caller
        self.url = url.rstrip("/")
        self._authorization = authorization

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        content_type: str = "",
        now_ms: int = 0,
        more: tuple[tuple[bytes, bytes], ...] = (),
    ) -> Answer:
        """Send one request and read the answer; `more` are headers of this one.

        Raises:
            CallFailed: There is none.
        """
        call = self._call(method, path, content_type, more, body=body, seconds=TIMEOUT_SECONDS)
        return _read(await self._caller.send(call), now_ms)

    async def upload(
        self,
        path: str,
        body: StreamedBody,
        *,
        content_type: str,
        now_ms: int,
        more: tuple[tuple[bytes, bytes], ...] = (),
    ) -> Answer:
        """POST a body that is read meanwhile, once; `more` are headers.

        Raises:
            CallFailed: There is no answer.
            Exception: As reading the body raised it.
        """
        call = self._call("POST", path, content_type, more, body=b"", seconds=FILE_SECONDS)
        return _read(await self._caller.upload(call, body), now_ms)

    def open(self, url: str, *, is_authorized: bool) -> AbstractAsyncContextManager[StreamedReply]:
        """Ask for a file.

        Args:
            url: Whole.
            is_authorized: Whether the key goes along: never to an address that somebody else gave.
        """
        call = Call(
            method="GET",
            url=url,
            headers=self._headers() if is_authorized else (),
            body=b"",
            timeout_seconds=FILE_SECONDS,
            max_response_bytes=MOST_FILE_BYTES,
            is_repeatable=True,
        )
        return self._caller.stream(call)

    def _call(
        self,
        method: str,
        path: str,
        content_type: str,
        more: tuple[tuple[bytes, bytes], ...],
        *,
        body: bytes,
        seconds: float,
    ) -> Call:
        headers = self._headers() + more
        if content_type:
            headers += ((b"Content-Type", content_type.encode("latin-1", "replace")),)
        return Call(
            method=method,
            url=self.url + path,
            headers=headers,
            body=body,
            timeout_seconds=seconds,
            max_response_bytes=MOST_ANSWER_BYTES,
            is_repeatable=method == "GET",
        )

    def _headers(self) -> tuple[tuple[bytes, bytes], ...]:
        accepting = (b"Accept", b"application/json")
        if not self._authorization:
            return (accepting,)
        return (accepting, (b"Authorization", self._authorization.encode("latin-1", "replace")))


def _read(reply: Reply, now_ms: int) -> Answer:
    wait = header_of(reply, b"retry-after")
    found = None if reply.is_cut else json_in(reply.body)
    return Answer(
        status=reply.status,
        body=mapping_in(found),
        items=list_in(found),
        retry_after_ms=None if wait is None else parse_retry_after(wait, now_ms),
        is_read=found is not None,
    )


def header_of(reply: Reply | StreamedReply, name: bytes) -> str | None:
    """Give the first header of a name in small letters."""
    return next((value.decode("latin-1") for each, value in reply.headers if each.lower() == name), None)


def unanswered(error: CallFailed) -> OperationOutcome:
    """Say what a call without an answer means for a send."""
    match error.kind:
        case "not_sent":
            return OperationOutcome(
                disposition=Disposition.NOT_STARTED,
                code="network_unreachable",
                detail=error.detail,
                is_retry_safe=True,
            )
        case "refused":
            return rejected("address_refused", error.detail)
        case _:
            return unknown("no_answer", error.detail)


def rejected(code: str, detail: str, *, parts_done: int = 0) -> OperationOutcome:
    """Say that it will never be done."""
    return OperationOutcome(disposition=Disposition.REJECTED, code=code, detail=detail, parts_done=parts_done)


def unknown(code: str, detail: str) -> OperationOutcome:
    """Say that nobody knows whether it was done."""
    return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code=code, detail=detail)


def put_off(code: str, detail: str, *, wait_ms: int | None) -> OperationOutcome:
    """Say that it was certainly not done, and may be tried again after a while."""
    return OperationOutcome(
        disposition=Disposition.NOT_STARTED,
        code=code,
        detail=detail,
        is_retry_safe=True,
        retry_after_ms=wait_ms,
    )


def accepted(provider_id: str | None = None) -> OperationOutcome:
    """Say that the network has it."""
    return OperationOutcome(disposition=Disposition.ACCEPTED, provider_id=provider_id)
