"""ai.reply: a real server speaks the provider's wire; what the model says is data of the declared kinds, or nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.actions.drafts import REPLY, read_answer
from hub.app.ai import ai_connection
from hub.config.settings import load_settings
from hub.model.actions import ActionFailed
from tests.actions.bench import Bench, open_bench
from tests.support.ai_provider import Provider, Reply, openai_problem, openai_words, providing
from tests.support.calling import local_client
from tests.support.hub_world import CONTACT, SANDBOX_LINE
from tests.support.manual_time import ManualClock

FIELDS = {"answer": "string", "confidence": "number", "handoff": "boolean"}
GOOD = {"answer": "Yes, from nine to one.", "confidence": 0.9, "handoff": False}


@asynccontextmanager
async def drafting(place: Path, *answers: Reply, **settings: str) -> AsyncIterator[tuple[Bench, Provider]]:
    """Open a hub whose model is a server on this machine."""
    async with providing(*answers) as provider:
        outbound = local_client()
        environment = {
            "HUB_AI__PROVIDER": "openai_compatible",
            "HUB_AI__BASE_URL": f"{provider.url}/v1",
            "HUB_AI__MODEL": "gpt",
            **{f"HUB_AI__{name.upper()}": value for name, value in settings.items()},
        }
        connection = ai_connection(
            load_settings(None, environment).ai, outbound=outbound, clock=ManualClock()
        )
        async with open_bench(place, ai=connection) as bench:
            yield bench, provider
        await outbound.aclose()


def asked(provider: Provider) -> str:
    """Everything that the model was told, in one text."""
    return json.dumps(provider.asked[-1], ensure_ascii=False)


async def test_declared_fields_come_back_as_their_kinds(tmp_path: Path) -> None:
    said = json.dumps({**GOOD, "connection": "slack", "to": "+15550109999"})
    async with drafting(tmp_path, openai_words(f"```json\n{said}\n```")) as (bench, provider):
        event = await bench.received("Open on Saturday?")
        output = await bench.run("ai.reply", dict(REPLY.example), event=event)
        text = asked(provider)

    assert output == GOOD
    assert list(output) == list(REPLY.sample)
    assert "Open on Saturday?" in text
    assert "You answer for a bakery" in text


async def test_without_fields_it_is_plain_words(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words("Yes,\u202e from nine.")) as (bench, _):
        output = await bench.run("ai.reply", {"model": "gpt"}, event={"text": "Open on Saturday?"})

    assert output == {"answer": "Yes, from nine."}


async def test_history_is_that_of_the_conversation(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words("Yes.")) as (bench, provider):
        await bench.received("My name is Ada")
        await bench.run("message.send", {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello Ada"})
        event = await bench.received("Who am I?")
        await bench.run("ai.reply", {"history": "2"}, event=event)
        text = asked(provider)

    assert "Who am I?" in text
    assert "My name is Ada" not in text


ANSWERS: list[tuple[str, str]] = [
    ("Sure!", "JSON object"),
    ("[1, 2]", "JSON object"),
    ("{", "JSON object"),
    ("[" * 100_000, "JSON object"),
    (json.dumps({**GOOD, "confidence": "high"}), "'confidence' (number)"),
    (json.dumps({**GOOD, "confidence": True}), "'confidence' (number)"),
    (json.dumps({**GOOD, "handoff": "false"}), "'handoff' (boolean)"),
    (json.dumps({**GOOD, "answer": None}), "'answer' (string)"),
    (json.dumps({"answer": "Yes"}), "'confidence' (number), 'handoff' (boolean)"),
]


@pytest.mark.parametrize(("text", "says"), ANSWERS, ids=[says for _, says in ANSWERS])
def test_an_answer_of_another_form_is_asked_for_again(text: str, says: str) -> None:
    with pytest.raises(ActionFailed) as caught:
        read_answer(text, FIELDS)  # type: ignore[arg-type] # the kinds are literals

    assert caught.value.error_class == "retryable"
    assert says in caught.value.message


def test_what_escapes_hide_is_cleaned_too() -> None:
    text = '{"answer": "a\\u202eb\\u0000c", "more": 1}'
    assert read_answer(text, {"answer": "string"}) == {"answer": "abc"}


async def test_no_model_says_what_to_set(bench: Bench) -> None:
    failed = await bench.refused("ai.reply", event={"text": "Hi"})

    assert (failed.error_class, failed.details["code"]) == ("permission", "ai_not_configured")
    assert "ai.provider" in failed.message


@pytest.mark.parametrize(
    ("inputs", "event", "error_class", "says"),
    [
        ({"model": "support-small"}, {"text": "Hi"}, "invalid", "'gpt' (ai.model), not 'support-small'"),
        ({}, {"id": "evt_1"}, "invalid", "nothing to answer"),
        ({"history": 51}, {"text": "Hi"}, "invalid", "'history'"),
        ({"output": {"answer": "text"}}, {"text": "Hi"}, "invalid", "'output"),
        ({"output": {"An answer": "string"}}, {"text": "Hi"}, "invalid", "is no name"),
    ],
)
async def test_what_cannot_be_asked_says_why(
    tmp_path: Path, inputs: dict[str, Any], event: dict[str, Any], error_class: str, says: str
) -> None:
    async with drafting(tmp_path, openai_words("Yes.")) as (bench, provider):
        failed = await bench.refused("ai.reply", inputs, event=event)

        assert failed.error_class == error_class, failed.message
        assert says in failed.message
        assert provider.asked == []


async def test_a_provider_that_is_away_and_a_limit(tmp_path: Path) -> None:
    answers = (openai_words("Yes."), openai_problem(401, "invalid_api_key", "Wrong key"))
    async with drafting(tmp_path, *answers, requests_per_hour="2") as (bench, _):
        await bench.run("ai.reply", event={"text": "Hi"})
        wrong = await bench.refused("ai.reply", event={"text": "Hi"})
        limit = await bench.refused("ai.reply", event={"text": "Hi"})

    assert (wrong.error_class, wrong.details["code"]) == ("permission", "ai_misconfigured")
    assert (limit.error_class, limit.details["code"]) == ("budget", "ai_limit_reached")
    assert limit.after_ms is not None
    assert limit.after_ms > 0


async def test_an_answer_that_was_cut_off_is_asked_for_again(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words('{"answer": "Ye', reason="length")) as (bench, _):
        failed = await bench.refused("ai.reply", {"output": {"answer": "string"}}, event={"text": "Hi"})

    assert failed.error_class == "retryable"
    assert "ai.max_output_tokens" in failed.message
