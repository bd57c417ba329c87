"""The client on real servers that speak both wires, well and badly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from hub.ai.anthropic import AnthropicWire
from hub.ai.client import AiClient, AiTiming
from hub.ai.openai import OpenAiWire
from hub.ai.wire import Wire
from hub.model.draft import Delta, FinishReason, Prompt, Role, Turn, Usage
from hub.model.errors import InvalidRequest
from hub.outbound.calling import GuardedCaller
from hub.rules.egress import EgressPolicy
from tests.support.ai_provider import (
    Provider,
    Reply,
    anthropic_problem,
    anthropic_words,
    openai_problem,
    openai_words,
    providing,
    raw,
)
from tests.support.calling import local_client

PROMPT = Prompt(system="Be brief.", turns=(Turn(role=Role.USER, content="Open on Saturday?"),))
WORDS = "Yes, from nine to one. 🙂"
KEY = "sk-test-abcdef123456"


@dataclass(slots=True)
class HandTime:
    """Time that moves only while somebody waits for it."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """A client, and the provider that it asks."""

    client: AiClient
    provider: Provider
    time: HandTime


def _wire(name: str, url: str) -> Wire:
    if name == "anthropic":
        return AnthropicWire(base_url=url, model="claude", api_key=KEY)
    return OpenAiWire(base_url=f"{url}/v1", model="gpt", api_key=KEY, limit_field="max_tokens")


@asynccontextmanager
async def asking(name: str, *answers: Reply, timeout_seconds: float = 30) -> AsyncIterator[Asker]:
    """Connect a client to a provider."""
    outbound, time = local_client(), HandTime()
    timing = AiTiming(
        timeout_seconds=timeout_seconds, monotonic=lambda: time.now, now_ms=lambda: 0, sleep=time.sleep
    )
    async with providing(*answers) as provider:
        wire = _wire(name, provider.url)
        yield Asker(
            client=AiClient(wire=wire, caller=GuardedCaller(outbound), timing=timing),
            provider=provider,
            time=time,
        )
        await outbound.aclose()


async def _streamed(client: AiClient) -> list[Delta]:
    return [delta async for delta in client.stream(PROMPT, max_output_tokens=50)]


def _text(deltas: Sequence[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


BOTH = {"anthropic": anthropic_words(WORDS), "openai": openai_words(WORDS)}


@pytest.mark.parametrize("name", BOTH)
async def test_a_draft_is_read_whole(name: str) -> None:
    async with asking(name, BOTH[name]) as asker:
        draft = await asker.client.draft(PROMPT, max_output_tokens=50)

    assert draft.text == WORDS
    assert draft.finish_reason is FinishReason.STOP
    assert draft.usage == Usage(input_tokens=12, output_tokens=5)
    assert draft.model.endswith("-2025")


@pytest.mark.parametrize("name", BOTH)
async def test_a_streamed_draft_comes_in_pieces(name: str) -> None:
    async with asking(name, BOTH[name]) as asker:
        deltas = await _streamed(asker.client)

    assert _text(deltas) == WORDS
    assert len([delta for delta in deltas if delta.text]) > 1
    assert [delta.finish_reason for delta in deltas if delta.finish_reason] == [FinishReason.STOP]
    assert [delta.output_tokens for delta in deltas if delta.output_tokens is not None][-1] == 5
    assert [delta.input_tokens for delta in deltas if delta.input_tokens is not None][-1] == 12


async def test_openai_is_asked_as_its_reference_says() -> None:
    async with asking("openai", BOTH["openai"]) as asker:
        await asker.client.draft(PROMPT, max_output_tokens=50)
        (asked,), (head,) = asker.provider.asked, asker.provider.heads

    assert head.startswith("POST /v1/chat/completions HTTP/1.1")
    assert f"authorization: Bearer {KEY}" in head
    assert asked == {
        "model": "gpt",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Open on Saturday?"},
        ],
        "max_tokens": 50,
    }


async def test_anthropic_is_asked_as_its_reference_says() -> None:
    async with asking("anthropic", BOTH["anthropic"]) as asker:
        await asker.client.draft(PROMPT, max_output_tokens=50)
        (asked,), (head,) = asker.provider.asked, asker.provider.heads

    assert head.startswith("POST /v1/messages HTTP/1.1")
    assert f"x-api-key: {KEY}" in head
    assert "anthropic-version: 2023-06-01" in head
    assert asked == {
        "model": "claude",
        "max_tokens": 50,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "Open on Saturday?"}],
    }


PASSING = {
    "429": openai_problem(429, "rate_limit_exceeded", "Slow down."),
    "500": openai_problem(500, "server_error", "Oops."),
    "503, not even JSON": raw(b"<html>busy</html>", status=503),
    "cut off": raw(b'{"choices": [', is_cut=True),
    "no JSON": raw(b"surprise"),
    "no words": raw(b'{"choices": []}'),
}


@pytest.mark.parametrize("trouble", PASSING)
async def test_what_passes_is_tried_again(trouble: str) -> None:
    async with asking("openai", PASSING[trouble], BOTH["openai"]) as asker:
        draft = await asker.client.draft(PROMPT, max_output_tokens=50)

    assert draft.text == WORDS
    assert asker.time.slept == [0.5]


async def test_an_overloaded_anthropic_is_tried_again() -> None:
    busy = anthropic_problem(529, "overloaded_error", "Overloaded")
    async with asking("anthropic", busy, busy, BOTH["anthropic"]) as asker:
        assert (await asker.client.draft(PROMPT, max_output_tokens=50)).text == WORDS

    assert asker.time.slept == [0.5, 1.0]


async def test_it_waits_as_long_as_it_is_asked_to() -> None:
    busy = openai_problem(429, "rate_limit_exceeded", "Slow down.", "Retry-After: 7")
    async with asking("openai", busy, BOTH["openai"]) as asker:
        await asker.client.draft(PROMPT, max_output_tokens=50)

    assert asker.time.slept == [7.0]


async def test_it_does_not_wait_beyond_its_time() -> None:
    busy = openai_problem(429, "rate_limit_exceeded", "Slow down.", "Retry-After: 40")
    async with asking("openai", busy, BOTH["openai"]) as asker:
        with pytest.raises(InvalidRequest) as caught:
            await asker.client.draft(PROMPT, max_output_tokens=50)

    assert caught.value.code == "ai_unavailable"
    assert asker.time.slept == []


async def test_it_gives_up_after_four_tries() -> None:
    async with asking("openai", PASSING["500"]) as asker:
        with pytest.raises(InvalidRequest) as caught:
            await asker.client.draft(PROMPT, max_output_tokens=50)

        assert caught.value.code == "ai_unavailable"
        assert len(asker.provider.asked) == 4


FINAL = {
    "a wrong key": ("openai", openai_problem(401, "invalid_api_key", "Wrong key."), "ai_misconfigured"),
    "an unknown model": ("openai", openai_problem(404, "model_not_found", "No model."), "ai_misconfigured"),
    "an empty account": ("openai", openai_problem(429, "insufficient_quota", "Pay."), "ai_misconfigured"),
    "too long": ("openai", openai_problem(400, "context_length_exceeded", "Too long."), "ai_refused"),
    "a filter": ("openai", raw(b'{"choices": [{"message": {"refusal": "No."}}]}'), "ai_refused"),
    "a wrong key at Anthropic": (
        "anthropic",
        anthropic_problem(401, "authentication_error", "invalid x-api-key"),
        "ai_misconfigured",
    ),
    "a refusal at Anthropic": ("anthropic", anthropic_words("", reason="refusal"), "ai_refused"),
}


@pytest.mark.parametrize("trouble", FINAL)
async def test_what_does_not_pass_is_told_at_once(trouble: str) -> None:
    name, answer, code = FINAL[trouble]
    async with asking(name, answer) as asker:
        with pytest.raises(InvalidRequest) as caught:
            await asker.client.draft(PROMPT, max_output_tokens=50)

        assert caught.value.code == code
        assert len(asker.provider.asked) == 1


async def test_keys_in_a_providers_words_are_masked() -> None:
    said = openai_problem(401, "invalid_api_key", f"Incorrect API key provided: {KEY}.")
    async with asking("openai", said) as asker:
        with pytest.raises(InvalidRequest) as caught:
            await asker.client.draft(PROMPT, max_output_tokens=50)

    assert KEY not in caught.value.message
    assert "•••" in caught.value.message


async def test_a_private_address_is_not_called_unless_it_is_listed() -> None:
    outbound, time = local_client(EgressPolicy()), HandTime()
    timing = AiTiming(timeout_seconds=5, monotonic=lambda: time.now, now_ms=lambda: 0, sleep=time.sleep)
    async with providing(BOTH["openai"]) as provider:
        client = AiClient(wire=_wire("openai", provider.url), caller=GuardedCaller(outbound), timing=timing)
        with pytest.raises(InvalidRequest) as caught:
            await client.draft(PROMPT, max_output_tokens=50)
        await outbound.aclose()

        assert caught.value.code == "ai_misconfigured"
        assert provider.asked == []


async def test_a_stream_that_fails_before_its_first_word_is_tried_again() -> None:
    async with asking("openai", PASSING["500"], BOTH["openai"]) as asker:
        assert _text(await _streamed(asker.client)) == WORDS


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("openai", raw(b'data: {"choices": [{"delta": {"content": "Yes"}}]}\n\n', is_cut=True)),
        (
            "anthropic",
            raw(
                b'data: {"type": "content_block_delta", "delta": {"text": "Yes"}}\n\n'
                b'data: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n'
            ),
        ),
    ],
)
async def test_a_stream_that_breaks_off_says_so_and_is_not_begun_anew(name: str, answer: Reply) -> None:
    async with asking(name, answer) as asker:
        deltas = asker.client.stream(PROMPT, max_output_tokens=50)
        first = await anext(deltas)
        with pytest.raises(InvalidRequest) as caught:
            await anext(deltas)

        assert first.text == "Yes"
        assert caught.value.code == "ai_unavailable"
        assert len(asker.provider.asked) == 1


async def test_an_endless_event_is_not_read_to_its_end() -> None:
    async with asking("openai", raw(b"data: " + b"x" * 2_000_000)) as asker:
        with pytest.raises(InvalidRequest) as caught:
            await _streamed(asker.client)

    assert caught.value.code == "ai_unavailable"
