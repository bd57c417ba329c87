"""What webhooks did not bring is asked for; files are fetched; how the account is, is told; and the examination."""

from __future__ import annotations

import contextlib

import pytest

from bridge.twilio.examining import examine
from hub.model.errors import AttachmentGone, BridgeError
from hub.model.observation import Observation
from tests.bridge.networks import CONTACT, LINE
from tests.bridge.twilio.conftest import TwilioHarness
from tests.support.manual_time import EndOfTime


async def test_lost_webhooks_are_made_up_for_from_the_cursor(harness: TwilioHarness) -> None:
    harness.twilio.page_size = 2
    for number in range(5):
        harness.twilio.receive(f"message {number}", sender=CONTACT, files=number % 2)
        harness.desk.clock.advance(1_000)
    seen = [each for each in await harness.desk.listen(harness.adapter) if each.message]

    assert [each.message.parts[0].text for each in seen if each.message] == [f"message {n}" for n in range(5)]
    assert [len(each.message.parts) for each in seen if each.message] == [1, 2, 1, 2, 1]
    assert harness.twilio.listed[0]["DateSent>"] == "2027-01-15T07:45:05Z"
    cursor = seen[-1].cursor
    assert cursor == "2027-01-15T08:00:05Z"

    harness.desk.clock.advance(3_600_000)
    harness.twilio.receive("later", sender=CONTACT)
    again = [each for each in await harness.desk.listen(harness.restarted(), cursor=cursor) if each.message]
    assert [each.message.parts[0].text for each in again if each.message][-1] == "later"
    assert len(again) == 6


async def test_a_round_tells_only_what_is_new(harness: TwilioHarness) -> None:
    harness.twilio.receive("hi", sender=CONTACT)
    seen = await harness.desk.listen(harness.adapter, rounds=5)

    assert [each.kind for each in seen] == ["message.received"]
    assert harness.desk.waited == [60] * 5


async def test_a_status_that_comes_hours_later_is_found_without_a_webhook(harness: TwilioHarness) -> None:
    """The phone was off, and others wrote meanwhile: no round of news looks back so far."""
    bridge = harness.restarted(poll_seconds=600)
    outcome = await bridge.perform(harness.desk.send())
    harness.twilio.progress(outcome.provider_id or "", "sent")
    told: list[Observation] = []
    harness.desk.rounds = 24
    with contextlib.suppress(EndOfTime):
        async for seen in bridge.events(None):
            told.append(seen)
            if seen.kind == "message.sent" and harness.desk.rounds > 18:
                harness.desk.clock.advance(2 * 3_600_000)
                harness.twilio.receive("others write", sender=CONTACT)
            elif seen.kind == "message.received":
                harness.twilio.progress(outcome.provider_id or "", "delivered")

    mine = [each for each in told if each.message and each.message.provider_id == outcome.provider_id]
    assert [each.message.delivered_at is not None for each in mine if each.message] == [False, True]


async def test_messages_of_numbers_that_are_no_lines_are_left_alone(harness: TwilioHarness) -> None:
    harness.twilio.receive("hi", sender=CONTACT, to="+15550177777")

    assert await harness.desk.listen(harness.adapter, rounds=2) == []


async def test_a_round_that_fails_is_made_up_for(harness: TwilioHarness) -> None:
    harness.twilio.is_down = True
    harness.twilio.receive("hi", sender=CONTACT)
    assert await harness.desk.listen(harness.adapter) == []
    harness.twilio.is_down = False

    [seen] = await harness.desk.listen(harness.adapter)

    assert seen.kind == "message.received"


async def test_how_the_account_is_is_asked_once_a_minute(harness: TwilioHarness) -> None:
    assert await harness.adapter.health() == ("online", None)
    harness.twilio.status = "suspended"
    harness.desk.clock.advance(59_000)
    assert await harness.adapter.health() == ("online", None)
    harness.desk.clock.advance(1_000)

    assert await harness.adapter.health() == ("offline", "The Twilio account is suspended.")


async def test_without_polls_nothing_is_told_and_nothing_spins(harness: TwilioHarness) -> None:
    bridge = harness.restarted(poll_seconds=0)

    assert await harness.desk.listen(bridge, rounds=3) == []
    assert harness.desk.waited == [3600.0] * 3
    assert "history" not in await bridge.capabilities()


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("Messages/MM" + "0" * 32 + "/Media/ME" + "0" * 31 + "9", AttachmentGone),
        ("https://evil.example/Messages/x", AttachmentGone),
        ("Messages/../../Keys.json", AttachmentGone),
    ],
)
async def test_a_file_that_is_not_there_is_gone(
    harness: TwilioHarness, ref: str, expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        await anext(harness.adapter.open_attachment(ref))


async def test_a_file_that_does_not_come_now_is_asked_for_again(harness: TwilioHarness) -> None:
    harness.twilio.is_down = True
    with pytest.raises(BridgeError) as raised:
        await anext(harness.adapter.open_attachment("Messages/MM" + "0" * 32 + "/Media/ME" + "0" * 32))

    assert not isinstance(raised.value, AttachmentGone)


async def test_the_examination_finds_what_is_wrong(harness: TwilioHarness) -> None:
    harness.desk.lines.append("+15550199999")
    harness.twilio.sms_url = "https://demo.twilio.com/welcome"
    found = {each.name: each.state for each in await examine(harness.settings, harness.desk.surroundings)}

    assert found == {"public address": "ok", "account": "ok", "line …0000": "warning", "line …9999": "failed"}


@pytest.mark.parametrize(("line", "state"), [("HUB", "warning"), ("55501", "warning")])
async def test_names_and_short_codes_are_not_looked_up(harness: TwilioHarness, line: str, state: str) -> None:
    harness.desk.lines = [line]
    found = (await examine(harness.settings, harness.desk.surroundings))[-1]

    assert found.state == state
    assert found.detail.startswith("A short code or a sender's name")


async def test_a_wrong_auth_token_is_found_beside_a_good_api_key(harness: TwilioHarness) -> None:
    """It would show in refused webhooks only."""
    key = {"api_key_sid": "SK" + "2c" * 16, "api_key_secret": "secret-of-the-key"}
    harness.twilio.api_key = (key["api_key_sid"], key["api_key_secret"])
    for token, state in ((harness.twilio.token, "ok"), ("another-token", "failed")):
        harness.restarted(auth_token=token, **key)
        found = {each.name: each.state for each in await examine(harness.settings, harness.desk.surroundings)}
        assert (found["account"], found["auth token"]) == ("ok", state)


async def test_the_examination_shows_no_secret_and_no_number(harness: TwilioHarness) -> None:
    shown = str(await examine(harness.settings, harness.desk.surroundings))
    harness.twilio.status = "suspended"
    harness.desk.hook_url = None
    harness.restarted(poll_seconds=0)
    worse = await examine(harness.settings, harness.desk.surroundings)

    assert [each.state for each in worse] == ["failed", "failed"]
    for secret in (harness.settings.auth_token, LINE, "s3cret"):
        assert secret not in shown + str(worse)
