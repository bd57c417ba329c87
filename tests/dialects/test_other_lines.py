"""The column of lines of the dialects' matrix of permissions: what a key meets that may use another line alone.

There is one of each thing on a line (tests.support.permission_stage). Every name that an unrestricted client of the
vendor is told goes into every path, and into every field that could name it. Nothing of it may be told to the
restricted key, or change.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlencode

import msgspec
import pytest

from hub.api.calls import AnyEndpoint, NoBody, StreamBody
from hub.api.dialect import Dialect
from hub.api.surface import build
from hub.dialects.registry import DIALECTS
from tests.api.permission_table import Lines
from tests.dialects.blooio.test_official_client import PNG
from tests.dialects.lines_table import TABLE
from tests.dialects.vendors import filled
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, HubWorld, line_id, open_world
from tests.support.permission_stage import OWN_LINE, SPARE, set_stage

pytestmark = pytest.mark.slow

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
#: What looks like an id of something, in anybody's spelling.
_ID: Final = re.compile(r"[a-z]+_[0-9A-Za-z]{13,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
#: What is said on the line.
SECRET: Final = "Xylophone"
#: What the stage has in no form of the vendor's: its own clients make it.
THEIRS: Final = {"coop_make_automation"}
#: Ids of what has other things with ids below it.
_OWNERS: Final = ("cht_", "ctg_", "grp_", "wh_")
#: Numbers, and what is said rather than named.
_NO_NAMES: Final = {
    *("limit", "offset", "page", "priority"),
    *("body", "text", "message", "name", "title", "notes"),
    *("firstName", "lastName", "organization", "jobTitle"),
}
#: People of the line, who may have to do with any other.
HANDLES: Final = {CONTACT, SPARE}
#: Those that end things come last.
ORDER: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
#: Statuses of what did not get as far as the thing.
BARRED: Final = frozenset({400, 401, 403, 404, 405, 415, 422})
#: Nothing of this may change.
STATE: Final = (
    f"/v1/chats?from={OTHER_LINE}",
    f"/v1/messages?from={OTHER_LINE}",
    f"/v1/webhooks?from={OTHER_LINE}",
    "/v1/contact-groups",
    "/v1/contacts",
    "/v1/bulk",
    "/v1/keys",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the restricted key, and what it was told."""

    endpoint: AnyEndpoint
    words: str
    answered: Answered


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    """A hub that counts no requests."""
    async with open_world(tmp_path, requests_per_hour=0) as opened:
        yield opened


async def staged(world: HubWorld, dialect: Dialect) -> tuple[Caller, Caller, set[str]]:
    """Make one of each, with the vendor's webhook.

    Returns:
        Two of the vendor's clients, of all lines and of another one; and the names that the second must not be told.
    """
    stage = await set_stage(world)
    for name in ("line", "own_line"):
        await world.api.patch(f"/v1/lines/{stage.things[name]}", {"is_contact_first": False})
    consent = {"from": OTHER_LINE, "handle": SPARE, "state": "opted_in", "reason": "Asked us"}
    await world.api.post("/v1/consents", consent)
    world.parts = replace(world.parts, ai=None)
    world.api = world.api.of(build(world.parts, DIALECTS))
    if dialect.webhook_form is not None:
        hook = {"from": OTHER_LINE, "url": "https://receiver.example/theirs", "form": dialect.name}
        made = await world.api.post("/v1/webhooks", {**hook, "events": ["message.received"]})
        assert made.status == 201, made.body
    await world.say(SECRET, line=world.other_line)
    own = world.directory.current.lines_by_handle[OWN_LINE]
    everywhere = await world.caller(*dialect.scopes, dialect=dialect.name)
    for endpoint in dialect.endpoints:
        if endpoint.name in THEIRS:
            assert (await ask(everywhere, endpoint, endpoint.path, body_of(endpoint))).answered.status == 201
    restricted = await world.caller(*dialect.scopes, lines=(own,), dialect=dialect.name)
    hidden = (
        await names_told(dialect, everywhere)
        | set(filter(_ID.fullmatch, stage.hidden))
        | {OTHER_LINE, SECRET}
    )
    return everywhere, restricted, hidden - await names_told(dialect, restricted)


async def names_told(dialect: Dialect, client: Caller) -> set[str]:
    """Give every id that a client is told by reading, and by reading on with what it was told."""
    found: set[str] = set()
    for _ in range(3):
        for endpoint in dialect.endpoints:
            if endpoint.method == "GET":
                for values in values_for(endpoint, found | HANDLES):
                    answered = await client.get(filled(endpoint, *values))
                    if answered.status == 200:
                        found |= set(_ID.findall(answered.body.decode("utf-8", "replace")))
    return {name for name in found if not name.startswith("req_")}


def values_for(endpoint: AnyEndpoint, names: set[str]) -> list[tuple[str, ...]]:
    """Give what to fill into a path."""
    holes = endpoint.path.count("{")
    if "{number}" not in endpoint.path:
        names = names - {OTHER_LINE}  # anybody may write to the number
    if holes == 0:
        return [("",)]
    if holes == 1:
        return [(name,) for name in sorted(names)]
    owners = {name for name in names if name.startswith(_OWNERS)} | {CONTACT}
    people = {CONTACT, SPARE, "vip"}
    return sorted({*product(owners, names), *product(names, people)})


