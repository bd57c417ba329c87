"""Each dialect tells every error of the hub, in one envelope that its clients can read."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import msgspec
import pytest

from hub.api.dialect import Dialect, ErrorAnswer
from hub.api.errors import ERROR_CODES, ErrorCode
from hub.dialects.registry import DIALECTS
from hub.model.errors import InvalidRequest, LimitFigures

WHY = "Something is so, and 'from' has to do with it."
each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)
each_code = pytest.mark.parametrize("listed", ERROR_CODES, ids=lambda each: each.code)


def told(dialect: Dialect, listed: ErrorCode) -> ErrorAnswer:
    """Have an error told with all that an error can carry."""
    figures = LimitFigures(limit=20, used=20, period="day", resets_at=1_700_000_000_000)
    error = InvalidRequest(
        listed.code, WHY, param="from", retry_after=9, existing_id="ct_0f2m4h8x0g001", limit=figures
    )
    return dialect.errors(error, "req_0f2m4h8x0g001")


def written(answer: ErrorAnswer) -> dict[str, Any]:
    """Give the body as it goes over the wire."""
    body: dict[str, Any] = json.loads(msgspec.json.encode(answer.body))
    return body


@each_dialect
@each_code
def test_every_native_code_has_a_status_and_a_text(dialect: Dialect, listed: ErrorCode) -> None:
    answer = told(dialect, listed)
    texts = [value for value in written(answer).values() if isinstance(value, str)]

    assert HTTPStatus(answer.status) >= HTTPStatus.BAD_REQUEST
    assert any(" " in text for text in texts)


@each_dialect
@each_code
def test_who_is_at_fault_is_told_rightly(dialect: Dialect, listed: ErrorCode) -> None:
    """Clients repeat what is the server's fault, log in again on a 401, and wait on a 429."""
    status = told(dialect, listed).status

    if listed.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        assert status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if listed.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}:
        assert status == listed.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        assert listed.status == HTTPStatus.TOO_MANY_REQUESTS


@each_dialect
def test_all_errors_share_one_envelope(dialect: Dialect) -> None:
    """What every error has is more than nothing, and no error is in another dialect's form, or in the native one."""
    bodies = [written(told(dialect, listed)) for listed in ERROR_CODES]
    shared = set.intersection(*({(name, type(value)) for name, value in body.items()} for body in bodies))

    assert {name for name, _ in shared} & {"error", "message"} != set()
    assert not any(isinstance(body.get("error"), dict) and "type" in body["error"] for body in bodies)
