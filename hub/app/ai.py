"""The language model, from the settings."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from hub.ai.anthropic import AnthropicWire
from hub.ai.client import AiClient, AiTiming
from hub.ai.openai import OpenAiWire
from hub.ai.wire import Wire
from hub.config.sections import Ai
from hub.flow.generate import AiConnection
from hub.flow.ports import Clock
from hub.model.draft import AiLimits, AiPrices
from hub.model.errors import HubError
from hub.observe.metrics import Metrics
from hub.outbound.calling import GuardedCaller
from hub.outbound.client import OutboundClient

MICROS: Final = 1_000_000
#: Where providers are unless the operator says otherwise.
HOMES: Final = {
    "anthropic": "https://api.anthropic.com",
    "openai": "https://api.openai.com/v1",
}


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
        drafter=AiClient(wire=_wire(ai), caller=GuardedCaller(outbound), timing=timing),
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
