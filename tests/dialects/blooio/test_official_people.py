"""The vendor's own client, unchanged: contacts, numbers, cards, calls and places (contracts: blooio §3, §6)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest
from blooio import (
    BadRequestError,
    Blooio,
    InternalServerError,
    NotFoundError,
)

from tests.dialects.blooio.test_official_client import PNG, do
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker
from tests.support.served import Served, served

ANN = "+15550100777"


@pytest.fixture
async def hub(world: HubWorld, worker: SandboxWorker) -> AsyncIterator[Served]:
    """A hub on a port whose bridge performs what somebody waits for."""
    worker.attend()
    async with served(world) as serving:
        yield serving


@pytest.fixture
def client(hub: Served, one: Caller) -> Iterator[Blooio]:
    """The client as a customer makes it, but for the address; its key has the sandbox's number alone."""
    with Blooio(base_url=f"{hub.url}/v2/api", api_key=one.token or "", max_retries=0) as made:
        yield made


@pytest.fixture
def whole(hub: Served, both: Caller) -> Iterator[Blooio]:
    """A client whose key is restricted to no number: contacts are everybody's."""
    with Blooio(base_url=f"{hub.url}/v2/api", api_key=both.token or "", max_retries=0) as made:
        yield made


async def test_contacts(world: HubWorld, whole: Blooio) -> None:
    made = await do(lambda: whole.contacts.create(identifier=ANN, name="Ann"))
    mail = await do(lambda: whole.contacts.create(identifier="Bob@Example.com"))
    listed = await do(lambda: whole.contacts.list(limit=200, sort="name_asc"))
    found = await do(lambda: whole.contacts.list(q="ann"))
    shown = await do(lambda: whole.contacts.retrieve(ANN))
    renamed = await do(lambda: whole.contacts.update(ANN, name="Anna"))
    cleared = await do(lambda: whole.contacts.update(ANN, name=None))
    gone = await do(lambda: whole.contacts.delete(ANN))

    assert (made.id, made.identifier, made.name, made.type, made.tags) == (ANN, ANN, "Ann", "phone", [])
    assert (mail.id, mail.type) == ("bob@example.com", "email")
    assert listed.contacts
    assert listed.pagination
    assert [each.id for each in listed.contacts] == [ANN, "bob@example.com"]
    assert (listed.pagination.limit, listed.pagination.offset, listed.pagination.total) == (200, 0, 2)
    assert found.contacts
    assert [each.name for each in found.contacts] == ["Ann"]
    assert shown == made
    assert (renamed.name, cleared.name) == ("Anna", None)
    assert (gone.success, gone.deleted_at) == (True, world.clock.now_ms())
    with pytest.raises(NotFoundError):
        await do(lambda: whole.contacts.retrieve(ANN))


async def test_tags(whole: Blooio) -> None:
    await do(lambda: whole.contacts.create(identifier=ANN))
    added = await do(lambda: whole.contacts.tags.add(ANN, tags=["vip", "beta"]))
    again = await do(lambda: whole.contacts.tags.add(ANN, tags=["vip", "new"]))
    listed = await do(lambda: whole.contacts.tags.list(ANN))
    taken = await do(lambda: whole.contacts.tags.remove("beta", contact_id=ANN))
    shown = await do(lambda: whole.contacts.retrieve(ANN))

    assert (added.success, sorted(added.tags_added or ())) == (True, ["beta", "vip"])
    assert again.tags_added == ["new"]
    assert sorted(each.tag or "" for each in listed.tags or ()) == ["beta", "new", "vip"]
    assert all(isinstance(each.created_at, int) for each in listed.tags or ())
    assert taken.success
    assert sorted(shown.tags or ()) == ["new", "vip"]
    with pytest.raises(NotFoundError):
        await do(lambda: whole.contacts.tags.remove("beta", contact_id=ANN))


async def test_capabilities(client: Blooio) -> None:
    found = await do(lambda: client.contacts.check_capabilities(CONTACT))

    assert (found.contact, found.type) == (CONTACT, "phone")
    assert found.capabilities
    assert found.capabilities.imessage is True
    assert isinstance(found.last_checked, int)


async def test_contacts_refuse_what_is_none(whole: Blooio) -> None:
    for identifier in ("abc", "12345", ""):
        with pytest.raises(BadRequestError) as refused:
            await do(partial(whole.contacts.create, identifier=identifier))
        body: Any = refused.value.body
        assert body["details"]["field"] == "identifier"
    with pytest.raises(NotFoundError):
        await do(lambda: whole.contacts.update(ANN, name="x"))


