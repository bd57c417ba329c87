"""What the bridge tells, taken in by a real hub: a send without an answer is proved by its first status."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.model.outbox import OutboxState
from tests.bridge.networks import LINE
from tests.bridge.whatsapp.conftest import LOSES_ANSWER, WhatsAppHarness
from tests.flow.test_send import due, sending, state_of
from tests.support.hub_world import SANDBOX_LINE, open_world


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_lost_answer_is_made_up_for_by_the_first_status(
    harness: WhatsAppHarness, tmp_path: Path, is_told: bool
) -> None:
    """Without one nobody knows, nothing is sent again, and the message says so."""
    assert SANDBOX_LINE == LINE
    async with open_world(tmp_path) as world:
        body = {"from": LINE, "to": LOSES_ANSWER, "text": "hello"}
        message_id = (await world.api.post("/v1/messages", body)).json["message_id"]
        item = await due(world)
        await sending(world).step(item, world.sandbox_line, harness.adapter)
        assert await state_of(world, item) is OutboxState.UNKNOWN
        [wamid] = harness.meta.messages

        if is_told:
            request = harness.meta.hook(statuses=[harness.meta.status(wamid, "sent")])
            await world.observe(world.sandbox_line, *(await harness.hook(request)).observations)
        world.clock.advance(100_000)
        await sending(world).step(await due(world), world.sandbox_line, harness.adapter)

        assert await state_of(world, item) is (OutboxState.SENT if is_told else OutboxState.FAILED)
        message = (await world.api.get(f"/v1/messages/{message_id}")).json
        assert message["status"] == ("sent" if is_told else "failed")
        assert len(harness.meta.messages) == 1


async def test_who_stopped_marketing_is_not_written_to_again(
    harness: WhatsAppHarness, tmp_path: Path
) -> None:
    async with open_world(tmp_path) as world:
        contact = "+15550100002"
        harness.meta.refuses[contact.removeprefix("+")] = (400, 131050)
        body = {"from": LINE, "to": contact, "text": "Sale!"}
        await world.api.post("/v1/messages", body)
        await sending(world).step(await due(world), world.sandbox_line, harness.adapter)

        again = await world.api.post("/v1/messages", body)

        assert (again.status, again.code) == (403, "contact_opted_out")
