"""Every native code has a status of the vendor's, and what stands in the way is named in its words."""

from __future__ import annotations

import pytest

from hub.api.errors import ERROR_CODES, ErrorCode
from hub.api.surface import build
from hub.dialects.ava.errors import STATUS, STATUS_OF_CODE, ErrorReply, told
from hub.dialects.ava.times import first_after
from hub.dialects.registry import DIALECTS
from hub.model.errors import InvalidRequest
from tests.dialects.ava.test_checklist import is_error
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, HubWorld

#: The vendor's four, and HTTP's own.
STATUSES = {400, 401, 429, 500} | {404, 405, 408, 413, 415}


@pytest.mark.parametrize("listed", ERROR_CODES, ids=lambda each: each.code)
def test_every_native_code_has_a_status(listed: ErrorCode) -> None:
    answer = told(InvalidRequest(listed.code, "Why."), "req_1")

    assert answer.status in STATUSES
    assert answer.body == ErrorReply(success=False, error="Why.", message="Why.")


def test_no_entry_is_for_nothing() -> None:
    assert set(STATUS_OF_CODE) <= {each.code for each in ERROR_CODES}
    assert set(STATUS) == {each.status for each in ERROR_CODES}


def test_fields_are_named_as_the_caller_knows_them() -> None:
    error = InvalidRequest("invalid_parameter_value", "'text' is too long.", param="text")

    assert told(error, "req_1").body.error == "'message' is too long."


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/messages/", 404),
        ("GET", "/api/messages", 404),
        ("GET", "/api/messages/abc", 400),
        ("GET", "/api/send", 405),
        ("POST", "/api/messages/poll", 405),
        ("GET", "/api/messages/poll?phone=abc", 400),
    ],
)
async def test_what_leads_nowhere(api: Caller, method: str, path: str, status: int) -> None:
    assert is_error(await api.request(method, path), status)


async def test_a_key_without_the_scope_is_no_good_key(world: HubWorld) -> None:
    api = await world.caller("messages:read", dialect="ava")

    assert is_error(await api.post("/api/send", {"phone": CONTACT, "message": "Hi"}), 401)


async def test_who_opted_out_is_not_written_to(world: HubWorld, api: Caller) -> None:
    await world.say("STOP")

    assert is_error(await api.post("/api/send", {"phone": CONTACT, "message": "Hi"}), 400)


async def test_who_shows_no_key_is_told_how_one_begins(world: HubWorld) -> None:
    answered = await world.api.with_token(None).get("/api/messages/poll")

    assert "ava_live_" in answered.json["message"]


async def test_a_hub_without_a_model_says_so(world: HubWorld, api: Caller) -> None:
    """The caller cannot mend it: it is a 500."""
    without = api.of(build(world.parts, DIALECTS))
    context = [{"role": "user", "content": "Open?"}]
    answered = await without.post("/api/generate", {"phone": CONTACT, "context": context})

    assert is_error(answered, 500)
    assert "ai.provider" in answered.json["error"]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("2026-01-25T12:00:00Z", 1_769_342_401_000),
        ("2026-01-25T12:00:00.000Z", 1_769_342_401_000),
        ("2026-01-25T12:00:00.123Z", 1_769_342_400_124),
        ("2026-01-25T13:00:00 01:00", 1_769_342_401_000),
    ],
)
def test_a_poll_begins_after_what_was_seen(since: str, expected: int) -> None:
    assert first_after(since) == expected
