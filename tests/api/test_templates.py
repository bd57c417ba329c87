"""Templates: checked when they are asked for, kept whole for the bridge, and shown by name and values."""

from __future__ import annotations

from typing import Any

import pytest

from hub.flow.sent_parts import sent_parts
from hub.model.ids import Prefix, parse_id
from tests.support.asgi import Answered
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld

SHIPPED = {"name": "order_shipped", "language": "en_US", "values": ["Ada", "17"]}


async def send(world: HubWorld, **fields: Any) -> Answered:
    return await world.api.post("/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, **fields})


async def test_a_template_is_owed_whole_and_shown_by_its_values(world: HubWorld) -> None:
    buttons = [{"index": 0, "type": "url", "value": "17"}]
    answered = await send(world, template={**SHIPPED, "header_values": {"city": "Oslo"}, "buttons": buttons})
    item = await world.store.outbox.get(parse_id(Prefix.OUTBOX, answered.json["id"]))

    assert item is not None
    assert item.payload["template"] == {**SHIPPED, "header_values": {"city": "Oslo"}, "buttons": buttons}
    message = (await world.api.get(f"/v1/messages/{answered.json['message_id']}")).json
    assert message["text"] == "order_shipped (en_US): city=Oslo, Ada, 17"


@pytest.mark.parametrize(
    "fields",
    [
        {"template": SHIPPED, "text": "and words"},
        {"template": SHIPPED, "texts": ["and words"]},
        {"template": {**SHIPPED, "language": "english please"}},
        {"template": {**SHIPPED, "values": [7]}},
        {"template": {**SHIPPED, "values": ["x"] * 33}},
        {"template": {**SHIPPED, "body": ["misspelt"]}},
        {"template": {**SHIPPED, "buttons": [{"index": 0, "type": "call", "value": "x"}]}},
        {"template": {"name": "order_shipped"}},
        {"template": {**SHIPPED, "header_file_id": "picture"}},
    ],
)
async def test_what_is_no_template_is_refused(world: HubWorld, fields: dict[str, Any]) -> None:
    refused = await send(world, **fields)

    assert refused.status == 400
    assert (refused.param or "").startswith("template")


async def test_a_line_without_templates_says_so(world: HubWorld) -> None:
    await world.store.lines.tell_capabilities(world.sandbox_line.bridge_id, frozenset({"text"}))
    await world.directory.refresh()
    refused = await send(world, template=SHIPPED)

    assert (refused.status, refused.code) == (400, "advanced_features_required")


def test_the_headers_file_is_part_of_the_message() -> None:
    """So it is kept for as long as the message."""
    payload = {
        "template": {**SHIPPED, "header_file_id": "file_1"},
        "files": {"file_1": {"mime_type": "image/png", "size": 7}},
    }

    assert [(part.type, part.ref, part.mime_type) for part in sent_parts(payload)] == [
        ("attachment", "file_1", "image/png"),
        ("text", None, None),
    ]
