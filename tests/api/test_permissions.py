"""The matrix of permissions: every endpoint, with every scope, a restricted key, and keys that are no good."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from hub.api.openapi import described
from hub.flow.keys import KeyWish
from hub.model.key import SCOPES
from tests.api.permission_table import TABLE, Lines, Row
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import HubWorld, open_world
from tests.support.permission_stage import Stage, set_stage

KEYED = [row for row in TABLE if row.scope is not None]
#: What a key meets that may not do it, or asks for what is not there; nobody shares a location.
BARRED = re.compile(
    r"missing_api_key|invalid_api_key|insufficient_scope|line_not_accessible|(?!location_).*_not_found"
)
#: What would not show whether it may.
MALFORMED = (
    "invalid_json",
    "invalid_parameter_value",
    "missing_required_parameter",
    "unsupported_media_type",
)


@pytest.fixture
async def open_hub(tmp_path: Path) -> AsyncIterator[HubWorld]:
    """A hub that counts no requests."""
    async with open_world(tmp_path, requests_per_hour=0) as world:
        yield world


def address(row: Row, things: dict[str, str] | None = None) -> str:
    """Give a row's path and query, with the things' names filled in."""
    filled = row.asked.format_map(things) if things is not None else ""
    name, _, query = filled.partition("?")
    others = {
        "handle": "+15550100001",
        "contact": "+15550100001",
        "tag": "vip",
        "name": "payments",
        "payload_id": (things or {}).get("payload", "none"),
        "token": "0" * 40,
    }
    path = row.path.format_map({"id": name or "none", **others})
    return quote(path) + (f"?{query.replace('+', '%2B')}" if query else "")


def filled(body: Any, things: dict[str, str]) -> Any:
    """Fill the things' names into a body."""
    if isinstance(body, dict):
        return {key: filled(value, things) for key, value in body.items()}
    if isinstance(body, str) and body.startswith("{"):
        return body.format_map(things)
    return body


async def ask(caller: Caller, row: Row, stage: Stage) -> Answered:
    things = dict(stage.things)
    body = filled(row.body, things)
    kind = "text/csv" if isinstance(body, bytes) else "application/json"
    return await caller.request(row.method, address(row, things), body=body, headers={"Content-Type": kind})


async def ask_bare(caller: Caller, row: Row) -> Answered:
    """Ask for what is not there: what comes before that shows."""
    return await caller.request(row.method, address(row), body={})


def test_every_endpoint_has_its_row_and_its_scope() -> None:
    table = {(row.method, row.path): row.scope for row in TABLE}

    assert table == {(each.method, each.path): each.scope for each in described()}
    assert len(table) == len(TABLE)


@pytest.mark.slow
async def test_a_key_may_do_what_its_scope_says_and_nothing_else(open_hub: HubWorld) -> None:
    open_hub.parts.live.feed.close()  # a stream ends as soon as it begins
    wrong = []
    for scope in SCOPES:
        caller = await open_hub.caller(scope)
        for row in KEYED:
            answered = await ask_bare(caller, row)
            is_barred = answered.status == 403 and answered.code == "insufficient_scope"
            if is_barred is (scope in {row.scope, "admin"}):
                wrong.append((row.method, row.path, scope, answered.status))

    assert wrong == []


@pytest.mark.parametrize("kind", ["none", "unknown", "malformed", "revoked", "expired"])
async def test_a_key_that_is_no_good_opens_nothing(open_hub: HubWorld, kind: str) -> None:
    caller = open_hub.api.with_token(await bad_token(open_hub, kind))
    answers = [(row, await ask_bare(caller, row)) for row in KEYED]
    code = "missing_api_key" if kind == "none" else "invalid_api_key"

    assert [row for row, answered in answers if (answered.status, answered.code) != (401, code)] == []
    assert all(answered.headers["www-authenticate"] == "Bearer" for _, answered in answers)


async def bad_token(world: HubWorld, kind: str) -> str | None:
    if kind == "revoked":
        made = await world.keys.create(KeyWish(name="k", scopes=frozenset({"admin"})))
        await world.keys.revoke(made.key.id)
        return made.text
    if kind == "expired":
        wish = KeyWish(name="k", scopes=frozenset({"admin"}), expires_at=world.clock.now_ms() + 1)
        made = await world.keys.create(wish)
        world.clock.advance(2)
        return made.text
    return {"none": None, "unknown": "sk_live_" + "A" * 32, "malformed": "hello"}[kind]


async def test_what_needs_no_key_asks_for_none(open_hub: HubWorld) -> None:
    nobody = open_hub.api.with_token(None)
    answers = [(row.path, await ask_bare(nobody, row)) for row in TABLE if row.scope is None]

    assert [path for path, answered in answers if b"_api_key" in answered.body[:200]] == []


@pytest.mark.slow
async def test_a_restricted_key_stays_on_its_lines(open_hub: HubWorld) -> None:
    stage = await set_stage(open_hub)
    open_hub.parts.live.feed.close()
    wrong = []
    for row in KEYED:
        restricted = await ask(stage.restricted, row, stage)
        everywhere = await ask(stage.everywhere, row, stage)
        met = meets(row, restricted, stage)
        if met is not row.lines or not is_allowed(everywhere, row, stage):
            wrong.append((row.method, row.path, met, restricted.body[:200], everywhere.body[:200]))

    assert wrong == []


def is_allowed(answered: Answered, row: Row, stage: Stage) -> bool:
    """Whether nothing but the state of things stood in the way, and lists name what is there."""
    if answered.status < 400:
        return row.lines is not Lines.LEFT_OUT or tells(answered, stage)
    code = answered.code or ""
    return code != "internal_error" and not BARRED.fullmatch(code) and code not in MALFORMED


def meets(row: Row, answered: Answered, stage: Stage) -> Lines | None:
    """Say what a restricted key met."""
    if answered.status == 403 and answered.code == "line_not_accessible":
        return Lines.REFUSED
    if answered.status == 404:
        return Lines.HIDDEN
    if tells(answered, stage):
        return None
    if row.lines is Lines.LEFT_OUT and answered.status == 200:
        return Lines.LEFT_OUT
    return Lines.OPEN if is_allowed(answered, row, stage) else None


def tells(answered: Answered, stage: Stage) -> bool:
    """Whether an answer names anything of the line that is not the restricted key's."""
    text = answered.body.decode()
    return any(f'"{name}"' in text for name in stage.hidden)
