"""The messages of Anthropic.

Written from memory of the public reference (POST /v1/messages with `anthropic-version: 2023-06-01`, streamed as named
server-sent events); never seen on a live wire here.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hub.ai.wire import Document, Fault, WireProblem, WireRequest, fault_of, finish_reason
from hub.model.draft import Delta, Draft, FinishReason, Prompt, Usage

_VERSION: Final = b"2023-06-01"
_REASONS: Final = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "refusal": FinishReason.FILTERED,
}
_PASSING: Final = frozenset({"overloaded_error", "rate_limit_error", "api_error", "timeout_error"})
_SETTINGS: Final = frozenset({"authentication_error", "permission_error", "not_found_error", "billing_error"})


class AnthropicWire:
    """Speaks messages."""

    def __init__(self, *, base_url: str, model: str, api_key: str) -> None:
        """Make the wire.

        Args:
            base_url: Without the version and without a slash at its end: https://api.anthropic.com.
            model: Its name.
            api_key: Empty for a server without keys.
        """
        self._url = f"{base_url}/v1/messages"
        self._model = model
        key = ((b"x-api-key", api_key.encode()),) if api_key else ()
        self._headers = (
            (b"content-type", b"application/json"),
            (b"accept", b"application/json"),
            (b"anthropic-version", _VERSION),
            *key,
        )

    def request(self, prompt: Prompt, *, max_output_tokens: int, is_streamed: bool) -> WireRequest:
        body: dict[str, object] = {
            "model": self._model,
            "max_tokens": max_output_tokens,
            "messages": [{"role": turn.role, "content": turn.content} for turn in prompt.turns],
        }
        if prompt.system:
            body["system"] = prompt.system
        if is_streamed:
            body["stream"] = True
        return WireRequest(url=self._url, headers=self._headers, body=msgspec.json.encode(body))

    def draft(self, body: bytes) -> Draft:
        document = Document.read(body)
        words = [block["text"].text or "" for block in document["content"].items()]
        reason = document["stop_reason"].text
        if not words:
            if reason == "refusal":
                raise WireProblem(Fault.REFUSED, "the model will not answer this")
            raise WireProblem(Fault.PASSING, "its answer holds no words")
        usage = document["usage"]
        read, written = usage["input_tokens"].count, usage["output_tokens"].count
        is_counted = read is not None and written is not None
        return Draft(
            text="".join(words),
            model=document["model"].text or self._model,
            finish_reason=finish_reason(reason, _REASONS),
            usage=Usage(input_tokens=read or 0, output_tokens=written or 0) if is_counted else None,
        )

    def delta(self, data: str) -> Delta | None:
        document = Document.read(data)
        match document["type"].text:
            case "error":
                raise self._error(document, Fault.PASSING, "it broke off")
            case "message_start":
                message = document["message"]
                return Delta(model=message["model"].text, input_tokens=message["usage"]["input_tokens"].count)
            case "content_block_delta":
                return Delta(text=document["delta"]["text"].text or "")
            case "message_delta":
                reason = document["delta"]["stop_reason"].text
                return Delta(
                    finish_reason=None if reason is None else finish_reason(reason, _REASONS),
                    output_tokens=document["usage"]["output_tokens"].count,
                )
            case _:
                return None

    def problem(self, status: int, body: bytes) -> WireProblem:
        try:
            document = Document.read(body)
        except WireProblem:
            document = Document(None)
        return self._error(document, fault_of(status), f"it answered {status}")

    def _error(self, document: Document, fault: Fault, otherwise: str) -> WireProblem:
        kind = document["error"]["type"].text
        if kind in _PASSING:
            fault = Fault.PASSING
        elif kind in _SETTINGS:
            fault = Fault.SETTINGS
        return WireProblem(fault, document["error"]["message"].text or otherwise)
