"""conversation.assign."""

from __future__ import annotations

from typing import Any

import pytest

from tests.actions.bench import Bench
from tests.support.hub_world import SANDBOX_LINE, STRANGER


async def test_the_event_s_conversation_is_assigned(bench: Bench) -> None:
    event = await bench.received()

    first = await bench.run("conversation.assign", {"team": "support", "note": "Refund"}, event=event)
    again = await bench.run("conversation.assign", {"team": "support", "note": "Refund"}, event=event)

    assert (first["conversation_id"], first["changed"], again["changed"]) == (
        event["data"]["chat_id"],
        True,
        False,
    )
    shown = (await bench.world.api.get(f"/v1/chats/{event['data']['chat_id']}")).json["assignee"]
    assert (shown["team"], shown["note"]) == ("support", "Refund")


async def test_without_a_name_it_is_nobody_s_again(bench: Bench) -> None:
    event = await bench.received()
    chat = event["data"]["chat_id"]
    await bench.run("conversation.assign", {"user": "ada"}, event=event)

    output = await bench.run("conversation.assign", {"conversation": chat})

    assert (output["team"], output["user"], output["changed"]) == (None, None, True)
    assert (await bench.world.api.get(f"/v1/chats/{chat}")).json["assignee"] is None


@pytest.mark.parametrize(
    ("inputs", "event", "error_class", "says"),
    [
        ({"team": "support"}, {}, "invalid", "no conversation"),
        ({"note": "Refund"}, {"line": SANDBOX_LINE, "from": "+15550100001"}, "not_found", "Nothing was said"),
        ({"team": "support"}, {"line": SANDBOX_LINE, "from": STRANGER}, "not_found", "Nothing was said"),
        ({"team": "support", "conversation": "cht_0000000000000"}, {}, "not_found", "cht_0000000000000"),
        ({"team": "support", "conversation": "somewhere"}, {}, "not_found", "somewhere"),
        ({"team": "x" * 201}, {}, "invalid", "'team'"),
    ],
)
async def test_what_cannot_be_assigned_says_why(
    bench: Bench, inputs: dict[str, Any], event: dict[str, Any], error_class: str, says: str
) -> None:
    failed = await bench.refused("conversation.assign", inputs, event=event)

    assert failed.error_class == error_class, failed.message
    assert says in failed.message


async def test_a_note_is_for_somebody(bench: Bench) -> None:
    event = await bench.received()
    assert (await bench.refused("conversation.assign", {"note": "x"}, event=event)).error_class == "invalid"
