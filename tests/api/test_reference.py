"""Tables, documents and behaviour stay in step."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import msgspec
import pytest

import hub
from hub.api.calls import AnyEndpoint, NoBody, StreamBody
from hub.api.errors import BY_CODE, ERROR_CODES
from hub.api.openapi import described, document_json
from hub.api.reference import files
from hub.api.surface import ENDPOINTS
from hub.model.key import SCOPES
from hub.model.outbox import WIRE_STATUS
from hub.rules.event_types import SUBSCRIBABLE

ROOT = Path(hub.__file__).parent.parent
#: Scopes that gate nothing yet.
UNUSED_SCOPES = {
    "events:read": "events are seen through deliveries",
    "files:read": "files come in a later issue",
    "files:write": "files come in a later issue",
}


@pytest.mark.parametrize("name", ["api.md", "errors.md", "openapi.json"])
def test_the_committed_reference_is_what_the_tables_say(name: str) -> None:
    committed = (ROOT / "docs" / "reference" / name).read_bytes()

    assert committed == files()[name], "run: python -m hub.api.reference docs/reference"


def test_error_codes_are_unique_and_in_order() -> None:
    keys = [(each.status, each.code) for each in ERROR_CODES]

    assert keys == sorted(set(keys))


def test_every_code_that_the_code_raises_is_in_the_table() -> None:
    raised = set()
    for path in [*(ROOT / "hub/api").glob("*.py"), *(ROOT / "hub/flow").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InvalidRequest":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    raised.add(first.value)

    assert raised <= set(BY_CODE)


def test_every_code_that_an_endpoint_names_is_in_the_table() -> None:
    assert {code for each in described() for code in each.errors} <= set(BY_CODE)


def test_every_scope_gates_something() -> None:
    used = {each.scope for each in ENDPOINTS if each.scope is not None}

    assert used | set(UNUSED_SCOPES) == set(SCOPES)


def test_names_and_routes_are_unique() -> None:
    assert len({each.name for each in described()}) == len(described())
    assert len({(each.method, each.path) for each in described()}) == len(described())


@pytest.mark.parametrize(
    "endpoint", [each for each in described() if each.body not in (NoBody, StreamBody)], ids=lambda e: e.name
)
def test_examples_fit_their_bodies(endpoint: AnyEndpoint) -> None:
    msgspec.convert(dict(endpoint.example), endpoint.body)


def test_the_document_holds_together() -> None:
    document = msgspec.json.decode(document_json())
    references = set(re.findall(rb'"#/components/(schemas|headers|responses)/([^"]+)"', document_json()))

    assert document["openapi"] == "3.1.0"
    for kind, name in references:
        assert name.decode() in document["components"][kind.decode()]


def test_every_tag_is_explained() -> None:
    document = msgspec.json.decode(document_json())

    assert {tag["name"] for tag in document["tags"]} == {each.tag for each in described()}


def test_every_body_says_its_shape() -> None:
    document = msgspec.json.decode(document_json())
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    contents = [
        media
        for operation in operations
        for holder in (operation.get("requestBody", {}), *operation["responses"].values())
        for media in holder.get("content", {}).values()
    ]

    assert all("schema" in media for media in contents)


def test_outbox_statuses_are_those_of_the_wire() -> None:
    assert set(WIRE_STATUS.values()) == {"pending", "claimed", "sent", "failed"}


def test_the_webhook_guide_names_every_event_type() -> None:
    guide = (ROOT / "docs" / "webhooks.md").read_text()

    assert [name for name in SUBSCRIBABLE if f"`{name}`" not in guide] == []
