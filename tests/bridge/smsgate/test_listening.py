"""The phone is set up by the hub; it tells again what came in; its list tells statuses; and the examination."""

from __future__ import annotations

import pytest

from bridge.smsgate.examining import examine
from bridge.smsgate.reading import EVENTS
from hub.model.errors import AttachmentGone, BridgeError
from tests.bridge.networks import HOOK_URL, LINE
from tests.bridge.smsgate.conftest import SmsGateHarness
from tests.bridge.smsgate.fake_phone import DEVICE


async def test_webhooks_set_themselves_up_once(harness: SmsGateHarness) -> None:
    await harness.desk.listen(harness.adapter, rounds=3)

    assert {each["event"] for each in harness.phone.webhooks.values()} == set(EVENTS)
    assert {each["url"] for each in harness.phone.webhooks.values()} == {HOOK_URL}
    since = {"since": "2027-01-14T08:00:00Z", "until": "2027-01-15T08:00:00Z"}
    assert harness.phone.exports == [{**since, "messageTypes": ["SMS", "MMS"], "triggerWebhooks": True}]


async def test_an_older_app_tells_its_sms_again(harness: SmsGateHarness) -> None:
    harness.phone.has_inbox = False
    await harness.desk.listen(harness.adapter)

    assert harness.phone.exports == [{"since": "2027-01-14T08:00:00Z", "until": "2027-01-15T08:00:00Z"}]


async def test_webhooks_that_the_app_lost_are_set_again_within_the_hour(harness: SmsGateHarness) -> None:
    """It was installed anew; what came in is not asked for a second time."""
    harness.phone.forgets_webhooks = True
    await harness.desk.listen(harness.restarted(poll_seconds=1800), rounds=3)

    assert harness.phone.webhooks_set == 2 * len(EVENTS)
    assert len(harness.phone.exports) == 1


async def test_a_new_address_takes_the_place_of_the_old(harness: SmsGateHarness) -> None:
    await harness.desk.listen(harness.adapter)
    harness.desk.hook_url = HOOK_URL.replace("s3cret", "another")
    await harness.desk.listen(harness.restarted(catch_up_hours=0))

    assert {each["url"] for each in harness.phone.webhooks.values()} == {harness.desk.hook_url}
    assert len(harness.phone.webhooks) == len(EVENTS)
    assert len(harness.phone.exports) == 1


@pytest.mark.parametrize("hook_url", [None, "http://hub.lan/v1/bridge/hooks/brg_1/s3cret"])
async def test_without_an_address_that_the_app_calls_statuses_are_read_all_the_same(
    harness: SmsGateHarness, hook_url: str | None
) -> None:
    harness.desk.hook_url = hook_url
    bridge = harness.restarted()
    outcome = await bridge.perform(harness.desk.send())
    harness.phone.progress(outcome.provider_id or "", "sms:delivered")

    [seen] = await harness.desk.listen(bridge, rounds=2)

    assert seen.kind == "status.delivered"
    assert harness.phone.webhooks == {}


async def test_an_app_without_a_list_and_a_phone_that_is_down_do_not_spin(harness: SmsGateHarness) -> None:
    harness.phone.has_list = False
    assert await harness.desk.listen(harness.adapter, rounds=2) == []
    harness.phone.is_down = True
    assert await harness.desk.listen(harness.restarted(poll_seconds=0), rounds=2) == []

    assert harness.desk.waited == [60, 60, 60.0, 60.0]
    harness.phone.is_down = False
    assert await harness.desk.listen(harness.restarted(poll_seconds=0), rounds=1) == []
    assert harness.desk.waited[-1] == 3600.0


@pytest.mark.parametrize("ref", ["mms-1/404", "../settings/1", "mms-1", "x" * 600 + "/1", "a/b/1"])
async def test_a_file_that_is_not_there_is_gone(harness: SmsGateHarness, ref: str) -> None:
    with pytest.raises(AttachmentGone):
        await anext(harness.adapter.open_attachment(ref))


