"""Each endpoint, asked with what its declaration allows and with what it does not: always the vendor's envelope.

Never a 5xx; and every success has the declared shape.
"""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.api.calls import AnyEndpoint, NoBody
from hub.dialects.ava import DIALECT
from hub.flow.keys import KeyWish
from tests.dialects.declared import NOISE, TEXT, allowed
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, HubWorld

EXAMPLES_EACH = int(os.environ.get("HUB_FUZZ_EXAMPLES", "25"))
#: Fields and parameters, and what is there of them.
GOOD: dict[str, Any] = {
    "phone": CONTACT,
    "since": "2020-01-01T00:00:00Z",
    "context": [{"role": "user", "content": "Open?"}],
}
STATUSES = {400, 401, 404, 405, 413, 415, 429}


@pytest.fixture
async def unlimited(world: HubWorld) -> Caller:
    """A client whose requests nobody counts; somebody has written."""
    await world.say("Hi")
    wish = KeyWish(name="fuzz", scopes=DIALECT.scopes, dialect="ava", requests_per_hour=0)
    return world.api.with_token((await world.keys.create(wish)).text)


def require_well_told(endpoint: AnyEndpoint, answered: Answered) -> None:
    if answered.status == 200:
        msgspec.convert(answered.json, endpoint.reply)
        return
    body = answered.json
    assert answered.status in STATUSES, answered.body
    assert set(body) == {"success", "error", "message"}
    assert body["success"] is False
    assert body["error"] == body["message"] != ""


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", DIALECT.endpoints, ids=lambda each: each.name)
@settings(max_examples=EXAMPLES_EACH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_every_answer_is_in_their_words(
    unlimited: Caller, endpoint: AnyEndpoint, data: st.DataObject
) -> None:
    good = data.draw(st.sets(st.sampled_from(sorted(GOOD))))
    phone = CONTACT if "phone" in good else data.draw(TEXT.filter(lambda text: text not in (".", "..")))
    query = data.draw(allowed(endpoint.query) | st.dictionaries(TEXT, TEXT, max_size=2))
    body = None if endpoint.body is NoBody else data.draw(allowed(endpoint.body) | NOISE)
    for given_fields in (query, body):
        if isinstance(given_fields, dict):
            given_fields |= {name: GOOD[name] for name in given_fields.keys() & good}
    text = urlencode({name: value for name, value in query.items() if value is not None}, errors="replace")
    path = endpoint.path.format(phone=quote(phone, safe="", errors="replace") or "x")
    sent = None if endpoint.body is NoBody else json.dumps(body).encode()

    require_well_told(endpoint, await unlimited.request(endpoint.method, f"{path}?{text}", body=sent))


@pytest.mark.parametrize(
    "since",
    [
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "2026-01-25T12:00:00.123456Z",
        "2026-W04-7",
        "1",
        "T",
    ],
)
async def test_times_at_the_edge(unlimited: Caller, since: str) -> None:
    answered = await unlimited.get(f"/api/messages/poll?since={quote(since)}")

    poll = next(each for each in DIALECT.endpoints if each.name == "ava_poll")

    require_well_told(poll, answered)
