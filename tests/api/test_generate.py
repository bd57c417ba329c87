"""POST /v1/generate: drafts, streams, sends, limits, refusals; asked of a real server that speaks a provider's wire."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.api.parts import Application
from hub.api.surface import build
from hub.app.ai import ai_connection
from hub.config.settings import load_settings
from hub.flow.keys import KeyWish
from tests.support.ai_provider import Provider, Reply, openai_problem, openai_words, providing, raw
from tests.support.asgi import Answered, Caller
from tests.support.calling import local_client
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld, open_world

QUESTION = [{"role": "user", "content": "Open on Saturday?"}]
WORDS = "Yes, from nine to one."
HERE = {"from": SANDBOX_LINE, "to": CONTACT}


class Drafting:
    """A hub whose model is a server on this machine."""

    def __init__(self, world: HubWorld, provider: Provider, app: Application, api: Caller) -> None:
        self.world = world
        self.provider = provider
        self.app = app
        self.api = api

    async def generate(self, body: dict[str, Any], api: Caller | None = None, **more: Any) -> Answered:
        return await (api or self.api).post("/v1/generate", body, **more)

    async def outbox(self) -> list[dict[str, Any]]:
        """What was sent."""
        path = f"/v1/messages?from=%2B{SANDBOX_LINE[1:]}&to=%2B{CONTACT[1:]}"
        answered = await self.api.get(path)
        return [message for message in answered.json.get("data", []) if message["is_from_me"]]


async def _key(world: HubWorld, *scopes: str) -> str:
    return (await world.keys.create(KeyWish(name="test", scopes=frozenset(scopes)))).text


@asynccontextmanager
async def drafting(place: Path, *answers: Reply, **settings: str) -> AsyncIterator[Drafting]:
    """Open a hub with a model."""
    async with open_world(place) as world, providing(*answers) as provider:
        outbound = local_client()
        environment = {
            "HUB_AI__PROVIDER": "openai_compatible",
            "HUB_AI__BASE_URL": f"{provider.url}/v1",
            "HUB_AI__MODEL": "gpt",
            "HUB_AI__INPUT_PRICE": "2",
            "HUB_AI__OUTPUT_PRICE": "8",
            **{f"HUB_AI__{name.upper()}": value for name, value in settings.items()},
        }
        ai = load_settings(None, environment).ai
        connection = ai_connection(ai, outbound=outbound, clock=world.clock)
        app = build(replace(world.parts, ai=connection))
        yield Drafting(world, provider, app, Caller(app, token=await _key(world, "admin")))
        await outbound.aclose()


async def test_a_draft_is_a_proposal(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words(WORDS)) as hub:
        answered = await hub.generate({"context": QUESTION})
        sent = await hub.outbox()

    assert answered.status == 200
    reply = answered.json
    assert reply["id"].startswith("gen_")
    assert {name: reply[name] for name in reply if name not in {"id", "request_id"}} == {
        "text": WORDS,
        "model": "gpt-2025",
        "finish_reason": "stop",
        "usage": {"input_tokens": 12, "output_tokens": 5, "cost": 0.000064},
        "sent": False,
        "outbox_id": None,
        "message_id": None,
    }
    assert sent == []


async def test_without_a_model_the_answer_says_what_to_set(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        answered = await world.api.post("/v1/generate", {"context": QUESTION})

    assert (answered.status, answered.code) == (400, "ai_not_configured")
    for key in ("ai.provider", "ai.model", "ai.api_key", "HUB_AI__API_KEY"):
        assert key in answered.json["error"]["message"]


async def test_a_draft_that_is_to_be_sent_goes_out_as_a_message(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words(WORDS)) as hub:
        await hub.world.say("Open on Saturday?")
        answered = await hub.generate({**HERE, "context": QUESTION, "auto_send": True})
        (message,) = await hub.outbox()

    assert answered.json["sent"] is True
    assert (message["text"], message["id"]) == (WORDS, answered.json["message_id"])
    assert message["outbox_id"] == answered.json["outbox_id"]


async def test_a_repeat_under_one_key_sends_once(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words(WORDS), openai_words("Something else.")) as hub:
        body = {**HERE, "context": QUESTION, "auto_send": True}
        headers = {"Idempotency-Key": "once"}
        first = await hub.generate(body, headers=headers)
        again = await hub.generate(body, headers=headers)
        sent = await hub.outbox()

    assert first.json["outbox_id"] == again.json["outbox_id"]
    assert [message["text"] for message in sent] == [WORDS]


async def test_the_history_of_the_chat_is_what_was_said(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words(WORDS)) as hub:
        for words in ("one", "two", "three"):
            await hub.world.say(words)
        await hub.generate({**HERE, "use_history": 2, "context": QUESTION, "instructions": "In German."})
        system, *turns = hub.provider.asked[0]["messages"]

    assert turns == [{"role": "user", "content": "two\nthree\nOpen on Saturday?"}]
    assert system["content"].endswith("In German.")


def _events(body: bytes) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in body.decode().strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


async def test_a_stream_tells_the_words_as_they_come(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words(WORDS)) as hub:
        answered = await hub.generate({"context": QUESTION, "stream": True})

    *deltas, (name, reply) = _events(answered.body)
    assert answered.headers["content-type"] == "text/event-stream"
    assert {each for each, _ in deltas} == {"delta"}
    assert "".join(data["text"] for _, data in deltas) == WORDS
    assert (name, reply["text"], reply["usage"]["output_tokens"]) == ("done", WORDS, 5)


async def test_a_stream_that_breaks_off_ends_with_an_error_and_sends_nothing(tmp_path: Path) -> None:
    cut = raw(b'data: {"choices": [{"delta": {"content": "Yes"}}]}\n\n', is_cut=True)
    async with drafting(tmp_path, cut) as hub:
        answered = await hub.generate({**HERE, "context": QUESTION, "stream": True, "auto_send": True})
        sent = await hub.outbox()

    events = _events(answered.body)
    assert [name for name, _ in events] == ["delta", "error"]
    assert events[-1][1]["error"]["code"] == "ai_unavailable"
    assert sent == []


async def test_a_stream_that_never_begins_is_an_ordinary_error(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_problem(401, "invalid_api_key", "Wrong key.")) as hub:
        answered = await hub.generate({"context": QUESTION, "stream": True})

    assert (answered.status, answered.code) == (502, "ai_misconfigured")


async def test_what_could_not_be_sent_is_refused_before_the_model_is_asked(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words(WORDS)) as hub:
        body = {"from": OTHER_LINE, "to": STRANGER, "context": QUESTION, "auto_send": True}
        answered = await hub.generate(body)

        assert (answered.status, answered.code) == (403, "contact_has_not_messaged")
        assert hub.provider.asked == []


async def test_an_answer_without_words_is_never_sent(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words(" \u202e\x00 ")) as hub:
        answered = await hub.generate({**HERE, "context": QUESTION, "auto_send": True})
        sent = await hub.outbox()

    assert (answered.status, answered.code) == (422, "ai_refused")
    assert sent == []


async def test_a_draft_is_no_longer_than_asked(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words("word " * 100)) as hub:
        answered = await hub.generate({"context": QUESTION, "max_chars": 20})

    assert answered.json["text"] == "word word word word"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"requests_per_hour": "1"}, "ai.requests_per_hour"),
        ({"daily_tokens": "1200", "max_output_tokens": "500"}, "ai.daily_tokens"),
        ({"daily_cost": "0.006", "max_output_tokens": "500"}, "ai.daily_cost"),
    ],
)
async def test_the_operators_limits_hold(tmp_path: Path, settings: dict[str, str], named: str) -> None:
    uncounted = raw(b'{"choices": [{"message": {"content": "%s"}}]}' % (b"x" * 600))
    async with drafting(tmp_path, uncounted, **settings) as hub:
        first = await hub.generate({"context": QUESTION})
        second = await hub.generate({"context": QUESTION})

    assert first.status == 200
    assert (second.status, second.code) == (429, "ai_limit_reached")
    assert named in second.json["error"]["message"]
    assert int(second.headers["retry-after"]) > 0


async def test_a_draft_that_failed_costs_nothing_but_its_turn(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_problem(400, "context_length_exceeded", "Too long.")) as hub:
        await hub.generate({"context": QUESTION})
        tally = await hub.world.store.ai_usage.tally(now=hub.world.clock.now_ms())

    assert (tally.day_requests, tally.day_tokens, tally.day_cost_micros) == (1, 0, 0)


REFUSED: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "nothing to answer": ({}, "missing_required_parameter", "context"),
    "nobody's words": (
        {"context": [{"role": "assistant", "content": "Hi"}]},
        "missing_required_parameter",
        "context",
    ),
    "no such role": (
        {"context": [{"role": "system", "content": "Hi"}]},
        "invalid_parameter_value",
        "context[0].role",
    ),
    "a send to nobody": (
        {"context": QUESTION, "auto_send": True, "from": SANDBOX_LINE},
        "missing_required_parameter",
        "to",
    ),
    "a history of nobody": ({"use_history": 5, "to": CONTACT}, "missing_required_parameter", "from"),
    "a history without end": ({**HERE, "use_history": 51}, "invalid_parameter_value", "use_history"),
    "no such line": ({"context": QUESTION, "from": "+15559999999", "to": CONTACT}, "line_not_found", "from"),
    "no such chat": ({**HERE, "use_history": 1}, "chat_not_found", "to"),
    "an unknown field": ({"context": QUESTION, "temperature": 2}, "invalid_parameter_value", "temperature"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_bad_requests_name_the_field(case: str, tmp_path: Path) -> None:
    body, code, param = REFUSED[case]
    async with drafting(tmp_path, openai_words(WORDS)) as hub:
        answered = await hub.generate(body)

        assert (code, param) == (answered.code, answered.param)
        assert answered.status in {400, 404}
        assert hub.provider.asked == []


async def test_sending_needs_the_scope_of_sends_too(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words(WORDS)) as hub:
        drafter = Caller(hub.app, token=await _key(hub.world, "drafts:write"))
        drafted = await hub.generate({"context": QUESTION}, drafter)
        sent = await hub.generate({**HERE, "context": QUESTION, "auto_send": True}, drafter)

    assert drafted.status == 200
    assert (sent.status, sent.code) == (403, "insufficient_scope")


async def test_a_draft_goes_out_on_the_line_that_the_hub_chooses(tmp_path: Path) -> None:
    async with drafting(tmp_path, openai_words(WORDS)) as hub:
        await hub.world.say("Open on Saturday?")
        answered = await hub.generate({"from": "auto", "to": CONTACT, "context": QUESTION, "auto_send": True})
        sent = await hub.outbox()

    assert (answered.status, answered.json["sent"]) == (200, True)
    assert [(message["text"], message["line_handle"]) for message in sent] == [(WORDS, SANDBOX_LINE)]
