"""From each vendor what its API gives comes over, twice as well as once; the vendor is a hub that speaks its wire."""

from __future__ import annotations

from typing import Any

import pytest

from hub.dialects.registry import DIALECTS, SOURCES
from hub.flow.moves import Tally
from tests.moving.conftest import LISTS, Mover, Vendor
from tests.support.hub_world import OTHER_LINE, SANDBOX_LINE

HOOK = "https://receiver.example/hook"
SECRET = "whsec_" + "0123456789abcdef0123456789abcdef01234567"  # as Blooio's look


def picked(things: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    return [{name: each[name] for name in names} for each in things]


@pytest.mark.slow
async def test_contacts_and_webhooks_of_blooio(vendor: Vendor, move: Mover) -> None:
    api, key = await vendor.client("blooio")
    people = [(f"+1555020{number:04}", f"Person {number:04}") for number in range(203)]
    for identifier, name in people:
        await api.post("/v2/api/contacts", {"identifier": identifier, "name": name})
    await api.post("/v2/api/contacts", {"identifier": "ann@example.com"})
    await api.post("/v2/api/contacts/ann@example.com/tags", {"tags": ["vip"]})
    status = {"webhook_url": HOOK, "webhook_type": "status", "valid_until": 4_000_000_000_000}
    await api.post("/v2/api/webhooks", status)
    await api.post("/v2/api/webhooks", {"webhook_url": f"{HOOK}/all", "webhook_type": "all"})

    first = await move("blooio", vendor.url, key)
    again = await move("blooio", vendor.url, key)
    hooks = {each["url"]: each for each in await move.webhooks()}
    ann = (await move.world.api.get("/v1/contacts/ann@example.com")).json

    assert first.tallies == {"contacts": Tally(read=204, created=204), "webhooks": Tally(read=2, created=2)}
    assert again.tallies == {
        "contacts": Tally(read=204, unchanged=204),
        "webhooks": Tally(read=2, unchanged=2),
    }
    assert (first.problems, again.problems) == ([], [])
    assert ann["tags"] == ["vip"]
    assert (await move.world.api.get("/v1/contacts/+15550200202")).json["name"] == "Person 0202"
    assert hooks[HOOK]["form"] == "blooio"
    assert hooks[HOOK]["expires_at"] == 4_000_000_000_000
    assert hooks[HOOK]["is_active"] is False


async def test_a_moved_webhook_of_blooio_is_what_its_client_registered(vendor: Vendor, move: Mover) -> None:
    api, key = await vendor.client("blooio")
    for kind in ("message", "status", "poll", "all"):
        await api.post("/v2/api/webhooks", {"webhook_url": f"{HOOK}/{kind}", "webhook_type": kind})

    await move("blooio", vendor.url, key, is_started=True)
    client = move.world.api.with_token((await Vendor(move.world, "").client("blooio"))[1])
    names = ("webhook_url", "webhook_type", "is_active", "valid_until")
    there = (await api.get("/v2/api/webhooks")).json["webhooks"]
    here = (await client.get("/v2/api/webhooks")).json["webhooks"]

    assert picked(here, *names) == picked(there, *names)
    assert len(here) == 4


@pytest.mark.slow
async def test_contacts_lists_and_webhooks_of_coop(vendor: Vendor, move: Mover) -> None:
    api, key = await vendor.client("coop")
    ann = {
        "firstName": "Ann", "lastName": "Lee", "phoneNumbers": ["+15550200001", "+15550200002"],
        "emailAddresses": ["ann@example.com"], "appleId": "ann@icloud.example", "organization": "Acme",
        "jobTitle": "CEO", "tags": ["vip", "beta"], "notes": "Likes\ntea",
    }  # fmt: skip
    bob = {"firstName": "Bob", "phoneNumbers": ["+15550200003"], "appleId": "+15550200003"}
    nobody = {"firstName": "Nobody"}
    for each in (ann, bob, nobody):
        assert (await api.post("/api/v1/contacts", each)).status == 201
    for name in ("Customers", "Friends"):
        await api.post("/api/v1/contact-groups", {"name": name})
    hook = {"url": HOOK, "events": ["message.received", "relay.offline"], "secret": "any text: ü"}
    await api.post("/api/v1/webhooks", hook)
    off = (await api.post("/api/v1/webhooks", {"url": f"{HOOK}/off", "events": ["message.sent"]})).json["id"]
    await api.patch(f"/api/v1/webhooks/{off}/toggle")

    first = await move("coop", vendor.url, key, is_started=True)
    again = await move("coop", vendor.url, key, is_started=True)
    client = move.world.api.with_token((await Vendor(move.world, "").client("coop"))[1])
    (moved,) = (await client.get("/api/v1/contacts?search=lee")).json["data"]
    (other,) = (await client.get("/api/v1/contacts?search=bob")).json["data"]
    hooks = (await client.get("/api/v1/webhooks")).json["data"]

    assert {name: moved[name] for name in ann} == {**ann, "tags": ["beta", "vip"]}
    assert (other["phoneNumbers"], other["appleId"]) == (["+15550200003"], "+15550200003")
    assert first.tallies == {
        "contacts": Tally(read=3, created=2, failed=1),
        "contact_groups": Tally(read=2, created=2),
        "webhooks": Tally(read=2, created=2),
    }
    assert again.tallies == {
        "contacts": Tally(read=3, unchanged=2, failed=1),
        "contact_groups": Tally(read=2, unchanged=2),
        "webhooks": Tally(read=2, unchanged=2),
    }
    assert [(each.list, each.error) for each in first.problems] == [
        ("contacts", "There is neither a phone number nor a mail address.")
    ]
    assert first.problems[0].id.startswith("ct_")
    assert picked(hooks, "url", "events", "enabled") == [
        {"url": HOOK, "events": ["message.received", "relay.offline"], "enabled": True},
        {"url": f"{HOOK}/off", "events": ["message.sent"], "enabled": False},
    ]
    # Nobody tells whether there was a secret there: an unsigned delivery is the worse mistake.
    assert [each.secret is not None for each in first.webhooks] == [True, True]


async def test_webhooks_of_msgbubbles(vendor: Vendor, move: Mover) -> None:
    api, key = await vendor.client("msgbubbles")
    await api.post("/v1/webhooks", {"url": HOOK, "events": ["message.reaction"]})
    await api.post("/v1/webhooks", {"url": f"{HOOK}/all"})

    first = await move("msgbubbles", vendor.url, key)
    again = await move("msgbubbles", vendor.url, key)
    names = ("url", "events", "filter", "form", "line_ids")
    old = (await vendor.world.api.get("/v1/webhooks?from=*")).json["data"]

    assert picked(await move.webhooks(), *names) == picked(old, *names)
    assert first.tallies == {"webhooks": Tally(read=2, created=2)}
    assert again.tallies == {"webhooks": Tally(read=2, unchanged=2)}


async def test_webhooks_of_messages_dev_stay_with_their_lines(vendor: Vendor, move: Mover) -> None:
    api, key = await vendor.client("native")
    for line, url in (
        (SANDBOX_LINE, HOOK),
        (OTHER_LINE, HOOK),
        (OTHER_LINE, f"{HOOK}/other"),
        ("*", f"{HOOK}/all"),
    ):
        hook = {"from": line, "url": url, "events": ["message.received", "reaction.added"]}
        assert (await api.post("/v1/webhooks", hook)).status == 201

    first = await move("messages-dev", vendor.url, key)
    again = await move("messages-dev", vendor.url, key)
    lines = {each["id"]: each["handle"] for each in (await move.world.api.get("/v1/lines")).json["data"]}

    assert first.tallies == {"webhooks": Tally(read=4, created=4)}
    assert again.tallies == {"webhooks": Tally(read=4, unchanged=4)}
    assert sorted(
        ([lines[line] for line in each["line_ids"]], each["url"]) for each in await move.webhooks()
    ) == [
        ([], f"{HOOK}/all"),
        ([SANDBOX_LINE], HOOK),
        ([OTHER_LINE], HOOK),
        ([OTHER_LINE], f"{HOOK}/other"),
    ]


async def test_a_line_that_is_not_here_is_told(vendor: Vendor, move: Mover) -> None:
    api, key = await vendor.client("native")
    bridge = (await vendor.world.api.post("/v1/bridges", {"name": "far"})).json
    line = {"bridge_id": bridge["id"], "handle": "+15550100777", "service": "imessage"}
    made = await vendor.world.api.post("/v1/lines", line)
    assert made.status == 201, made.body
    await api.post("/v1/webhooks", {"from": "+15550100777", "url": HOOK, "events": ["message.received"]})

    report = await move("messages-dev", vendor.url, key)

    assert report.tallies == {"webhooks": Tally(read=1, failed=1)}
    assert "no line +15550100777 here" in report.problems[0].error
    assert await move.webhooks() == []


@pytest.mark.slow
async def test_a_dry_run_tells_the_same_and_does_nothing(vendor: Vendor, move: Mover) -> None:
    api, key = await vendor.client("coop")
    await api.post("/api/v1/contacts", {"firstName": "Ann", "phoneNumbers": ["+15550200001"]})
    await api.post("/api/v1/contact-groups", {"name": "Friends"})
    await api.post("/api/v1/webhooks", {"url": HOOK, "events": ["message.sent"]})

    dry = await move("coop", vendor.url, key, is_dry_run=True)
    nothing = (
        await move.contacts(),
        await move.webhooks(),
        (await move.world.api.get("/v1/contact-groups")).json["data"],
    )
    real = await move("coop", vendor.url, key)

    assert nothing == ([], [], [])
    assert dry.tallies == real.tallies
    assert [(each.id, each.secret) for each in dry.webhooks] == [(None, None)]


async def test_a_webhook_with_a_new_secret_waits_and_one_whose_secret_is_known_does_not(
    vendor: Vendor, move: Mover
) -> None:
    api, key = await vendor.client("blooio")
    for url in (HOOK, f"{HOOK}/known", f"{HOOK}/paused"):
        made = (await api.post("/v2/api/webhooks", {"webhook_url": url})).json
    await api.patch(f"/v2/api/webhooks/{made['webhook_id']}", {"deprecate": True})

    secrets = {f"{HOOK}/known": SECRET, f"{HOOK}/paused": SECRET, f"{HOOK}/nowhere": SECRET}
    report = await move("blooio", vendor.url, key, secrets=secrets)
    hooks = {each["url"]: each for each in await move.webhooks()}
    by_url = {each.url: each for each in report.webhooks}
    stored = [each for each in await move.world.store.webhooks.all() if each.url == f"{HOOK}/known"]

    assert {url: each["is_active"] for url, each in hooks.items()} == {
        HOOK: False,
        f"{HOOK}/known": True,
        f"{HOOK}/paused": False,
    }
    assert "until its receiver knows the secret" in hooks[HOOK]["disabled_reason"]
    assert "at the vendor" in hooks[f"{HOOK}/paused"]["disabled_reason"]
    assert (by_url[HOOK].secret or "").startswith("whsec_")
    assert by_url[f"{HOOK}/known"].secret is None
    assert [each.text for each in stored[0].secrets] == [SECRET]
    assert [each.error for each in report.problems] == [
        f"A secret was given for {HOOK}/nowhere, where the vendor has no webhook. Check how it is spelt."
    ]
    assert move.made == report.webhooks


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: each.name)
def test_each_vendor_says_what_to_do_where_its_api_gives_nothing(source: Any) -> None:
    for name in LISTS:
        silent = name == "contact_groups" and source.contacts is None
        assert getattr(source, name) is not None or name in source.instead or silent


def test_there_is_a_source_for_each_dialect_and_for_the_native_one() -> None:
    assert [each.name for each in SOURCES] == sorted({*(each.name for each in DIALECTS), "messages-dev"})
