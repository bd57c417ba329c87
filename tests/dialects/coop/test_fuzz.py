"""Each endpoint, asked with what its declaration allows and with what it does not: always the vendor's envelope.

Never a 5xx; and every success has the declared shape.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.api.calls import AnyEndpoint, NoBody, StreamBody
from hub.dialects.coop import DIALECT
from hub.dialects.coop.errors import WORDS
from hub.flow.keys import KeyWish
from tests.dialects.coop.test_automations import make
from tests.dialects.coop.test_checklist import send
from tests.dialects.declared import NOISE, TEXT, allowed
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, HubWorld
from tests.support.sandbox_worker import SandboxWorker

ENDPOINTS = sorted(DIALECT.endpoints, key=lambda each: each.name)
EXAMPLES_EACH = int(os.environ.get("HUB_FUZZ_EXAMPLES", "12"))
#: Fields and parameters, and what is there of them.
FIELDS: dict[str, Any] = {
    "to": CONTACT,
    "participant": CONTACT,
    "search": "ann",
    "url": "https://b.example/",
    "events": ["message.sent", "relay.online"],
    "phoneNumbers": ["+15550100002"],
    "emailAddresses": ["ann@example.com"],
    "appleId": "ann@example.com",
    "tags": ["vip"],
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A client, and the id of one of each thing, by the second word of its path."""

    api: Caller
    ids: dict[str, str]

    def path(self, endpoint: AnyEndpoint, noise: str, *, is_known: bool) -> str:
        noun = endpoint.path.split("/")[3]
        other = quote(noise, safe="", errors="replace") or "x"
        named = self.ids.get(noun, other) if is_known else other
        job, contact = (self.ids["bulk"], self.ids["contacts"]) if is_known else (other, other)
        return endpoint.path.format(id=named, job_id=job, contact_id=contact, tenant_id=other)


@pytest.fixture
async def stage(world: HubWorld, worker: SandboxWorker) -> Stage:
    """One of each thing."""
    wish = KeyWish(name="fuzz", scopes=DIALECT.scopes, dialect="coop", requests_per_hour=0)
    api = world.api.with_token((await world.keys.create(wish)).text)
    message = await send(api, to=CONTACT)
    await worker.work()
    bulk = await api.post("/api/v1/messages/bulk", {"messages": [{"to": CONTACT, "body": "Hi"}]})
    contact = await api.post("/api/v1/contacts", {"firstName": "Ann", "phoneNumbers": [CONTACT]})
    group = await api.post("/api/v1/contact-groups", {"name": "Friends"})
    hook = await api.post("/api/v1/webhooks", {"url": "https://a.example/", "events": ["message.sent"]})
    ids = {
        "messages": message["id"],
        "bulk": bulk.json["jobId"],
        "conversations": (await api.get("/api/v1/conversations")).json["data"][0]["id"],
        "contacts": contact.json["id"],
        "contact-groups": group.json["id"],
        "webhooks": hook.json["id"],
        "automations": (await make(api))["id"],
        "relays": (await api.get("/api/v1/relays")).json["data"][0]["id"],
    }
    return Stage(api, ids)


def require_well_told(endpoint: AnyEndpoint, answered: Answered) -> None:
    assert answered.headers["x-request-id"].startswith("req_")
    if answered.status < 300:
        if endpoint.reply is not bytes:
            msgspec.convert(answered.json, endpoint.reply)
        return
    assert answered.status < 500, answered.body
    body = answered.json
    assert set(body) == {"error", "message", "statusCode"}
    assert (body["statusCode"], body["error"]) == (answered.status, WORDS[answered.status])
    assert body["message"]


@pytest.mark.slow
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.name)
@settings(max_examples=EXAMPLES_EACH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_every_answer_is_in_their_words(
    stage: Stage, endpoint: AnyEndpoint, data: st.DataObject
) -> None:
    is_known, noise = data.draw(st.booleans()), data.draw(TEXT.filter(lambda text: text not in (".", "..")))
    query = data.draw(allowed(endpoint.query) | st.dictionaries(TEXT, TEXT, max_size=2))
    has_body = endpoint.body not in {NoBody, StreamBody}
    body = data.draw(allowed(endpoint.body) | NOISE if has_body else st.none())
    if is_known:
        for given_fields in (query, body):
            if isinstance(given_fields, dict):
                given_fields |= {name: FIELDS[name] for name in given_fields.keys() & FIELDS.keys()}
    text = urlencode({name: value for name, value in query.items() if value is not None}, errors="replace")
    path = stage.path(endpoint, noise, is_known=is_known)
    sent = json.dumps(body).encode() if has_body else None

    require_well_told(endpoint, await stage.api.request(endpoint.method, f"{path}?{text}", body=sent))
