"""docs/writing-a-connector.md is true: its manifest is sound, and does what its golden exchanges say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import connectors
from hub.config.loader import load_document
from hub.config.plain import plain
from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from hub.rules.connectors.action_reading import _ACTION_KEYS, _STEP_KEYS
from hub.rules.connectors.classification import usual_class
from hub.rules.connectors.request_reading import _RULE_KEYS, REQUEST_KEYS
from hub.rules.connectors.schemas import _KEYS as SCHEMA_KEYS
from tests.connectors.golden import (
    KEY,
    NAME,
    check_error,
    check_request,
    connection_of,
    engine,
    manifest_of,
    written_cases,
)
from tests.connectors.provider import providing

GUIDE = (Path(connectors.FOLDER).parent / "docs" / "writing-a-connector.md").read_text("utf-8")
MANIFEST, EXCHANGES = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
DOCUMENT: Any = plain(load_document(EXCHANGES, source="exchanges.yaml", is_prose=True))
CASES = list(written_cases(DOCUMENT))


@pytest.mark.parametrize("case", CASES, ids=lambda each: each["name"])
async def test_the_example_does_what_it_says(case: dict[str, Any], store: Store) -> None:
    manifest = manifest_of(MANIFEST.replace("team: null", "team: t1"))
    exchanges = case["exchanges"]
    async with providing([each["answer"] for each in exchanges]) as (provider, caller):
        works = engine(store, caller, [connection_of(manifest, case["connection"])])
        call = ActionCall(
            name="acme.create_note",
            connection=NAME,
            inputs=case["with"],
            key=KEY,
            attempt=1,
            timeout_ms=1_000,
        )
        told: ActionDone | ActionFailed
        try:
            told = await works.actions.run(call)
        except ActionFailed as failure:
            told = failure

    for asked, each in zip(provider.asked, exchanges, strict=True):
        check_request(asked, each["request"], case["name"])
    if "output" in case:
        assert isinstance(told, ActionDone)
        assert told.output == case["output"]
    else:
        check_error(told, case["error"], case["name"])


@pytest.mark.parametrize(
    "key", sorted({*_ACTION_KEYS, *_STEP_KEYS, *_RULE_KEYS, *REQUEST_KEYS, *SCHEMA_KEYS})
)
def test_every_key_is_in_the_guide(key: str) -> None:
    if not key.startswith("x-"):
        assert re.search(rf"\b{re.escape(key)}\b", GUIDE)


def test_the_table_of_usual_classes_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| ([0-9, ]+)[^|]*\| `([a-z_]+)`(?:; `([a-z_]+)`)?", GUIDE, re.MULTILINE)
    told = {
        int(status): (first, second or first)
        for numbers, first, second in rows
        for status in numbers.split(",")
    }

    assert len(told) == 13
    assert told == {status: (usual_class(status, "safe"), usual_class(status, "unsafe")) for status in told}