def requests_for(endpoint: AnyEndpoint, names: set[str]) -> Iterator[tuple[str, Any]]:
    """Give paths and bodies: each name in the path, and in each parameter or field that could take it."""
    body = body_of(endpoint)
    for values in values_for(endpoint, names):
        yield filled(endpoint, *values), body
    if "{" in endpoint.path:
        names = set()
    for parameter, name in in_fields(endpoint.query, names):
        yield f"{endpoint.path}?{urlencode({parameter: name})}", body
    if isinstance(body, dict):
        for one, name in in_fields(endpoint.body, names | {OTHER_LINE}):
            yield filled(endpoint, CONTACT), {**body, one: name}
            yield filled(endpoint, CONTACT), {**body, one: [name]}


def in_fields(shape: type[msgspec.Struct], names: set[str]) -> Iterator[tuple[str, str]]:
    """Give fields with names that they could take; the line only where it acts, because anybody may write to it."""
    for one, name in product(msgspec.structs.fields(shape), sorted(names)):
        if one.encode_name not in _NO_NAMES and (name != OTHER_LINE or one.encode_name.startswith("from")):
            yield one.encode_name, name


def body_of(endpoint: AnyEndpoint) -> Any:
    """Give a body that could do something."""
    if endpoint.body is NoBody:
        return None
    if endpoint.body is StreamBody:
        (field,) = endpoint.request_content["multipart/form-data"]["schema"]["properties"]
        head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="a"\r\n\r\n'
        return head.encode() + (TABLE[endpoint.name].body or PNG) + b"\r\n--x--\r\n"
    return TABLE[endpoint.name].body or dict(endpoint.example)


@each_dialect
async def test_a_key_for_another_line_is_told_nothing_and_changes_nothing(
    world: HubWorld, dialect: Dialect
) -> None:
    _, restricted, hidden = await staged(world, dialect)
    before = await state(world)
    asked = [
        await ask(restricted, endpoint, path, body)
        for endpoint in in_order(dialect)
        for path, body in requests_for(endpoint, hidden | HANDLES)
    ]

    assert len(hidden) >= 3
    assert [
        each for each in asked if each.answered.status == 500 and each.endpoint.scope != "drafts:write"
    ] == []
    assert [
        each for each in asked if any(name not in each.words for name in told(each.answered, hidden))
    ] == []
    assert await state(world) == before


@each_dialect
async def test_what_it_meets_stands_in_the_table(world: HubWorld, dialect: Dialect) -> None:
    """Where a key of all lines gets through."""
    everywhere, restricted, hidden = await staged(world, dialect)
    met: dict[str, Lines | None] = {}
    for endpoint in in_order(dialect):
        requests = list(requests_for(endpoint, hidden | HANDLES))
        barred = [await ask(restricted, endpoint, path, body) for path, body in requests]
        free = [await ask(everywhere, endpoint, path, body) for path, body in requests]
        met[endpoint.name] = meets(endpoint, list(zip(barred, free, strict=True)), hidden)

    assert met == {each.name: TABLE[each.name].lines for each in dialect.endpoints}


def in_order(dialect: Dialect) -> list[AnyEndpoint]:
    """Give those first that only read, and those last that end things: what is in a thing before the thing."""
    return sorted(dialect.endpoints, key=lambda each: (ORDER.index(each.method), -len(each.path)))


def meets(endpoint: AnyEndpoint, asked: list[tuple[Asked, Asked]], hidden: set[str]) -> Lines | None:
    """Say what the restricted key got where the other got through; None where neither did."""
    through = [(barred.answered, free) for barred, free in asked if free.answered.status not in BARRED]
    named = [(barred, free) for barred, free in through if any(name in free.words for name in hidden)]
    statuses = {barred.status for barred, _ in named or through}
    if not statuses:
        return None
    if statuses <= BARRED:
        return Lines.HIDDEN if statuses == {404} else Lines.REFUSED
    is_shorter = any(told(free.answered, hidden) - told(barred, hidden) for barred, free in through)
    return Lines.LEFT_OUT if is_shorter and endpoint.method == "GET" else Lines.OPEN


async def ask(client: Caller, endpoint: AnyEndpoint, path: str, body: Any) -> Asked:
    headers = {"Content-Type": "multipart/form-data; boundary=x"} if endpoint.body is StreamBody else None
    answered = await client.request(endpoint.method, path, body=body, headers=headers)
    return Asked(endpoint, unquote(f"{path} {body}"), answered)


def told(answered: Answered, names: set[str]) -> set[str]:
    """Give the names that an answer tells."""
    text = answered.body.decode("utf-8", "replace")
    return {name for name in names if name in text}


async def state(world: HubWorld) -> dict[str, Any]:
    """Give all that is on the line, as an unrestricted native client reads it."""
    found = {}
    for path in STATE:
        answered = await world.api.get(path.replace("+", "%2B"))
        assert answered.status == 200, answered.body
        mine = [
            each for each in answered.json["data"] if each.get("line_id") in {None, line_id(world.other_line)}
        ]
        found[path] = [without_times(each) for each in mine]
    return found


def without_times(thing: dict[str, Any]) -> dict[str, Any]:
    """Leave out when a contact last wrote or was written to, by whatever line, and when a key was last used."""
    return {name: value for name, value in thing.items() if name not in {"last_message_at", "last_used_at"}}