async def test_me(world: HubWorld, client: Blooio) -> None:
    await world.say("Hello")
    await do(lambda: client.chats.messages.send(CONTACT, text="Hi"))
    me = await do(client.me.retrieve)
    numbers = await do(client.me.numbers.list)

    assert (me.auth_type, me.valid) == ("api_key", True)
    assert (me.api_key or "").startswith("bl_live_")
    assert me.organization
    assert me.organization.organization_id == me.organization_id
    assert me.devices
    assert [(each.phone_number, each.is_active) for each in me.devices] == [(SANDBOX_LINE, True)]
    assert me.usage
    assert (me.usage.inbound_messages, me.usage.outbound_messages) == (1, 1)
    assert isinstance(me.usage.last_message_sent, int)
    assert numbers.numbers
    (number,) = numbers.numbers
    assert (number.phone_number, number.is_active) == (SANDBOX_LINE, True)
    assert number.last_active is not None
    assert int(number.last_active.timestamp() * 1000) == me.devices[0].last_active


async def test_a_line_that_may_only_answer_is_on_the_inbound_plan(whole: Blooio) -> None:
    numbers = await do(whole.me.numbers.list)

    plans = {each.phone_number: (each.model_extra or {})["plan_kind"] for each in numbers.numbers or ()}
    assert plans == {SANDBOX_LINE: "dedicated", OTHER_LINE: "inbound"}


async def test_the_card_of_a_number(client: Blooio) -> None:
    avatar = base64.b64encode(PNG).decode()
    changed = await do(
        lambda: client.me.numbers.contact_card.update(
            SANDBOX_LINE,
            first_name="Ann",
            last_name="Smith",
            avatar=avatar,
            sharing={"enabled": True, "audience": 1, "name_format": 1},
        )
    )
    card = await do(lambda: client.me.numbers.contact_card.retrieve(SANDBOX_LINE))

    assert (changed.success, changed.phone_number, changed.first_name) == (True, SANDBOX_LINE, "Ann")
    assert (card.first_name, card.last_name, card.name) == ("Ann", "Smith", "Ann Smith")
    assert card.sharing
    assert (card.sharing.enabled, card.sharing.audience, card.sharing.name_format) == (True, 1, 1)
    with pytest.raises(BadRequestError):
        await do(lambda: client.me.numbers.contact_card.update(SANDBOX_LINE, avatar="%%%"))
    with pytest.raises(BadRequestError):
        await do(lambda: client.me.numbers.contact_card.update(SANDBOX_LINE))
    with pytest.raises(NotFoundError):
        await do(lambda: client.me.numbers.contact_card.retrieve("+15559999999"))


async def test_calls_cannot_be_forwarded(one: Caller) -> None:
    answered = await one.post(f"/v2/api/me/numbers/{SANDBOX_LINE}/call-forwarding", {"forward_to": ANN})

    assert (answered.status, answered.json["error"]) == (501, "Coming soon")


async def test_numbers_are_looked_up(client: Blooio) -> None:
    asked = await do(lambda: client.phone_numbers.lookup.retrieve(number="+14155550123"))
    posted = await do(lambda: client.phone_numbers.lookup.create(number="+14155550123"))
    many = await do(lambda: client.phone_numbers.batch_create(numbers=["+442071838750", "nonsense"]))

    assert asked == posted
    assert (asked.e164, asked.country, asked.country_calling_code) == ("+14155550123", "US", "1")
    assert (asked.area_code, asked.exchange, asked.possible) == ("415", "555", True)
    assert many.results
    assert [(each.input, each.valid) for each in many.results] == [
        ("+442071838750", True),
        ("nonsense", False),
    ]


async def test_a_plus_that_was_not_encoded_is_one(one: Caller) -> None:
    answered = await one.get("/v2/api/phone-numbers/lookup?number=+14155550123")

    assert answered.json["e164"] == "+14155550123"


async def test_a_facetime_link(client: Blooio) -> None:
    call = await do(lambda: client.facetime.initiate_call(handle=CONTACT))

    assert (call.success, call.handle) == (True, CONTACT)
    assert (call.link or "").startswith("https://")


async def test_a_device_that_makes_no_calls(world: HubWorld, client: Blooio) -> None:
    path = f"/v1/lines/{SANDBOX_LINE}"
    lines = (await world.api.get("/v1/lines")).json["data"]
    line = next(each for each in lines if each["handle"] == SANDBOX_LINE)
    assert (
        await world.api.patch(f"/v1/lines/{line['id']}", {"capabilities_off": ["facetime"]})
    ).status == 200, path

    with pytest.raises(InternalServerError) as refused:
        await do(lambda: client.facetime.initiate_call(handle=CONTACT))
    assert refused.value.status_code == 502


async def test_places(client: Blooio, worker: SandboxWorker) -> None:
    before = await do(client.location.contacts.list)
    refreshed = await do(client.location.contacts.refresh)
    await worker.listen()
    after = await do(client.location.contacts.list)

    assert before.friends == []
    assert refreshed.success
    assert after.friends
    handle = after.friends[0].handle or ""
    shown = await do(lambda: client.location.contacts.retrieve(handle))
    assert shown == after.friends[0]
    assert len(shown.coordinates or ()) == 2
    assert isinstance(shown.last_updated, int)
    with pytest.raises(NotFoundError):
        await do(lambda: client.location.contacts.retrieve("+15559999999"))
