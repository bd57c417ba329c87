"""A dialect is one value: given to the hub among the others, it has its keys, paths, errors and webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import hub
from hub.api.errors import ERROR_CODES
from hub.dialects.registry import DIALECTS
from hub.flow.keys import KeyWish
from hub.model.errors import InvalidRequest
from tests.dialects.coop.mail import Mail
from tests.dialects.pigeon import PIGEON, note_id
from tests.dialects.vendors import tells
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, HubWorld, line_id, open_world

NOTE = {"to": CONTACT, "note": "Coo!"}
SECRET = "a ring of brass"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    """A hub that speaks one dialect more; the sandbox line is the one that sends."""
    async with open_world(tmp_path, dialects=(*DIALECTS, PIGEON)) as opened:
        path = f"/v1/lines/{line_id(opened.other_line)}"
        assert (await opened.api.patch(path, {"is_active": False})).status == 200
        yield opened


@pytest.fixture
async def api(world: HubWorld) -> Caller:
    """A client of Pigeon Post."""
    wish = KeyWish(name="loft", scopes=PIGEON.scopes, dialect=PIGEON.name)
    return world.api.with_token((await world.keys.create(wish)).text)


async def test_its_keys_begin_as_its_own(world: HubWorld, api: Caller) -> None:
    over_rest = await world.api.post(
        "/v1/keys", {"name": "loft", "scopes": ["messages:write"], "dialect": "pigeon"}
    )

    assert over_rest.json["api_key"].startswith("coo_")
    assert (api.token or "").startswith("coo_")


async def test_its_client_sends(world: HubWorld, api: Caller) -> None:
    answered = await api.post("/pigeon/notes", NOTE)
    messages = (await world.api.get("/v1/messages")).json["data"]

    assert (answered.status, answered.json) == (200, {"ok": True, "note_id": note_id(messages[0]["id"])})
    assert [each["text"] for each in messages] == ["Coo!"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/pigeon/notes", {"to": CONTACT}, "missing_required_parameter"),
        ("/pigeon/notes", {"to": "abc", "note": "Coo!"}, "invalid_parameter_value"),
        ("/pigeon/eggs", {}, "route_not_found"),
    ],
)
async def test_refusals_are_in_its_words(api: Caller, path: str, body: dict[str, str], code: str) -> None:
    assert tells(PIGEON, await api.post(path, body), code)


async def test_who_may_not_is_refused_in_its_words(world: HubWorld) -> None:
    nobody = await world.api.with_token(None).post("/pigeon/notes", NOTE)
    reader = await (await world.caller("messages:read", dialect="pigeon")).post("/pigeon/notes", NOTE)

    assert tells(PIGEON, nobody, "missing_api_key")
    assert "coo_" in nobody.json["message"]
    assert tells(PIGEON, reader, "insufficient_scope")
    assert {PIGEON.errors(InvalidRequest(each.code, "."), "r").status // 100 for each in ERROR_CODES} == {
        4,
        5,
    }


async def test_its_receiver_gets_its_bytes(world: HubWorld) -> None:
    hook = {"from": "*", "url": "https://loft.example/", "events": ["message.received"]}
    answered = await world.api.post("/v1/webhooks", {**hook, "form": "pigeon", "secret": SECRET})
    await world.say("Hello")
    mail = Mail(world)
    await mail.deliver()
    (letter,) = mail.letters

    assert answered.status == 201, answered.body
    assert {name: letter.json[name] for name in ("by", "note")} == {"by": CONTACT, "note": "Hello"}
    expected = hmac.new(SECRET.encode(), letter.body, hashlib.sha256).hexdigest()
    assert letter.headers["X-Pigeon-Ring"] == expected


async def test_it_does_not_tell_what_it_has_no_word_for(world: HubWorld) -> None:
    hook = {"from": "*", "url": "https://loft.example/", "events": ["reaction.added"], "form": "pigeon"}
    answered = await world.api.post("/v1/webhooks", hook)

    assert (answered.status, answered.code) == (400, "invalid_parameter_value")


async def test_nothing_else_is_changed(world: HubWorld, api: Caller, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    async with open_world(tmp_path / "without") as other:
        unknown = await other.api.post("/pigeon/notes", NOTE)

    assert (unknown.status, unknown.code) == (404, "route_not_found")
    assert (await world.api.get("/v1/lines")).status == 200
    assert (await api.get("/api/v1/relays")).json["statusCode"] == 403


def test_contributing_shows_this_one() -> None:
    root = Path(hub.__file__).parents[1]
    page = (root / "CONTRIBUTING.md").read_text("utf-8")
    source = Path(__file__).with_name("__init__.py").read_text("utf-8")
    section = page[page.index("## Adding a dialect") :]
    code = re.search(r"```python\n(.+?)```", section, re.DOTALL)
    assert code is not None

    assert code[1].strip() in source
    assert json.dumps("tests/dialects/pigeon").strip('"') in section
