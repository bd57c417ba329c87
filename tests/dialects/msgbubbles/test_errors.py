"""Every native code has a code and a status of the vendor's."""

from __future__ import annotations

import pytest

from hub.api.errors import ERROR_CODES, ErrorCode
from hub.dialects.msgbubbles.errors import EXCEPTIONS, STATUS, Refused, error_answer, told_as
from hub.model.errors import InvalidRequest


def test_exceptions_are_of_codes_that_there_are() -> None:
    assert set(EXCEPTIONS) <= {each.code for each in ERROR_CODES}


@pytest.mark.parametrize("listed", ERROR_CODES, ids=lambda each: each.code)
def test_every_native_code_is_told_and_keeps_its_kind(listed: ErrorCode) -> None:
    """What is the caller's fault stays so, what may be repeated stays so."""
    answer = error_answer(InvalidRequest(listed.code, "It is so.", param="from"), "req_1")

    assert set(answer.body) == {"error", "message", "request_id"}
    assert answer.body["error"] in STATUS
    assert (answer.status >= 500) == (listed.status >= 500)
    assert (answer.status in {401, 429}) == (listed.status in {401, 429})


@pytest.mark.parametrize(
    ("code", "status"),
    [*STATUS.items(), ("edit_failed", 502), ("add_participant_failed", 502)],
)
def test_a_code_of_theirs_has_its_status(code: str, status: int) -> None:
    answer = error_answer(Refused(code, "It is so."), "req_1")

    assert (answer.status, answer.body["error"]) == (status, code)


def test_a_message_names_their_fields() -> None:
    error = InvalidRequest(
        "invalid_parameter_value", "'participants[0]' and 'name' and 'from'; a name is no field."
    )

    expected = "'addresses[0]' and 'title' and 'from_handle'; a name is no field."
    assert error_answer(error, "req_1").body["message"] == expected


def test_only_what_is_named_is_told_otherwise() -> None:
    with pytest.raises(Refused) as told, told_as(line_not_found="invalid_from_handle"):
        raise InvalidRequest("line_not_found", "No.", retry_after=3)
    with pytest.raises(InvalidRequest) as untold, told_as(line_not_found="invalid_from_handle"):
        raise InvalidRequest("chat_not_found", "No.")

    assert (told.value.code, told.value.retry_after) == ("invalid_from_handle", 3)
    assert untold.value.code == "chat_not_found"
