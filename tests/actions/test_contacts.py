"""contact.tag, contact.update and contact.suppress."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import pytest

from tests.actions.bench import Bench
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER


async def contact(bench: Bench, who: str = CONTACT) -> dict[str, Any]:
    answered = await bench.world.api.get(f"/v1/contacts/{quote(who)}")
    assert answered.status == 200, answered.body
    found: dict[str, Any] = answered.json
    return found


async def allowed(bench: Bench, handle: str = CONTACT, line: str = SANDBOX_LINE) -> bool:
    answered = await bench.world.api.get(f"/v1/consents/{quote(handle)}?from={quote(line)}")
    is_allowed: bool = answered.json["is_allowed"]
    return is_allowed


async def test_the_event_s_contact_is_made_and_tagged(bench: Bench) -> None:
    event = await bench.received()

    first = await bench.run("contact.tag", {"add": ["vip", "lead"]}, event=event)
    then = await bench.run("contact.tag", {"add": ["customer"], "remove": ["lead", "none"]}, event=event)

    assert (first["created"], then["created"]) == (True, False)
    assert then["tags"] == (await contact(bench))["tags"] == ["customer", "vip"]
    assert then["contact_id"] == first["contact_id"]


async def test_one_tag_alone_needs_no_list(bench: Bench) -> None:
    """A template gives what it gives; the schema says list, and a lone text is refused with words."""
    failed = await bench.refused("contact.tag", {"contact": CONTACT, "add": "vip"})

    assert failed.error_class == "invalid"
    assert "'add'" in failed.message


async def test_many_at_once_make_one_contact(bench: Bench) -> None:
    outputs = await asyncio.gather(
        *(bench.run("contact.tag", {"contact": STRANGER, "add": [f"tag{number}"]}) for number in range(6))
    )

    assert len({output["contact_id"] for output in outputs}) == 1
    assert sum(output["created"] for output in outputs) == 1
    assert (await contact(bench, STRANGER))["tags"] == [f"tag{number}" for number in range(6)]


async def test_what_is_known_is_written_down_and_null_clears(bench: Bench) -> None:
    inputs = {"contact": CONTACT, "first_name": "Ada", "last_name": "King", "metadata": {"crm": "201"}}
    first = await bench.run("contact.update", {**inputs, "add_handles": ["Ada@Example.com", CONTACT]})
    await bench.run(
        "contact.update", {"contact": first["contact_id"], "last_name": None, "notes": "Mornings"}
    )

    kept = await contact(bench)
    assert (first["name"], first["created"]) == ("Ada King", True)
    assert (kept["first_name"], kept["last_name"], kept["notes"]) == ("Ada", None, "Mornings")
    assert kept["metadata"] == {"crm": "201"}
    assert [each["handle"] for each in kept["handles"]] == [CONTACT, "ada@example.com"]


async def test_an_id_in_the_event_is_that_contact(bench: Bench) -> None:
    made = await bench.run("contact.update", {"contact": CONTACT, "name": "Ada"})

    event = {"contact": {"id": made["contact_id"], "tags": []}, "from": STRANGER}
    output = await bench.run("contact.tag", {"add": ["vip"]}, event=event)

    assert output["contact_id"] == made["contact_id"]


async def test_our_own_line_is_never_the_contact(bench: Bench) -> None:
    """Of a message that we sent, the contact is who got it."""
    event = {"line": SANDBOX_LINE, "from": SANDBOX_LINE, "sender": SANDBOX_LINE, "to": CONTACT}

    await bench.run("contact.tag", {"add": ["vip"]}, event=event)

    assert (await contact(bench))["tags"] == ["vip"]


@pytest.mark.parametrize(
    ("name", "inputs", "error_class", "says"),
    [
        ("contact.tag", {"contact": CONTACT}, "invalid", "nothing to do"),
        ("contact.tag", {"add": ["vip"]}, "invalid", "names nobody"),
        ("contact.tag", {"contact": CONTACT, "add": ["a,b"]}, "invalid", "comma"),
        ("contact.tag", {"contact": "somebody", "add": ["vip"]}, "invalid", "'contact'"),
        ("contact.tag", {"contact": "ct_0000000000000", "add": ["vip"]}, "not_found", "Contact not found"),
        ("contact.tag", {"contact": CONTACT, "add": [f"t{n}" for n in range(51)]}, "invalid", "50"),
        ("contact.update", {"contact": CONTACT}, "invalid", "nothing to do"),
        (
            "contact.update",
            {"contact": CONTACT, "frist_name": "Ada"},
            "invalid",
            "Did you mean 'first_name'?",
        ),
        ("contact.update", {"contact": CONTACT, "name": "x" * 201}, "invalid", "'name'"),
        ("contact.update", {"contact": CONTACT, "metadata": {"a": "x" * 1025}}, "invalid", "'metadata'"),
        ("contact.suppress", {}, "invalid", "names nobody"),
        ("contact.suppress", {"address": "no body"}, "invalid", "E.164"),
        ("contact.suppress", {"address": CONTACT, "line": "nowhere"}, "not_found", "'line'"),
        (
            "contact.suppress",
            {"address": CONTACT, "line": SANDBOX_LINE, "channel": "sms"},
            "invalid",
            "'sms'",
        ),
    ],
)
async def test_what_cannot_be_done_says_why(
    bench: Bench, name: str, inputs: dict[str, Any], error_class: str, says: str
) -> None:
    failed = await bench.refused(name, inputs)

    assert failed.error_class == error_class, failed.message
    assert says in failed.message


async def test_a_handle_of_somebody_else_is_a_conflict_that_names_them(bench: Bench) -> None:
    other = await bench.run("contact.update", {"contact": STRANGER, "name": "Bob"})

    failed = await bench.refused("contact.update", {"contact": CONTACT, "add_handles": [STRANGER]})

    assert failed.error_class == "conflict"
    assert failed.details["existing_id"] == other["contact_id"]


async def test_an_address_is_left_alone_everywhere(bench: Bench) -> None:
    event = await bench.received("I do not want this any more")

    output = await bench.run("contact.suppress", {"reason": "in other words"}, event=event)

    assert output == {"address": CONTACT, "scope": "hub", "lines": [], "changed": True}
    assert not await allowed(bench)
    assert not await allowed(bench, line=OTHER_LINE)
    shown = (await bench.world.api.get(f"/v1/consents/{quote(CONTACT)}")).json["history"][0]
    assert (shown["source"], shown["reason"]) == ("api", "route greet: in other words")


async def test_or_on_a_channel_or_a_line_alone(bench: Bench) -> None:
    by_channel = await bench.run("contact.suppress", {"address": CONTACT, "channel": "sms"})
    by_line = await bench.run("contact.suppress", {"address": STRANGER, "line": SANDBOX_LINE})

    assert (by_channel["scope"], by_channel["lines"]) == ("lines", [OTHER_LINE])
    assert await allowed(bench)
    assert not await allowed(bench, line=OTHER_LINE)
    assert by_line["lines"] == [SANDBOX_LINE]
    assert await allowed(bench, STRANGER, OTHER_LINE)


async def test_who_opted_out_already_gets_no_second_entry(bench: Bench) -> None:
    """A step that is repeated adds nothing, and neither does a route beside the STOP that the hub heard."""
    event = await bench.received("STOP")
    inputs = {"line": SANDBOX_LINE}

    heard = await bench.run("contact.suppress", inputs, event=event)
    first = await bench.run("contact.suppress", {"address": STRANGER}, key="step")
    again = await asyncio.gather(
        *(bench.run("contact.suppress", {"address": STRANGER}, key="step") for _ in range(3))
    )

    assert (heard["changed"], first["changed"]) == (False, True)
    assert [each["changed"] for each in again] == [False] * 3
    for handle in (CONTACT, STRANGER):
        answered = await bench.world.api.get(f"/v1/consents/{quote(handle)}")
        assert len(answered.json["history"]) == 1
