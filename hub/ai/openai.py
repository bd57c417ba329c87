"""The chat completions of OpenAI, and of the many servers that speak the same.

Written from memory of the public reference (POST /chat/completions, streamed as server-sent events that end with
`[DONE]`); never seen on a live wire here.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hub.ai.wire import Document, Fault, WireProblem, WireRequest, fault_of, finish_reason
from hub.model.draft import Delta, Draft, FinishReason, Prompt, Usage

_REASONS: Final = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "content_filter": FinishReason.FILTERED,
}
#: Said with 429, but waiting does not help.
_EMPTY_ACCOUNT: Final = "insufficient_quota"
_BAD_SETTINGS: Final = frozenset({"invalid_api_key", "model_not_found", "unsupported_parameter"})
_LAST: Final = "[DONE]"


class OpenAiWire:
    """Speaks chat completions."""

    def __init__(self, *, base_url: str, model: str, api_key: str, limit_field: str) -> None:
        """Make the wire.

        Args:
            base_url: With the version, without a slash at its end: https://api.openai.com/v1.
            model: Its name.
            api_key: Empty for a server without keys.
            limit_field: How the most output tokens are called: `max_completion_tokens` at OpenAI itself,
                `max_tokens` at most servers that imitate it.
        """
        self._url = f"{base_url}/chat/completions"
        self._model = model
        self._limit_field = limit_field
        key = ((b"authorization", f"Bearer {api_key}".encode()),) if api_key else ()
        self._headers = ((b"content-type", b"application/json"), (b"accept", b"application/json"), *key)

    def request(self, prompt: Prompt, *, max_output_tokens: int, is_streamed: bool) -> WireRequest:
        system = [{"role": "system", "content": prompt.system}] if prompt.system else []
        turns = [{"role": turn.role, "content": turn.content} for turn in prompt.turns]
        body: dict[str, object] = {
            "model": self._model,
            "messages": [*system, *turns],
            self._limit_field: max_output_tokens,
        }
        if is_streamed:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return WireRequest(url=self._url, headers=self._headers, body=msgspec.json.encode(body))

    def draft(self, body: bytes) -> Draft:
        document = Document.read(body)
        choice = document["choices"][0]
        text = choice["message"]["content"].text
        if text is None:
            refusal = choice["message"]["refusal"].text
            if refusal is None:
                raise WireProblem(Fault.PASSING, "its answer holds no words")
            raise WireProblem(Fault.REFUSED, refusal)
        usage = document["usage"]
        read, written = usage["prompt_tokens"].count, usage["completion_tokens"].count
        is_counted = read is not None and written is not None
        return Draft(
            text=text,
            model=document["model"].text or self._model,
            finish_reason=finish_reason(choice["finish_reason"].text, _REASONS),
            usage=Usage(input_tokens=read or 0, output_tokens=written or 0) if is_counted else None,
        )

    def delta(self, data: str) -> Delta | None:
        if data.strip() == _LAST:
            return None
        document = Document.read(data)
        if (message := document["error"]["message"].text) is not None:
            raise WireProblem(Fault.PASSING, message)
        choice, usage = document["choices"][0], document["usage"]
        reason = choice["finish_reason"].text
        return Delta(
            text=choice["delta"]["content"].text or "",
            model=document["model"].text,
            finish_reason=None if reason is None else finish_reason(reason, _REASONS),
            input_tokens=usage["prompt_tokens"].count,
            output_tokens=usage["completion_tokens"].count,
        )

    def problem(self, status: int, body: bytes) -> WireProblem:
        try:
            error = Document.read(body)["error"]
        except WireProblem:
            error = Document(None)
        code, fault = error["code"].text, fault_of(status)
        if code == _EMPTY_ACCOUNT or code in _BAD_SETTINGS:
            fault = Fault.SETTINGS
        return WireProblem(fault, error["message"].text or f"it answered {status}")
