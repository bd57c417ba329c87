"""What providers say back holds no secret: neither whole, nor with its user, nor half of it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from tests.connectors.golden import NAME, connection_of, engine, manifest_of
from tests.connectors.provider import providing

MANIFEST = """
manifest: 1
id: acme
title: Acme
docs: https://acme.example
checked: 2026-08-21
base_url: https://api.acme.example
auth:
  key: { fields: { key: { secret: true } }, apply: { basic: { username: api, password: "{{ auth.key }}" } } }
  client:
    fields: { client_id: {}, client_secret: { secret: true } }
    grant: { kind: client_credentials, url: "https://login.acme.example/token" }
errors:
  - { status: 400, class: invalid, message: "{{ body.message }}" }
actions:
  echo:
    title: Echo
    kind: read
    steps:
      - { id: first, request: { path: /first } }
      - { id: second, request: { path: /second } }
    output: { first: "{{ steps.first.body }}", second: "{{ steps.second.body }}" }
    sample: { first: {}, second: {} }
"""
ACME = manifest_of(MANIFEST)
SECRET = "s3cr3t/with+odd=signs&0123456789"
KEY = {"auth": {"key": {"key": SECRET}}}
CLIENT = {"auth": {"client": {"client_id": "c1", "client_secret": "test-secret-1"}}}
CALL = ActionCall(name="acme.echo", connection=NAME, inputs={}, key="k", attempt=1, timeout_ms=5_000)
BASIC = b64encode(f"api:{SECRET}".encode()).decode()


async def told(store: Store, connection: dict[str, Any], answers: list[dict[str, Any]]) -> str:
    async with providing(answers) as (_, caller):
        works = engine(store, caller, [connection_of(ACME, connection)])
        try:
            done: ActionDone | ActionFailed = await works.actions.run(CALL)
        except ActionFailed as failure:
            done = failure
    return str(done.output) if isinstance(done, ActionDone) else f"{done.message} {dict(done.details)}"


async def test_the_header_that_was_sent_is_covered_where_it_is_echoed(store: Store) -> None:
    echo = {"json": {"headers": {"Authorization": f"Basic {BASIC}"}, "user": f"api:{SECRET}"}}
    shown = await told(store, KEY, [echo, echo])

    assert BASIC not in shown
    assert BASIC.rstrip("=") not in shown
    assert SECRET not in shown
    assert shown.count("Basic ***") == 2


@pytest.mark.parametrize("status", [400, 422, 500])
@pytest.mark.parametrize("before", range(470, 502, 5))
async def test_a_secret_at_which_words_are_cut_is_covered(store: Store, status: int, before: int) -> None:
    said = "x" * before + SECRET
    shown = await told(store, KEY, [{"status": status, "json": {"message": said}}])

    assert "s3cr" not in shown


async def test_a_token_that_was_renewed_meanwhile_stays_covered(store: Store) -> None:
    answers: list[dict[str, Any]] = [
        {"json": {"access_token": "test-token-1"}},
        {"json": {"you": "test-token-1"}},
        {"status": 401},
        {"json": {"access_token": "test-token-2"}},
        {"json": {"you": "test-token-2"}},
    ]

    assert await told(store, CLIENT, answers) == "{'first': {'you': '***'}, 'second': {'you': '***'}}"


async def test_a_run_shows_no_query_whoever_wrote_it_into_the_address(store: Store) -> None:
    async with providing([{"json": {}}]) as (_, caller):
        works = engine(store, caller, [])
        url = "https://api.example.com/things?email=ann@example.com#part"
        call = ActionCall(
            name="http.get", connection=None, inputs={"url": url}, key="k", attempt=1, timeout_ms=1_000
        )
        done = await works.actions.run(call)

    assert done.requests == ("GET https://api.example.com/things 200",)
