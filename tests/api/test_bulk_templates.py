"""/v1/bulk with templates: gaps are filled for each recipient, and what is wrong is told before anything is kept."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.bulk_stage import PEOPLE, feed, make, post_table, sent_texts
from tests.support.hub_world import SANDBOX_LINE, HubWorld

SHIPPED = {"name": "order_shipped", "language": "en_US", "values": ["{{first_name|there}}", "17"]}


async def test_a_template_is_filled_for_each_recipient(world: HubWorld) -> None:
    to = [{"to": PEOPLE[0], "values": {"first_name": "Ada"}}, {"to": PEOPLE[1]}]
    made = await make(world, text=None, template=SHIPPED, recipients=to)
    await feed(world, made)
    results = (await world.api.get(f"/v1/bulk/{made['id']}/results")).json["data"]
    items = [(await world.api.get(f"/v1/outbox?id={each['outbox_id']}")).json for each in results]

    assert await sent_texts(world) == ["order_shipped (en_US): Ada, 17", "order_shipped (en_US): there, 17"]
    assert [item["payload"]["template"]["values"] for item in items] == [["Ada", "17"], ["there", "17"]]
    assert all("text" not in item["payload"] for item in items)


async def test_the_columns_of_a_table_fill_a_template(world: HubWorld) -> None:
    table = f"to,1,2\n{PEOPLE[0]},Ada,17\n{PEOPLE[1]},{{{{no gap}}}},18\n"
    template = '{"name": "order_shipped", "language": "de"}'
    made = await post_table(world, table, "&" + urlencode({"template": template}))
    assert made.status == 201, made.body
    await feed(world, made.json)

    assert await sent_texts(world) == ["order_shipped (de): Ada, 17", "order_shipped (de): {{no gap}}, 18"]


@pytest.mark.parametrize(
    ("more", "param", "said"),
    [
        ({"text": "Hello", "template": SHIPPED}, "template", "stands alone"),
        (
            {"template": {**SHIPPED, "values": ["{{nobody}}"]}},
            "recipients[0].template",
            "'nobody' has no value",
        ),
        (
            {"template": {**SHIPPED, "values": ["x" * 1009 + "{{first_name}}"]}},
            "recipients[0].template",
            "1,024",
        ),
        ({"template": {"name": "x"}}, "template.language", "language"),
        ({"template": {**SHIPPED, "header_file_id": "file_0000000000000"}}, "template.header_file_id", "ile"),
    ],
)
async def test_what_is_wrong_with_a_template_is_told_before_anything_is_kept(
    world: HubWorld, more: dict[str, Any], param: str, said: str
) -> None:
    to = [{"to": PEOPLE[0], "values": {"first_name": "Adalbert Stifter"}}]
    answered = await world.api.post("/v1/bulk", {"from": SANDBOX_LINE, "recipients": to, **more})

    assert answered.status in {400, 404}, answered.body
    assert said in answered.json["error"]["message"]
    assert answered.param == param
    assert await world.store.bulk.running() == []


async def test_a_text_beside_a_template_is_a_problem_of_its_row(world: HubWorld) -> None:
    to = [{"to": PEOPLE[0]}, {"to": PEOPLE[1], "text": "Hello"}]
    made = await make(world, text=None, template=SHIPPED, recipients=to, skip_invalid=True, dry_run=True)

    assert (made["total"], made["problem_count"]) == (1, 1)
    assert made["previews"] == [{"to": PEOPLE[0], "text": "order_shipped (en_US): there, 17"}]


async def test_a_line_without_templates_takes_no_job(world: HubWorld) -> None:
    await world.store.lines.tell_capabilities(world.sandbox_line.bridge_id, frozenset({"text"}))
    await world.directory.refresh()
    to = [{"to": PEOPLE[0]}]
    answered = await world.api.post("/v1/bulk", {"from": SANDBOX_LINE, "template": SHIPPED, "recipients": to})

    assert (answered.status, answered.code) == (400, "advanced_features_required")
