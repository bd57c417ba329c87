"""The language model, from the settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from hub.ai.anthropic import AnthropicWire
from hub.ai.client import AiClient, AiTiming, Answer, CallFailed
from hub.ai.openai import OpenAiWire
from hub.ai.wire import Wire, WireRequest
from hub.config.sections import Ai
from hub.flow.generate import AiConnection
from hub.flow.ports import Clock
from hub.model.draft import AiLimits, AiPrices
from hub.model.errors import HubError
from hub.observe.metrics import Metrics
from hub.outbound import OutboundClient, OutboundCode, OutboundError, Request

MICROS: Final = 1_000_000
#: Where providers are unless the operator says otherwise.
HOMES: Final = {
    "anthropic": "https://api.anthropic.com",
    "openai": "https://api.openai.com/v1",
}


#: Of a whole answer, streamed or not.
MOST_ANSWER_BYTES: Final = 8 * 1_048_576
#: Faults of the network that a moment may mend.
PASSING: Final = frozenset(
    {
        OutboundCode.CONNECT_FAILED,
        OutboundCode.CONNECT_TIMEOUT,
        OutboundCode.CONNECTION_LOST,
        OutboundCode.DNS_FAILED,
        OutboundCode.PROTOCOL_ERROR,
        OutboundCode.TIMEOUT,
        OutboundCode.TOO_MANY_CONNECTIONS,
    }
)


class GuardedCaller:
    """Calls providers through the guarded client; hub.ai.client.Caller."""

    def __init__(self, outbound: OutboundClient) -> None:
        self._outbound = outbound

    @asynccontextmanager
    async def post(self, wanted: WireRequest, *, timeout_seconds: float) -> AsyncIterator[Answer]:
        request = Request(
            method="POST",
            url=wanted.url,
            headers=wanted.headers,
            body=wanted.body,
            timeout_seconds=timeout_seconds,
            max_response_bytes=MOST_ANSWER_BYTES,
        )
        try:
            async with self._outbound.stream(request) as answer:
                yield answer
        except OutboundError as error:
            raise CallFailed(error.detail, is_passing=error.code in PASSING) from error


class NoAiKey(HubError):
    """The file that holds the model's key cannot be read."""


def ai_connection(
    ai: Ai, *, outbound: OutboundClient, clock: Clock, metrics: Metrics | None = None
) -> AiConnection | None:
    """Connect the model; None where there is none.

    Raises:
        NoAiKey: ai.api_key_file names no readable file.
    """
    if ai.provider == "none":
        return None
    timing = AiTiming(
        timeout_seconds=ai.timeout_seconds, monotonic=time.monotonic, now_ms=clock.now_ms, sleep=asyncio.sleep
    )
    counted = metrics or Metrics()

    def count(outcome: str, tokens: int) -> None:
        counted.drafts.labels(outcome).inc()
        counted.draft_tokens.inc(tokens)

    return AiConnection(
        on_outcome=count,
        drafter=AiClient(wire=_wire(ai), outbound=GuardedCaller(outbound), timing=timing),
        model=ai.model,
        system_prompt=ai.system_prompt,
        max_output_tokens=ai.max_output_tokens,
        most_characters=ai.max_input_chars,
        limits=AiLimits(
            requests_per_hour=ai.requests_per_hour,
            tokens_per_day=ai.daily_tokens,
            cost_micros_per_day=round(ai.daily_cost * MICROS),
        ),
        # A price per million tokens is as many millionths per token.
        prices=AiPrices(input_micros=ai.input_price, output_micros=ai.output_price),
    )


def _wire(ai: Ai) -> Wire:
    base_url, api_key = (ai.base_url or HOMES[ai.provider]).rstrip("/"), _api_key(ai)
    if ai.provider == "anthropic":
        return AnthropicWire(base_url=base_url, model=ai.model, api_key=api_key)
    limit_field = "max_completion_tokens" if ai.provider == "openai" else "max_tokens"
    return OpenAiWire(base_url=base_url, model=ai.model, api_key=api_key, limit_field=limit_field)


def _api_key(ai: Ai) -> str:
    if not ai.api_key_file:
        return ai.api_key
    path = Path(ai.api_key_file).expanduser()
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoAiKey(
            f"ai.api_key_file: {path} cannot be read ({error}). Check the path and its permissions."
        ) from error
