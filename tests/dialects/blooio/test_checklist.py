"""Lines 15 and 16 of the vendor's checklist, as the wire has them (contracts: blooio §10).

The others: 1 to 11, 14 and 25 in test_chats, 12 and 13 in test_messages, 17 in test_groups, 18 to 24 in
test_official_webhooks.
"""

from __future__ import annotations

from functools import partial

import httpx
import pytest
from blooio import Blooio, ConflictError

from tests.dialects.blooio.test_official_client import do
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld
from tests.support.served import served

ANN = "+15550100777"
PATH = "/v2/api/contacts"


async def test_15_a_contact_is_made_once(api: Caller) -> None:
    made = await api.post(PATH, {"identifier": ANN, "name": "Ann"})
    again = await api.post(PATH, {"identifier": ANN, "name": "Other"})

    assert (made.status, again.status) == (201, 409)
    assert set(made.json) == {
        "id",
        "contact_id",
        "identifier",
        "name",
        "type",
        "created_at",
        "last_message_time",
        "tags",
    }
    assert again.headers["x-should-retry"] == "false"
    assert again.json["contact"] == made.json


@pytest.mark.slow
@pytest.mark.parametrize(("is_told", "times"), [(True, 1), (False, 3)])
async def test_15_the_vendors_client_asks_once_because_it_is_told_to(
    world: HubWorld, api: Caller, is_told: bool, times: int
) -> None:
    """Where the header gets lost on the way, it asks three times."""
    await api.post(PATH, {"identifier": ANN})
    asked: list[httpx.Request] = []

    def lose(answered: httpx.Response) -> None:
        if not is_told:
            del answered.headers["x-should-retry"]

    counting = httpx.Client(event_hooks={"request": [asked.append], "response": [lose]})
    async with served(world) as hub:
        base = f"{hub.url}/v2/api"
        with Blooio(base_url=base, api_key=api.token or "", http_client=counting) as client:
            create = partial(client.contacts.create, identifier=ANN)
            with pytest.raises(ConflictError):
                await do(create)

    assert len(asked) == times


async def test_16_a_contact_changes_is_tagged_and_goes(world: HubWorld, api: Caller) -> None:
    await api.post(PATH, {"identifier": ANN, "name": "Ann"})
    cleared = await api.patch(f"{PATH}/{ANN}", {"name": None})
    tagged = await api.post(f"{PATH}/{ANN}/tags", {"tags": ["vip"]})
    again = await api.post(f"{PATH}/{ANN}/tags", {"tags": ["vip"]})
    gone = await api.delete(f"{PATH}/{ANN}")

    assert (cleared.status, cleared.json["name"]) == (200, None)
    assert (tagged.status, tagged.json) == (201, {"success": True, "tags_added": ["vip"]})
    assert (again.status, again.json) == (201, {"success": True, "tags_added": []})
    assert (gone.status, gone.json) == (200, {"success": True, "deleted_at": world.clock.now_ms()})
    assert (await api.get(f"{PATH}/{ANN}")).status == 404
