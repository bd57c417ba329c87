"""Each endpoint, asked with what its declaration allows and with what it does not: always the vendor's envelope.

Never a 500, and what a device says (502, 503) only in that envelope; every success has the declared shape.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.api.calls import AnyEndpoint, NoBody, StreamBody
from hub.dialects.blooio import DIALECT
from hub.dialects.blooio.errors import WORDS
from tests.dialects.blooio.asking import sent
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, HubWorld
from tests.support.sandbox_worker import SandboxWorker

ENDPOINTS = sorted(DIALECT.endpoints, key=lambda each: each.name)
EXAMPLES_EACH = int(os.environ.get("HUB_FUZZ_EXAMPLES", "12"))
PEOPLE = f"{CONTACT},ann@example.com"
TEXT = st.text(max_size=20)
NOISE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
#: Stands for the group of `PEOPLE`, which is made anew after it was left.
MADE = "grp_made"
#: Names in paths → what some of them are.
PLACES = {
    "chat_id": (CONTACT, PEOPLE, "+15551234567", "grp_0000000000001", "a@b.co"),
    "message_id": ("-1", "-2", "msg_0000000000001"),
    "group_id": (MADE, "grp_0000000000001", "x"),
    "contact_id": (CONTACT, "ct_0000000000001"),
    "poll_id": ("pol_0000000000001",),
}


def allowed(shape: Any) -> st.SearchStrategy[Any]:
    """What a declaration allows."""
    schema = msgspec.json.schema(shape)
    return _value(schema, schema.get("$defs", {}))


def _value(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _value(known[schema["$ref"].rpartition("/")[2]], known)
    if "anyOf" in schema:
        return st.one_of([_value(each, known) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _OF_TYPE[schema.get("type", "null")](schema, known)


def _object(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    fields = {name: _value(each, known) for name, each in schema.get("properties", {}).items()}
    required = {name: fields.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=fields)


def _array(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    least = schema.get("minItems", 0)
    items = _value(schema.get("items", {"type": "null"}), known)
    return st.lists(items, min_size=least, max_size=least + 2)


_OF_TYPE: dict[str, Callable[[dict[str, Any], dict[str, Any]], st.SearchStrategy[Any]]] = {
    "array": _array,
    "boolean": lambda schema, known: st.booleans(),
    "integer": lambda schema, known: st.integers(schema.get("minimum", -5), schema.get("maximum", 500)),
    "null": lambda schema, known: st.none(),
    "number": lambda schema, known: st.floats(allow_nan=False, allow_infinity=False),
    "object": _object,
    "string": lambda schema, known: st.text(min_size=schema.get("minLength", 0), max_size=40),
}


@pytest.fixture
async def stage(world: HubWorld, one: Caller, worker: SandboxWorker) -> Caller:
    """A conversation, a group, and a network that answers whoever waits for it."""
    worker.attend()
    await world.say("Hello")
    await sent(one, CONTACT)
    await sent(one, PEOPLE)
    await worker.work()
    return one


def require_well_told(endpoint: AnyEndpoint, answered: Answered) -> None:
    if answered.status < 400:
        msgspec.convert(answered.json, endpoint.reply)
        return
    body = answered.json
    assert answered.status != 500, body
    assert body["error"] == WORDS[answered.status]
    assert isinstance(body["message"], str)
    assert body["message"]
    assert body["status"] == answered.status
    assert isinstance(body.get("details", {}).get("field", ""), str)


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)
@settings(max_examples=EXAMPLES_EACH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_every_answer_is_in_the_vendors_words(
    stage: Caller, endpoint: AnyEndpoint, data: st.DataObject
) -> None:
    names = [part.partition("}")[0] for part in endpoint.path.split("{")[1:]]
    places = {
        name: quote(data.draw(st.sampled_from(PLACES.get(name, ("x",))) | TEXT.filter(bool)), safe="")
        for name in names
    }
    if places.get("group_id") == MADE:
        places["group_id"] = (await sent(stage, PEOPLE)).json["group_id"]
    query = data.draw(allowed(endpoint.query) | st.dictionaries(TEXT, TEXT, max_size=2))
    has_body = endpoint.body not in {NoBody, StreamBody}
    body = data.draw(allowed(endpoint.body) | NOISE if has_body else st.none())
    text = urlencode({name: each for name, each in query.items() if each is not None}, errors="replace")
    path = endpoint.path.format(**places)
    answered = await stage.request(
        endpoint.method,
        f"{path}?{text}" if text else path,
        body=json.dumps(body).encode() if has_body else b"nonsense",
    )

    if answered.status != 404 or answered.json.get("code") != "route_not_found":
        require_well_told(endpoint, answered)
