"""The phone is set up by the hub; it tells again what came in; its list tells statuses; and the examination."""

from __future__ import annotations

import pytest

from bridge.smsgate.examining import examine
from bridge.smsgate.reading import EVENTS
from hub.model.errors import AttachmentGone, BridgeError
from tests.bridge.networks import HOOK_URL, LINE
from tests.bridge.smsgate.conftest import SmsGateHarness


async def test_webhooks_set_themselves_up_once(harness: SmsGateHarness) -> None:
    await harness.desk.listen(harness.adapter, rounds=3)

    assert {each["event"] for each in harness.phone.webhooks.values()} == set(EVENTS)
    assert {each["url"] for each in harness.phone.webhooks.values()} == {HOOK_URL}
    assert harness.phone.exports == [{"since": "2027-01-14T08:00:00Z", "until": "2027-01-15T08:00:00Z"}]


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


async def test_a_wrong_password_is_told(harness: SmsGateHarness) -> None:
    harness.phone.password = "another"
    found = await examine(harness.settings, harness.desk.surroundings)

    assert (found[-1].name, found[-1].state) == ("phone", "failed")
    assert (await harness.adapter.health())[0] == "offline"
