"""Every error in the vendor's envelope (contracts: blooio §1; checklist 1)."""

from __future__ import annotations

import re

import pytest

from hub.api.calls import AnyEndpoint
from hub.api.errors import ERROR_CODES
from hub.dialects.blooio import DIALECT
from hub.dialects.blooio.errors import CODES, STATUS, WORDS, Refusal, naming, told
from hub.model.errors import InvalidRequest, LimitFigures
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld

#: The statuses that the contract lists, and what HTTP itself needs beside them.
_DOCUMENTED = {400, 401, 402, 403, 404, 409, 422, 429, 501, 502, 503} | {405, 412, 500}


def test_every_native_code_is_told() -> None:
    assert set(STATUS) == {each.code for each in ERROR_CODES}
    assert set(STATUS.values()) <= _DOCUMENTED
    assert set(CODES) <= set(STATUS)


@pytest.mark.parametrize("code", sorted(STATUS))
def test_an_error_is_a_word_a_sentence_and_a_status(code: str) -> None:
    answer = told(InvalidRequest(code, "A sentence.", param="to"), "req_1")

    assert answer.body["error"] == WORDS[answer.status]
    assert answer.body["message"]
    assert answer.body["status"] == answer.status == STATUS[code]
    assert answer.body["details"] == {"field": "chatId"}


def test_01_no_key_and_an_unknown_one_are_401() -> None:
    for code in ("missing_api_key", "invalid_api_key"):
        answer = told(InvalidRequest(code, "Send the header 'Authorization: Bearer sk_live_…'."), "req_1")

        assert answer.body == {
            "error": "unauthorized",
            "message": "Invalid or missing API key.",
            "status": 401,
            "code": code,
            "request_id": "req_1",
        }


@pytest.mark.parametrize(
    ("error", "is_told_not_to_repeat"),
    [
        (InvalidRequest("contact_exists", "."), True),
        (InvalidRequest("idempotency_key_conflict", "."), True),
        (InvalidRequest("idempotency_in_progress", ".", retry_after=1), False),
        (InvalidRequest("message_not_sent", "."), False),
        (InvalidRequest("rate_limit_exceeded", ".", retry_after=5), False),
        (InvalidRequest("rate_limit_exceeded", ".", retry_after=3_000), True),
        (InvalidRequest("service_unavailable", ".", retry_after=1), False),
        (Refusal(409, "."), True),
        (Refusal(409, ".", is_worth_a_repeat=True), False),
    ],
)
def test_the_vendors_client_is_told_what_not_to_repeat(
    error: InvalidRequest, is_told_not_to_repeat: bool
) -> None:
    assert ((b"x-should-retry", b"false") in told(error, "req_1").headers) is is_told_not_to_repeat


def test_limits_have_the_vendors_figures() -> None:
    figures = LimitFigures(limit=20, used=20, period="day", resets_at=1)
    day = told(InvalidRequest("message_limit_reached", ".", limit=figures, retry_after=9), "req_1").body
    new = told(InvalidRequest("new_conversation_limit_reached", ".", limit=figures), "req_1").body

    assert (day["code"], day["limit"], day["current"], day["mode"]) == (
        "outbound_limit_reached",
        20,
        20,
        "per_number",
    )
    assert (new["code"], new["cap"], new["current"]) == ("new_conversation_limit_reached", 20, 20)
    assert new["plan_id"]


def test_an_endpoint_gives_fields_its_own_names() -> None:
    with pytest.raises(InvalidRequest) as caught, naming(type="reaction"):
        raise InvalidRequest("invalid_parameter_value", "'type' must be one emoji.", param="type")

    body = told(caught.value, "req_1").body
    assert body["message"] == "'reaction' must be one emoji."
    assert body["details"] == {"field": "reaction"}


def test_a_refusal_says_more() -> None:
    refusal = Refusal(403, "No.", code="inbound_only_no_prior_inbound", more={"external_id": "+1555"})

    assert told(refusal, "req_1").body == {
        "error": "forbidden",
        "message": "No.",
        "status": 403,
        "code": "inbound_only_no_prior_inbound",
        "external_id": "+1555",
        "request_id": "req_1",
    }


@pytest.mark.parametrize("path", ["/v2/api", "/v2/api/", "/v2/api/nothing", "/v2/api/chats/a/b/c/d"])
async def test_no_path_of_the_vendor_has_a_native_answer(api: Caller, path: str) -> None:
    answered = await api.get(path)

    assert answered.status == 404
    assert answered.json["error"] == "not_found"
    assert answered.json["status"] == 404


@pytest.mark.parametrize(
    ("param", "field"),
    [("texts[1]", "text[1]"), ("participants[0]", "chatId[0]"), ("parts[0].text", "parts[0].text")],
)
def test_a_place_in_a_field_has_the_fields_name(param: str, field: str) -> None:
    body = told(InvalidRequest("invalid_parameter_value", f"'{param}' is bad.", param=param), "req_1").body

    assert body["details"] == {"field": field}
    assert body["message"] == f"'{field}' is bad."


def path_of(endpoint: AnyEndpoint) -> str:
    """Give a path of an endpoint at which something may be."""
    return re.sub(r"\{[^}]*\}", "x", endpoint.path.replace("{chat_id}", "+15551234567"))


@pytest.mark.parametrize("endpoint", DIALECT.endpoints, ids=lambda each: each.name)
async def test_every_endpoint_wants_a_key_with_its_right(world: HubWorld, endpoint: AnyEndpoint) -> None:
    powerless = await world.caller("sandbox:write", dialect="blooio")
    refused = await powerless.request(endpoint.method, path_of(endpoint), body=endpoint.example or None)
    unknown = await world.api.with_token(None).request(endpoint.method, path_of(endpoint))

    assert (unknown.status, unknown.json["status"], unknown.json["error"]) == (401, 401, "unauthorized")
    assert (refused.status, refused.json["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("endpoint", DIALECT.endpoints, ids=lambda each: each.name)
def test_the_keys_of_the_dialect_may_do_all_of_it(endpoint: AnyEndpoint) -> None:
    assert endpoint.scope in DIALECT.scopes
