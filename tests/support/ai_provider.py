"""Language model providers on the loopback: real servers that speak both wires, and fail in the ways that they do.

What they answer follows the public references, from memory; tests/ai/test_provider.py holds them to it.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.outbound.receivers import Receiver, Visit, listening

#: One answer: takes what was asked, gives status, headers and body in pieces.
Reply = Callable[[dict[str, Any]], "Told"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What the server sends."""

    status: int = 200
    headers: tuple[str, ...] = ()
    pieces: Sequence[bytes] = ()
    #: Close the connection in the middle of the body.
    is_cut: bool = False


def _json(body: object, status: int = 200, *headers: str) -> Told:
    return Told(status=status, headers=headers, pieces=[json.dumps(body).encode()])


def openai_words(text: str, *, reason: str = "stop") -> Reply:
    """A chat completion, streamed if that was asked."""

    def tell(asked: dict[str, Any]) -> Told:
        if asked.get("stream"):
            return Told(pieces=[*map(_data, _openai_chunks(asked, text, reason)), b"data: [DONE]\n\n"])
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text, "refusal": None},
            "finish_reason": reason,
        }
        return _json(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "model": f"{asked['model']}-2025",
                "choices": [choice],
                "usage": {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17},
            }
        )

    return tell


def _openai_chunks(asked: dict[str, Any], text: str, reason: str) -> list[dict[str, Any]]:
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": f"{asked['model']}-2025"}
    deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in _words(text))]
    chunks = [
        frame | {"choices": [{"index": 0, "delta": each, "finish_reason": None}], "usage": None}
        for each in deltas
    ]
    end = frame | {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}], "usage": None}
    counted = frame | {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 5}}
    return [*chunks, end, counted]


def anthropic_words(text: str, *, reason: str = "end_turn") -> Reply:
    """A message, streamed if that was asked."""

    def tell(asked: dict[str, Any]) -> Told:
        if asked.get("stream"):
            return Told(pieces=[_named(each) for each in _anthropic_events(asked, text, reason)])
        return _json(
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": f"{asked['model']}-2025",
                "content": [{"type": "text", "text": text}] if text else [],
                "stop_reason": reason,
                "usage": {"input_tokens": 12, "output_tokens": 5},
            }
        )

    return tell


def _anthropic_events(asked: dict[str, Any], text: str, reason: str) -> list[dict[str, Any]]:
    message = {"model": f"{asked['model']}-2025", "usage": {"input_tokens": 12, "output_tokens": 1}}
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        for word in _words(text)
    ]
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]


def openai_problem(status: int, code: str, message: str, *headers: str) -> Reply:
    """An error as OpenAI tells it."""
    return lambda asked: _json({"error": {"message": message, "type": code, "code": code}}, status, *headers)


def anthropic_problem(status: int, kind: str, message: str, *headers: str) -> Reply:
    """An error as Anthropic tells it."""
    return lambda asked: _json(
        {"type": "error", "error": {"type": kind, "message": message}}, status, *headers
    )


def raw(*pieces: bytes, status: int = 200, is_cut: bool = False) -> Reply:
    """Anything else."""
    return lambda asked: Told(status=status, pieces=pieces, is_cut=is_cut)


def _words(text: str) -> list[str]:
    return [word + " " for word in text.split(" ")[:-1]] + text.split(" ")[-1:]


def _data(document: object) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def _named(document: dict[str, Any]) -> bytes:
    return f"event: {document['type']}\n".encode() + _data(document)


@dataclass(slots=True)
class Provider:
    """A provider that is listening."""

    receiver: Receiver
    answers: list[Reply]

    @property
    def url(self) -> str:
        return self.receiver.url("").rstrip("/")

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The bodies of all requests."""
        return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in self.receiver.requests]

    @property
    def heads(self) -> list[str]:
        """The heads of all requests."""
        return [request.partition(b"\r\n\r\n")[0].decode() for request in self.receiver.requests]


@asynccontextmanager
async def providing(*answers: Reply) -> AsyncIterator[Provider]:
    """Run a provider that gives these answers in turn, the last one for ever."""
    left = list(answers)

    async def behave(visit: Visit) -> None:
        while (request := await visit.read_request()) is not None:
            told = (left.pop(0) if len(left) > 1 else left[0])(json.loads(request.partition(b"\r\n\r\n")[2]))
            await visit.send(_head(told), *[b"%x\r\n%s\r\n" % (len(piece), piece) for piece in told.pieces])
            if told.is_cut:
                return
            await visit.send(b"0\r\n\r\n")

    async with listening(behave) as receiver:
        yield Provider(receiver, left)


def _head(told: Told) -> bytes:
    lines = [f"HTTP/1.1 {told.status} Told", "Transfer-Encoding: chunked", *told.headers, "", ""]
    return "\r\n".join(lines).encode()
