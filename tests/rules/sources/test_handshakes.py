"""What sets an address up is answered as the vendor wants it, and is no event."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.rules.sources.intake import Accepted, Introduced, Judgement, judge
from hub.rules.sources.model import Reason, Refused, Source, SourceRequest
from tests.rules.sources.asking import judged, source_of
from tests.rules.sources.deliveries import GOLDEN, NOW_MS, URL
from tests.support.inbound_sources import sources_of

BY_NAME = {each.verify: each for each in GOLDEN}
ASKED = {"hub.mode": "subscribe", "hub.verify_token": "verify-me", "hub.challenge": "1158201444"}


def sent(name: str, body: Any) -> Judgement:
    """Send a body, signed as the vendor does."""
    return judged(replace(BY_NAME[name], body=body))


@pytest.mark.parametrize(
    ("name", "body", "status", "content_type", "answer"),
    [
        (
            "slack",
            {"type": "url_verification", "challenge": "3eZb"},
            200,
            "text/plain; charset=utf-8",
            b"3eZb",
        ),
        # Discord takes an address only if its ping is answered with 204 (docs: events/webhook-events).
        ("discord", {"version": 1, "type": 0}, 204, "", b""),
        ("discord", {"type": 1}, 200, "application/json", b'{"type":1}'),
        ("intercom", {"topic": "ping"}, 200, "", b""),
    ],
)
def test_signed_ones(name: str, body: Any, status: int, content_type: str, answer: bytes) -> None:
    introduced = sent(name, body)

    assert isinstance(introduced, Introduced)
    assert introduced.answer.body == answer
    assert (introduced.answer.status, introduced.answer.content_type) == (status, content_type)
    assert introduced.notice is None


@pytest.mark.parametrize("name", ["slack", "discord", "intercom"])
def test_without_a_signature_they_are_refused(name: str) -> None:
    """Discord sends such requests on purpose, and drops an address that answers them."""
    for body in (b'{"type":1}', b'{"type":"url_verification","challenge":"x"}', b'{"topic":"ping"}'):
        assert isinstance(judged(BY_NAME[name], body=body, headers={}), Refused)


def test_one_is_not_true() -> None:
    """What must stand somewhere is compared with its type: JSON knows 1 and true."""
    assert not isinstance(sent("discord", {"type": True}), Introduced)


def whatsapp(**query: str) -> Judgement:
    asked = {name: text for name, text in {**ASKED, **query}.items() if text}
    request = SourceRequest(method="GET", url=URL, query=asked, headers={}, body=b"")
    return judge(source_of(BY_NAME["whatsapp"]), request, now_ms=NOW_MS)


def test_whatsapp_asks_with_a_token() -> None:
    introduced = whatsapp()

    assert isinstance(introduced, Introduced)
    assert introduced.answer.body == b"1158201444"
    assert introduced.answer.content_type.startswith("text/plain")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"hub.verify_token": "verify-mE"}, Reason.BAD_TOKEN),
        ({"hub.verify_token": ""}, Reason.BAD_TOKEN),
        ({"hub.verify_token": "verify-meé"}, Reason.BAD_TOKEN),
        ({"hub.mode": "unsubscribe"}, Reason.METHOD),
        ({"hub.mode": ""}, Reason.METHOD),
    ],
)
def test_whatsapp_with_another_question(query: dict[str, str], reason: Reason) -> None:
    refused = whatsapp(**query)

    assert isinstance(refused, Refused)
    assert refused.reason is reason


def notion(*, secret: str = "") -> Source:
    written = ", secret: { env: TOKEN }" if secret else ""
    return sources_of(f"  it: {{ verify: notion{written} }}\n", {"TOKEN": secret})[0]


OFFER = SourceRequest(
    method="POST", url=URL, query={}, headers={}, body=b'{"verification_token":"secret_tMrlL1qK5vuQAh1b6cZG"}'
)


def test_notion_offers_its_secret_once_there_is_none() -> None:
    introduced = judge(notion(), OFFER, now_ms=NOW_MS)

    assert isinstance(introduced, Introduced)
    assert introduced.notice is not None
    assert introduced.notice.reason is Reason.OFFERS_SECRET
    assert "secret_tMrlL1qK5vuQAh1b6cZG" in introduced.notice.detail


def test_notion_offers_nothing_once_there_is_one() -> None:
    refused = judge(notion(secret="known"), OFFER, now_ms=NOW_MS)

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.MISSING_SIGNATURE


def test_nothing_is_believed_without_a_secret() -> None:
    golden = BY_NAME["notion"]
    refused = judged(golden, source=notion())

    assert isinstance(refused, Refused)
    assert refused.reason is Reason.NO_SECRET


def test_slack_commands_and_interactions() -> None:
    form = "application/x-www-form-urlencoded"
    command = replace(BY_NAME["slack"], body=b"command=%2Fdeploy&trigger_id=1.2&text=now", content_type=form)
    button = replace(
        BY_NAME["slack"],
        body=b"payload=%7B%22type%22%3A%22block_actions%22%2C%22trigger_id%22%3A%223%22%7D",
        content_type=form,
    )
    found = [judged(command), judged(button)]

    assert all(isinstance(each, Accepted) for each in found)
    events = [each.events[0] for each in found if isinstance(each, Accepted)]
    assert [(each.event, each.id) for each in events] == [("command/deploy", "1.2"), ("block_actions", "3")]
    assert events[0].payload["text"] == "now"
