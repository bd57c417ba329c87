"""Every definition that ships: its golden delivery is believed and named; a changed one is not."""

from __future__ import annotations

import pytest

from hub.config.shipped_sources import shipped_sources
from hub.rules.routes.document import Reading
from hub.rules.sources.intake import Accepted
from hub.rules.sources.model import Reason, Refused
from hub.rules.sources.reading import read_definition
from tests.rules.sources.asking import judged, source_of
from tests.rules.sources.deliveries import GOLDEN, NOW_MS, Golden

DAY_MS = 86_400_000
SIGNED = [each for each in GOLDEN if each.headers(each.raw)]
STAMPED = [
    each
    for each in GOLDEN
    if each.verify == "mailgun" or source_of(each).definition.check.timestamp is not None
]


def name(golden: Golden) -> str:
    return golden.verify


@pytest.mark.parametrize("verify", sorted(shipped_sources()))
def test_each_definition_is_read_without_a_problem(verify: str) -> None:
    reading = Reading()
    definition = read_definition(reading, verify, shipped_sources()[verify])

    assert [str(each) for each in reading.problems] == []
    assert definition is not None
    assert definition.title
    assert definition.docs.startswith("https://")


def test_each_definition_has_its_golden_delivery() -> None:
    assert [each.verify for each in GOLDEN] == sorted(shipped_sources())


@pytest.mark.parametrize("golden", GOLDEN, ids=name)
def test_it_is_believed_and_named(golden: Golden) -> None:
    accepted = judged(golden)

    assert isinstance(accepted, Accepted), accepted
    assert len(accepted.events) == len(golden.events)
    for event, (expected, number) in zip(accepted.events, golden.events, strict=True):
        assert event.event == expected
        assert event.id == number or (number.endswith("…") and event.id.startswith(number[:-1]))
    payload = accepted.events[0].payload
    assert {path: payload[path] for path in golden.holds} == dict(golden.holds)


@pytest.mark.parametrize("golden", [each for each in GOLDEN if not each.is_body_unsigned], ids=name)
def test_one_changed_byte_of_the_body_is_noticed(golden: Golden) -> None:
    changed = golden.raw.replace(b"e", b"E", 1)
    assert changed != golden.raw
    headers = golden.headers(golden.raw)

    refused = judged(golden, body=changed, headers=headers)

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.BAD_SIGNATURE


@pytest.mark.parametrize("golden", GOLDEN, ids=name)
def test_another_secret_believes_nothing(golden: Golden) -> None:
    others = {
        "discord": "00" * 31 + "01",
        "close": "8f" * 32,
        "standard-webhooks": "whsec_" + "A" * 32,
        "svix": "whsec_" + "A" * 32,
        "highlevel": "MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=",
        "sendgrid": (
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/"
            "m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q=="
        ),
    }
    refused = judged(golden, source=source_of(golden, others.get(golden.verify, "another-secret")))

    assert isinstance(refused, Refused)
    assert refused.reason in (Reason.BAD_SIGNATURE, Reason.BAD_TOKEN)


@pytest.mark.parametrize("golden", SIGNED, ids=name)
def test_without_its_headers_it_is_nobodys(golden: Golden) -> None:
    refused = judged(golden, headers={})

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.MISSING_SIGNATURE


@pytest.mark.parametrize("golden", STAMPED, ids=name)
def test_a_delivery_of_another_time_is_refused_both_ways(golden: Golden) -> None:
    late, early = judged(golden, at_ms=NOW_MS + DAY_MS), judged(golden, at_ms=NOW_MS - DAY_MS)

    assert isinstance(late, Refused)
    assert isinstance(early, Refused)
    assert (late.reason, early.reason) == (Reason.TOO_OLD, Reason.TOO_NEW)


@pytest.mark.parametrize(
    "golden", [each for each in GOLDEN if each.verify not in ("discord", "highlevel", "sendgrid")], ids=name
)
def test_during_a_rotation_both_secrets_sign(golden: Golden) -> None:
    other = {"close": "8f" * 32, "standard-webhooks": "whsec_" + "A" * 32, "svix": "whsec_" + "A" * 32}
    spare = other.get(golden.verify, "another-secret")

    assert isinstance(judged(golden, source=source_of(golden, spare, golden.secret)), Accepted)
    assert isinstance(judged(golden, source=source_of(golden, golden.secret, spare)), Accepted)
