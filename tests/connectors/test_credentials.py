"""Tokens: got once for all processes, kept sealed, renewed when refused; connections that are refused are paused."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from structlog.testing import capture_logs

from hub.connectors.credentials import PROBE_MS
from hub.connectors.states import FRESH_MS
from hub.flow.connection_events import ConnectionChange
from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from tests.connectors.golden import NAME, clock_at, connection_of, engine, manifest_of
from tests.connectors.provider import providing

MANIFEST = """
manifest: 1
id: acme
title: Acme
docs: https://acme.example
checked: 2026-08-21
base_url: "{{ auth.instance_url | default('https://api.acme.example') }}"
auth:
  key: { fields: { key: { secret: true } }, apply: { bearer: "{{ auth.key }}" } }
  client:
    fields: { client_id: {}, client_secret: { secret: true } }
    grant:
      kind: client_credentials
      url: https://login.acme.example/token
      scope: notes.write
      client_auth: basic
      keep: { instance_url: "{{ body.instance_url }}" }
  refresh:
    fields: { client_id: {}, client_secret: { secret: true }, refresh_token: { secret: true } }
    grant: { kind: refresh_token, url: "https://login.acme.example/token", rotate: true }
    apply: { headers: { Authorization: "Acme-token {{ token }}" } }
  jwt:
    fields: { account: {}, private_key: { secret: true } }
    grant:
      kind: jwt_bearer
      url: https://login.acme.example/token
      claims: { iss: "{{ auth.account }}", aud: https://login.acme.example, scope: notes }
      key_id: k1
  session:
    fields: { user: {}, password: { secret: true } }
    grant:
      kind: login
      request: { method: POST, path: /login, json: { user: "{{ auth.user }}", password: "{{ auth.password }}" } }
      token: "{{ body.session }}"
      lifetime: 10m
    apply: { headers: { X-Session: "{{ token }}" } }
test: { request: { path: /me }, label: "{{ body.name }}" }
actions:
  look:
    title: Look
    kind: read
    request: { path: /look }
    output: { ok: "{{ body.ok }}" }
    sample: { ok: true }
"""
ACME = manifest_of(MANIFEST)
CLIENT = {"auth": {"client": {"client_id": "c1", "client_secret": "test-secret-1"}}}
REFRESH = {
    "auth": {
        "refresh": {"client_id": "c1", "client_secret": "test-secret-1", "refresh_token": "test-refresh-1"}
    }
}
KEY = {"auth": {"key": {"key": "test-key-1"}}}
CALL = ActionCall(name="acme.look", connection=NAME, inputs={}, key="k", attempt=1, timeout_ms=5_000)
OK = {"json": {"ok": True}}
REFUSED = {"status": 401, "json": {"message": "no such key: test-key-1"}}


def token(number: int, **more: Any) -> dict[str, Any]:
    return {"json": {"access_token": f"test-token-{number}", "expires_in": 3600, **more}}


async def test_a_token_is_got_once_and_used_until_it_expires(store: Store) -> None:
    instance = "https://eu.acme.example"
    answers = [token(1, instance_url=instance), OK, OK, token(2, instance_url=instance), OK]
    async with providing(answers) as (provider, caller):
        works = engine(store, caller, [connection_of(ACME, CLIENT)])
        await works.actions.run(CALL)
        await works.actions.run(CALL)
        works.clock.advance(3_600_000)
        done = await works.actions.run(CALL)

    assert [each.url for each in provider.asked] == [
        "https://login.acme.example/token",
        f"{instance}/look",
        f"{instance}/look",
        "https://login.acme.example/token",
        f"{instance}/look",
    ]
    asked = provider.asked[0]
    assert asked.form == {"grant_type": "client_credentials", "scope": "notes.write"}
    assert asked.headers["authorization"] == "Basic YzE6dGVzdC1zZWNyZXQtMQ=="
    assert provider.asked[4].headers["authorization"] == "Bearer test-token-2"
    assert done.requests == ("POST https://login.acme.example/token 200", f"GET {instance}/look 200")


async def test_processes_share_a_token_and_only_one_asks_for_it(store: Store) -> None:
    async with providing([token(1, instance_url="https://eu.acme.example"), *[OK] * 8]) as (provider, caller):
        clock = clock_at()
        engines = [
            engine(store, caller, [connection_of(ACME, CLIENT)], clock=clock, sleep=asyncio.sleep)
            for _ in range(4)
        ]

        await asyncio.gather(*(each.actions.run(CALL) for each in engines for _ in range(2)))

    assert [each.url for each in provider.asked].count("https://login.acme.example/token") == 1
    assert {each.headers["authorization"] for each in provider.asked[1:]} == {"Bearer test-token-1"}


async def test_a_rotated_refresh_token_outlives_the_process_and_is_sealed(
    store: Store, tmp_path: Path
) -> None:
    rotated = token(1, refresh_token="test-refresh-2")
    async with providing([rotated, OK, token(2), OK]) as (provider, caller):
        clock = clock_at()
        await engine(store, caller, [connection_of(ACME, REFRESH)], clock=clock).actions.run(CALL)
        clock.advance(3_600_000)
        await engine(store, caller, [connection_of(ACME, REFRESH)], clock=clock).actions.run(CALL)

    assert provider.asked[0].form["refresh_token"] == "test-refresh-1"
    assert provider.asked[2].form["refresh_token"] == "test-refresh-2"
    assert provider.asked[1].headers["authorization"] == "Acme-token test-token-1"
    kept = await asyncio.to_thread(
        lambda: b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    )
    assert b"test-refresh" not in kept
    assert b"test-token" not in kept


async def test_other_credentials_begin_anew(store: Store) -> None:
    other = {"auth": {"refresh": {**REFRESH["auth"]["refresh"], "refresh_token": "test-refresh-9"}}}
    async with providing([token(1, refresh_token="test-refresh-2"), OK, token(2), OK]) as (provider, caller):
        await engine(store, caller, [connection_of(ACME, REFRESH)]).actions.run(CALL)
        await engine(store, caller, [connection_of(ACME, other)]).actions.run(CALL)

    assert provider.asked[2].form["refresh_token"] == "test-refresh-9"


async def test_an_assertion_is_signed_so_that_its_receiver_can_verify_it(store: Store) -> None:
    private = generate_private_key(65537, 2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    # As it looks in a variable of one line.
    connection = {"auth": {"jwt": {"account": "a@acme.example", "private_key": pem.replace("\n", "\\n")}}}
    async with providing([token(1), OK]) as (provider, caller):
        await engine(store, caller, [connection_of(ACME, connection)]).actions.run(CALL)

    form = provider.asked[0].form
    signed, _, signature = form["assertion"].rpartition(".")
    private.public_key().verify(_decoded(signature), signed.encode(), PKCS1v15(), SHA256())
    header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert claims == {
        "iss": "a@acme.example",
        "aud": "https://login.acme.example",
        "scope": "notes",
        "iat": 1787306400,
        "exp": 1787306580,
    }


async def test_a_session_is_begun_by_a_request_of_its_own(store: Store) -> None:
    connection = {"auth": {"session": {"user": "ann", "password": "test-password-1"}}}
    async with providing([{"json": {"session": "test-session-1"}}, OK]) as (provider, caller):
        await engine(store, caller, [connection_of(ACME, connection)]).actions.run(CALL)

    assert provider.asked[0].json == {"user": "ann", "password": "test-password-1"}
    assert provider.asked[1].headers["x-session"] == "test-session-1"


async def test_a_key_that_cannot_sign_is_told_without_being_shown(store: Store) -> None:
    connection = {"auth": {"jwt": {"account": "a", "private_key": "not-a-private-key"}}}
    async with providing([]) as (_, caller):
        with pytest.raises(ActionFailed) as failed:
            await engine(store, caller, [connection_of(ACME, connection)]).actions.run(CALL)

    assert failed.value.error_class == "auth"
    assert "not-a-private-key" not in failed.value.message


@pytest.mark.parametrize(
    ("answer", "error_class"),
    [
        (
            {
                "status": 400,
                "json": {"error": "invalid_grant", "error_description": "test-secret-1 is wrong"},
            },
            "auth",
        ),
        ({"status": 401, "json": {"error": "invalid_client"}}, "auth"),
        ({"status": 503, "text": "busy"}, "retryable"),
        ({"status": 429, "headers": {"retry-after": "5"}}, "rate_limited"),
        ({"json": {"unexpected": True}}, "auth"),
        ({"text": "<html>", "headers": {"content-type": "text/html"}}, "server"),
        ({"drop": True}, "timeout_unknown"),
    ],
)
async def test_a_token_that_is_not_given_has_a_class(
    store: Store, answer: dict[str, Any], error_class: str
) -> None:
    async with providing([answer]) as (_, caller):
        with pytest.raises(ActionFailed) as failed:
            await engine(store, caller, [connection_of(ACME, CLIENT)]).actions.run(CALL)

    assert failed.value.error_class == error_class, failed.value.message
    assert "test-secret-1" not in failed.value.message


# ---- pausing


async def test_a_refused_connection_is_paused_for_all_and_told_once(store: Store) -> None:
    async with providing([REFUSED]) as (provider, caller):
        clock = clock_at()
        first = engine(store, caller, [connection_of(ACME, KEY)], clock=clock)
        second = engine(store, caller, [connection_of(ACME, KEY)], clock=clock)
        with capture_logs() as lines:
            for each in (first, second, first):
                with pytest.raises(ActionFailed) as failed:
                    await each.actions.run(CALL)

    assert failed.value.error_class == "auth"
    assert failed.value.message == (
        "The connection golden is paused since 2026-08-21 10:00 UTC: Acme answered 401: no such key: *** "
        "Mend its credentials, then run `hub connections test golden`."
    )
    assert len(provider.asked) == 1
    assert [each["event"] for each in lines] == ["connection.paused"]
    assert "test-key-1" not in str(lines)


async def test_a_pause_and_its_end_are_told_once_and_without_secrets(store: Store) -> None:
    """Two processes may notice at once: what they tell has the same version, so it counts once."""
    heard: list[ConnectionChange] = []

    async def hear(change: ConnectionChange) -> None:
        heard.append(change)

    async with providing([REFUSED, REFUSED, {"json": {"name": "Ann"}}, OK]) as (_, caller):
        clock = clock_at()
        began = clock.now_ms()
        first = engine(store, caller, [connection_of(ACME, KEY)], clock=clock, tell=hear)
        for _ in range(2):
            with pytest.raises(ActionFailed):
                await first.actions.run(CALL)
            clock.advance(PROBE_MS)
        await first.actions.test(NAME)
        await first.actions.run(CALL)

    assert [(each.is_paused, each.paused_at) for each in heard] == [(True, began), (False, began)]
    assert heard[0].version < heard[1].version
    assert heard[0].reason == heard[1].reason == "Acme answered 401: no such key: ***"
    assert "test-key-1" not in str(heard)


async def test_a_pause_that_other_credentials_end_is_told_when_those_are_believed(store: Store) -> None:
    heard: list[bool] = []

    async def hear(change: ConnectionChange) -> None:
        heard.append(change.is_paused)

    other = {**KEY, "auth": {"key": {"key": "test-key-2"}}}
    async with providing([REFUSED, OK, OK]) as (_, caller):
        clock = clock_at()
        with pytest.raises(ActionFailed):
            await engine(store, caller, [connection_of(ACME, KEY)], clock=clock, tell=hear).actions.run(CALL)
        mended = engine(store, caller, [connection_of(ACME, other)], clock=clock, tell=hear)
        assert heard == [True]
        await mended.actions.run(CALL)
        await mended.actions.run(CALL)

    assert heard == [True, False]


async def test_a_test_that_works_ends_the_pause(store: Store) -> None:
    async with providing([REFUSED, {"json": {"name": "Ann"}}, OK]) as (_, caller):
        works = engine(store, caller, [connection_of(ACME, KEY)])
        with pytest.raises(ActionFailed):
            await works.actions.run(CALL)
        tested = await works.actions.test(NAME)
        done = await works.actions.run(CALL)

    assert (tested.works, tested.detail) == (True, "Ann")
    assert done.output == {"ok": True}


async def test_other_credentials_end_the_pause(store: Store) -> None:
    async with providing([REFUSED, OK]) as (_, caller):
        with pytest.raises(ActionFailed):
            await engine(store, caller, [connection_of(ACME, KEY)]).actions.run(CALL)
        other = connection_of(ACME, {"auth": {"key": {"key": "test-key-2"}}})
        done = await engine(store, caller, [other]).actions.run(CALL)

    assert done.output == {"ok": True}


async def test_now_and_then_one_call_tries_whether_it_is_over(store: Store) -> None:
    async with providing([REFUSED, REFUSED, OK, OK]) as (provider, caller):
        works = engine(store, caller, [connection_of(ACME, KEY)])
        told: list[object] = []
        for wait_ms in (0, PROBE_MS, 0, FRESH_MS, PROBE_MS, 0):
            works.clock.advance(wait_ms)
            try:
                told.append((await works.actions.run(CALL)).output)
            except ActionFailed as failure:
                told.append(failure.error_class)

    assert told == ["auth", "auth", "auth", "auth", {"ok": True}, {"ok": True}]
    assert len(provider.asked) == 4


async def test_a_token_that_another_process_renewed_is_used_rather_than_renewed_again(store: Store) -> None:
    answers = [token(1), OK, {"status": 401}, token(2), OK, {"status": 401}, OK]
    async with providing(answers) as (provider, caller):
        clock = clock_at()
        first, second = (engine(store, caller, [connection_of(ACME, REFRESH)], clock=clock) for _ in range(2))
        await first.actions.run(CALL)
        await second.credentials.state(connection_of(ACME, REFRESH))
        await first.actions.run(CALL)
        done: ActionDone = await second.actions.run(CALL)

    tokens = [each for each in provider.asked if each.url.endswith("/token")]
    assert len(tokens) == 2
    assert provider.asked[-1].headers["authorization"] == "Acme-token test-token-2"
    assert done.output == {"ok": True}


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
