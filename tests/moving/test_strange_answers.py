"""Whatever a vendor answers, a source finds something, says what is wrong, or refuses the answer; it never breaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.dialects.registry import SOURCES
from hub.flow.vendor_sources import (
    FoundContact,
    FoundGroup,
    FoundWebhook,
    SourceFailed,
    Unreadable,
    VendorSource,
)
from hub.flow.webhook_checks import check_condition
from hub.rules.contact_rows import Regions, Row, read_object
from tests.moving.conftest import LISTS

NAMES = (
    "appleId", "contact_id", "contacts", "created_at", "data", "emailAddresses", "enabled", "events", "firstName",
    "handle", "has_more", "id", "identifier", "is_active", "line_ids", "name", "next_cursor", "page", "pagination",
    "phoneNumbers", "tags", "total", "url", "valid_until", "webhook_type", "webhook_url", "webhooks",
)  # fmt: skip
TEXTS = (
    "",
    "+15550200001",
    "a@example.com",
    "all",
    "message.received",
    "https://example.com/",
    "\x00",
    "é" * 500,
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**64 - 1),
    st.floats(allow_nan=False),
    st.sampled_from(TEXTS),
    st.text(max_size=5),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=5,
)
#: Fields that mean something, each right or strange.
USUAL: dict[str, list[Any]] = {
    "appleId": ["a@example.com"],
    "contact_id": ["ct_1"],
    "created_at": ["2026-06-11T18:21:04.000Z"],
    "enabled": [True],
    "emailAddresses": [["a@example.com"]],
    "events": [["message.received"], ["*"], []],
    "firstName": ["Ann"],
    "handle": ["+15550100000"],
    "id": ["1"],
    "identifier": ["+15550200001"],
    "is_active": [True],
    "line_ids": [[], ["ln_1"]],
    "name": ["Ann"],
    "phoneNumbers": [["+15550200001"]],
    "tags": [["vip"]],
    "url": ["https://example.com/"],
    "valid_until": [-1, 4_000_000_000_000],
    "webhook_id": ["wh_1"],
    "webhook_type": ["all"],
    "webhook_url": ["https://example.com/"],
}
ROW = st.fixed_dictionaries({name: st.sampled_from(usual) | VALUES for name, usual in USUAL.items()})
ROWS = st.lists(ROW | VALUES, max_size=3)
ANSWERS = st.one_of(
    st.fixed_dictionaries(
        {"contacts": ROWS, "data": ROWS, "webhooks": ROWS, "has_more": st.booleans()},
        optional={
            "pagination": st.fixed_dictionaries({}, optional={"page": VALUES, "total": VALUES}) | VALUES,
            "next_cursor": VALUES,
        },
    ),
    st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5),
)


async def found_in(source: VendorSource, answers: list[dict[str, Any]]) -> list[Any]:
    """Read all lists from these answers, the last one for ever; what was found until one was refused."""
    left, found = list(answers), []

    async def ask(path: str) -> Mapping[str, Any]:
        assert path.startswith(source.prefix)
        return left.pop(0) if len(left) > 1 else left[0]

    for name in LISTS:
        read = getattr(source, name)
        with contextlib.suppress(SourceFailed):
            if read is not None:
                found += [each async for each in read(ask)]
    return found


@pytest.mark.slow
@pytest.mark.parametrize("source", [each for each in SOURCES if each.webhooks], ids=lambda each: each.name)
@settings(max_examples=100, deadline=None)
@given(answers=st.lists(ANSWERS, min_size=1, max_size=3))
def test_nothing_that_a_vendor_answers_breaks_a_source(
    source: VendorSource, answers: list[dict[str, Any]]
) -> None:
    for each in asyncio.run(found_in(source, answers)):
        match each:
            case FoundContact():
                row = read_object(each.fields, number=1, regions=Regions(completing="", hinted=""))
                assert isinstance(row, Row)
                assert row.errors or row.fields.handles
            case FoundWebhook():
                assert each.url
                assert all(isinstance(pattern, str) for pattern in each.patterns)
                assert each.more.keys() <= {"condition", "expires_at", "metadata"}
                check_condition(each.more.get("condition"))
                assert (each.more.get("expires_at") or 0) < 2**63
            case FoundGroup():
                assert isinstance(each.name, str)
            case Unreadable():
                assert each.error.endswith(".")
