"""The matrix of permissions of the dialects: every endpoint, with every kind of key that is no good for it.

Not here: keys that are restricted to lines (test_other_lines).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.api.calls import AnyEndpoint, NoBody
from hub.api.dialect import Dialect
from hub.api.endpoints import NOUNS
from hub.dialects.registry import DIALECTS
from hub.flow.keys import KeyWish
from hub.model.key import SCOPES
from tests.dialects.vendors import ENDPOINTS, filled, tells
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import HubWorld, open_world

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
each_endpoint = pytest.mark.parametrize(
    ("dialect", "endpoint"), ENDPOINTS, ids=[endpoint.name for _, endpoint in ENDPOINTS]
)
in_one_loop = pytest.mark.asyncio(loop_scope="module")
_NATIVE = [re.compile(re.sub(r"\{[^}]*\}", "[^/]+", each.path)) for each in NOUNS]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HubWorld]:
    """A hub that counts no requests; one for all, as each test has keys of its own and every request is refused."""
    async with open_world(tmp_path_factory.mktemp("hub"), requests_per_hour=0) as opened:
        yield opened


async def ask(caller: Caller, endpoint: AnyEndpoint, *values: str) -> Answered:
    body = None if endpoint.body is NoBody else dict(endpoint.example)
    return await caller.request(endpoint.method, filled(endpoint, *values or ("x",)), body=body)


def is_shared(dialect: Dialect, endpoint: AnyEndpoint) -> bool:
    """Whether the native surface has the path, too: then nothing tells whose client asks without a key."""
    path = filled(endpoint, "x")
    return not dialect.owns(path) and any(native.fullmatch(path) for native in _NATIVE)


@in_one_loop
@each_endpoint
async def test_without_a_key_and_with_an_unknown_one(
    world: HubWorld, dialect: Dialect, endpoint: AnyEndpoint
) -> None:
    nobody = await ask(world.api.with_token(None), endpoint)
    stranger = await ask(world.api.with_token(dialect.key_prefix + "A" * 32), endpoint)

    if is_shared(dialect, endpoint):
        assert (nobody.status, nobody.code) == (401, "missing_api_key")
        assert (stranger.status, stranger.code) == (401, "invalid_api_key")
    else:
        assert tells(dialect, nobody, "missing_api_key"), nobody.body
        assert tells(dialect, stranger, "invalid_api_key"), stranger.body
    assert nobody.headers["www-authenticate"] == "Bearer"


@in_one_loop
@each_endpoint
async def test_with_a_revoked_key(world: HubWorld, dialect: Dialect, endpoint: AnyEndpoint) -> None:
    wish = KeyWish(name="old", scopes=dialect.scopes, dialect=dialect.name)
    made = await world.keys.create(wish)
    await world.keys.revoke(made.key.id)
    answered = await ask(world.api.with_token(made.text), endpoint)

    assert made.text.startswith(dialect.key_prefix)
    assert tells(dialect, answered, "invalid_api_key"), answered.body


@in_one_loop
@each_endpoint
async def test_a_key_may_do_it_with_its_scope_alone(
    world: HubWorld, dialect: Dialect, endpoint: AnyEndpoint
) -> None:
    others = sorted(set(SCOPES) - {endpoint.scope, "admin"})
    without = await ask(await world.caller(*others, dialect=dialect.name), endpoint)

    assert endpoint.scope in SCOPES
    assert tells(dialect, without, "insufficient_scope"), without.body


@each_dialect
def test_the_keys_of_a_dialect_may_do_all_that_its_client_does(dialect: Dialect) -> None:
    needed = {each.scope for each in dialect.endpoints}

    assert needed <= dialect.scopes or "admin" in dialect.scopes
