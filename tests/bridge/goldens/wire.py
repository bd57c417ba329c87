"""The way out of a bridge under test: it writes down what is asked, and answers what a file says."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from multipart import (  # type: ignore[import-untyped]  # multipart ships no types
    MultipartParser,
    parse_options_header,
)

from hub.flow.calling import Call, CallFailed, Reply, Socket, SocketCall, StreamedBody, StreamedReply


class ScriptedWire:
    """Answers in order; whoever asks for more than the script has gets no answer, and it is written down."""

    def __init__(self, answers: Sequence[Any] = ()) -> None:
        self._answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    async def send(self, call: Call) -> Reply:
        return self._answer(call)

    async def upload(self, call: Call, body: StreamedBody) -> Reply:
        content = b"".join([piece async for piece in body.pieces])
        assert len(content) == body.size
        return self._answer(replace(call, body=content))

    def _answer(self, call: Call) -> Reply:
        self.asked.append(shown_call(call))
        answer = self._answers.pop(0) if self._answers else None
        if answer is None:
            raise CallFailed("unknown", "the connection broke off")
        headers = tuple(
            (name.encode(), str(value).encode()) for name, value in answer.get("headers", {}).items()
        )
        body = msgspec.json.encode(answer["json"]) if "json" in answer else answer.get("text", "").encode()
        return Reply(status=answer.get("status", 200), headers=headers, body=body, is_cut=False)

    def stream(self, call: Call) -> AbstractAsyncContextManager[StreamedReply]:
        raise CallFailed("not_sent", "golden files hold no streams")

    def connect(self, call: SocketCall) -> AbstractAsyncContextManager[Socket]:
        raise CallFailed("not_sent", "golden files hold no sockets")


def shown_call(call: Call) -> dict[str, Any]:
    """Write a request as a golden file has it."""
    headers = {name.decode(): value.decode("latin-1") for name, value in call.headers}
    shown: dict[str, Any] = {"method": call.method, "url": call.url, "headers": headers}
    kind, options = parse_options_header(headers.get("Content-Type", ""))
    if not call.body:
        return shown
    if kind == "application/json":
        return {**shown, "json": msgspec.json.decode(call.body)}
    if kind == "application/x-www-form-urlencoded":
        return {
            **shown,
            "form": [list(pair) for pair in parse_qsl(call.body.decode(), keep_blank_values=True)],
        }
    if kind == "multipart/form-data":
        headers["Content-Type"] = "multipart/form-data; boundary=…"
        parser = MultipartParser(BytesIO(call.body), options["boundary"], strict=True)
        parts = [
            {"name": part.name, "filename": part.filename, "type": part.content_type, "text": _text(part.raw)}
            for part in parser.parts()
        ]
        return {**shown, "parts": parts}
    return {**shown, "text": _text(call.body)}


def _text(content: bytes) -> str:
    return content.decode("utf-8", "backslashreplace")
