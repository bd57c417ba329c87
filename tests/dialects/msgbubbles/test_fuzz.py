"""Each endpoint, asked with what its declaration allows and with what it does not: always the vendor's envelope.

Never a 5xx, but for what waits for a network that does not answer; and every success has the declared shape.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.api.calls import AnyEndpoint, NoBody, StreamBody
from hub.dialects.msgbubbles import DIALECT
from hub.dialects.msgbubbles.errors import STATUS
from tests.dialects.msgbubbles.bubbles import (
    FOREIGN,
    SECOND,
    SEND,
    a_client,
    group,
    quoted,
    sent,
    staged,
    told,
)
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, HubWorld
from tests.support.sandbox_worker import SandboxWorker

ENDPOINTS = sorted(DIALECT.endpoints, key=lambda each: each.name)
#: What stands for a line or a bridge that does not answer in time.
WAITING = {"device_offline", "unavailable"}
EXAMPLES_EACH = int(os.environ.get("HUB_FUZZ_EXAMPLES", "12"))
TEXT = st.text(max_size=20)
NOISE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def allowed(shape: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    """What a declaration allows: every required field, and some of the others."""
    schema = msgspec.json.schema(shape)
    told_as = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    fields = {name: value_of(field) for name, field in told_as["properties"].items()}
    required = {name: fields[name] for name in told_as.get("required", ())}
    return st.fixed_dictionaries(
        required, optional={name: fields[name] for name in fields.keys() - required.keys()}
    )


def value_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What the schema of a field allows."""
    if "anyOf" in schema:
        return st.one_of([value_of(each) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    by_type: dict[str, st.SearchStrategy[Any]] = {
        "null": st.none(),
        "boolean": st.booleans(),
        "integer": st.integers(schema.get("minimum", -5), schema.get("maximum", 500)),
        "string": st.text(min_size=least, max_size=min(most or 40, 40)),
    }
    if schema["type"] in by_type:
        return by_type[schema["type"]]
    least, most = schema.get("minItems", 0), schema.get("maxItems", 4)
    return st.lists(value_of(schema["items"]), min_size=least, max_size=min(most, least + 3))


@dataclass(frozen=True, slots=True)
class Stage:
    """A client, and what is there, by the path or the field that asks for it."""

    client: Caller
    by_path: dict[str, str]
    fields: dict[str, Any]

    def path(self, endpoint: AnyEndpoint, *, is_known: bool) -> str:
        noun = endpoint.path.split("/")[2]
        named = self.by_path.get(noun, FOREIGN) if is_known else FOREIGN
        return endpoint.path.format(id=named, handle=quoted(SECOND))


@pytest.fixture
async def stage(world: HubWorld, worker: SandboxWorker) -> Stage:
    """One of each thing; the network answers whoever waits for it."""
    client = await a_client(world, requests_per_hour=0)
    message = await sent(client)
    await worker.work()
    chat = await group(client, CONTACT, SECOND)
    (file_id,) = await staged(client)
    hook = (await client.post("/v1/webhooks", {"url": "https://a.example/"})).json["data"]["id"]
    fields = {
        **SEND,
        "conversation_id": chat["id"],
        "attachment_ids": [file_id],
        "reply_to": message["id"],
        "handle": CONTACT,
        "addresses": [CONTACT, SECOND],
        "url": "https://b.example/",
        "events": ["message.sent"],
        "reaction": "love",
    }
    by_path = {"messages": message["id"], "chats": chat["id"], "attachments": file_id, "webhooks": hook}
    return Stage(client, by_path, fields)


def require_well_told(endpoint: AnyEndpoint, answered: Answered) -> None:
    assert answered.headers["x-request-id"].startswith("req_")
    if answered.status < 400:
        msgspec.convert(answered.json, endpoint.reply)
        assert answered.json["request_id"] == answered.headers["x-request-id"]
        return
    status, code = told(answered)
    assert code in STATUS or code.endswith("_failed"), code
    assert status < 500 or code in WAITING or code.endswith("_failed"), answered.body


async def ask(client: Caller, endpoint: AnyEndpoint, path: str, query: dict[str, Any], body: Any) -> Answered:
    text = urlencode({name: value for name, value in query.items() if value is not None}, errors="replace")
    sent_body = None if endpoint.body in {NoBody, StreamBody} else json.dumps(body).encode()
    return await client.request(endpoint.method, f"{path}?{text}" if text else path, body=sent_body)


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)
@settings(max_examples=EXAMPLES_EACH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_every_answer_is_in_their_words(
    stage: Stage, endpoint: AnyEndpoint, data: st.DataObject
) -> None:
    is_known = data.draw(st.booleans())
    query = data.draw(allowed(endpoint.query) | st.dictionaries(TEXT, TEXT, max_size=2))
    has_body = endpoint.body not in {NoBody, StreamBody}
    body = data.draw(allowed(endpoint.body) | NOISE if has_body else st.none())
    if is_known:
        for given_fields in (query, body):
            if isinstance(given_fields, dict):
                given_fields |= {
                    name: stage.fields[name] for name in given_fields.keys() & stage.fields.keys()
                }
    path = stage.path(endpoint, is_known=is_known)

    require_well_told(endpoint, await ask(stage.client, endpoint, path, query, body))