async def test_a_file_that_does_not_come_now_is_asked_for_again(harness: SmsGateHarness) -> None:
    harness.phone.is_down = True
    with pytest.raises(BridgeError) as raised:
        await anext(harness.adapter.open_attachment("mms-1/1"))

    assert not isinstance(raised.value, AttachmentGone)


async def test_the_examination_finds_what_is_wrong(harness: SmsGateHarness) -> None:
    harness.desk.lines.append("+15550100099")
    found = {each.name: each.state for each in await examine(harness.settings, harness.desk.surroundings)}
    assert found == {"lines": "failed", "phone": "ok", "webhooks": "warning"}
    await harness.desk.listen(harness.adapter)
    harness.restarted(sims={LINE: 1, "+15550100099": 2})

    well = await examine(harness.settings, harness.desk.surroundings)

    assert [each.state for each in well] == ["ok", "ok", "ok"]
    for secret in (harness.settings.password, harness.settings.signing_key, LINE, "s3cret"):
        assert secret not in str(well)


async def test_the_cloud_says_when_it_last_heard_of_the_phone(harness: SmsGateHarness) -> None:
    harness.phone.devices = [{"id": DEVICE, "lastSeen": harness.phone.now()}]
    assert await harness.adapter.health() == ("online", None)
    harness.desk.clock.advance(3 * 3_600_000)

    assert await harness.adapter.health() == (
        "degraded", "The app's cloud has not heard of the phone for 180 min: is it on, and online?",
    )  # fmt: skip
    assert (await harness.restarted(device_id="another").health())[0] == "offline"


async def test_several_phones_of_one_account_are_told_of(harness: SmsGateHarness) -> None:
    harness.phone.devices = [{"id": name, "lastSeen": harness.phone.now()} for name in ("one", "two")]
    found = {each.name: each for each in await examine(harness.settings, harness.desk.surroundings)}
    assert found["phones"].state == "warning"
    assert found["phones"].detail.endswith("set `device_id` to one of one, two.")
    harness.restarted(device_id="three")

    found = {each.name: each for each in await examine(harness.settings, harness.desk.surroundings)}

    assert found["phone"].state == "failed"
    assert found["phone"].detail.endswith("Phones: one, two.")


@pytest.mark.parametrize(
    ("cards", "sims", "expected"),
    [
        ([{"simNumber": 1, "phoneNumber": "+1 555 010 0000"}], {}, ("ok", "SIM 1 is in the phone.")),
        ([{"simNumber": 1}], {LINE: 1}, ("ok", "SIM 1 is in the phone.")),
        ([{"simNumber": 1}], {"1 555 010-0000": 2}, ("failed", "The phone has no SIM 2.")),
        (
            [{"simNumber": 1, "phoneNumber": "+15550107777"}],
            {},
            ("warning", "SIM 1 says that its number is another one, …7777."),
        ),
        ("many", {LINE: 1}, None),
    ],
)
async def test_sims_are_compared_with_lines(
    harness: SmsGateHarness, cards: object, sims: dict[str, int], expected: tuple[str, str] | None
) -> None:
    harness.phone.devices = [{"id": DEVICE, "lastSeen": harness.phone.now(), "simCards": cards}]
    harness.restarted(sims=sims)
    found = await examine(harness.settings, harness.desk.surroundings)

    assert [(each.state, each.detail) for each in found if each.name == "line …0000"] == (
        [] if expected is None else [expected]
    )


async def test_a_status_of_a_phone_with_two_lines_is_that_of_its_line(harness: SmsGateHarness) -> None:
    """The list does not tell the SIM."""
    second = "+15550100099"
    harness.desk.lines = [second, LINE]
    bridge = harness.restarted(sims={LINE: 1, second: 2})
    outcome = await bridge.perform(harness.desk.send())
    harness.phone.progress(outcome.provider_id or "", "sms:delivered")

    [seen] = await harness.desk.listen(bridge)

    assert (seen.kind, seen.line) == ("status.delivered", second)


async def test_a_wrong_password_is_told(harness: SmsGateHarness) -> None:
    harness.phone.password = "another"
    found = await examine(harness.settings, harness.desk.surroundings)

    assert (found[-1].name, found[-1].state) == ("phone", "failed")
    assert (await harness.adapter.health())[0] == "offline"
