"""Beside the vendors' own verifiers: what they sign we believe, and what is changed neither of us does.

Where we are stricter on purpose, a test of its own says so.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import urlencode, urlsplit

import stripe
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]  # Twilio ships no types

from hub.rules.sources.bodies import read_query
from hub.rules.sources.model import Reason, Refused, SourceRequest
from hub.rules.sources.verification import verify
from tests.rules.sources.asking import source_of
from tests.rules.sources.deliveries import GOLDEN, NOW, SECRET, STANDARD, URL

BY_NAME = {each.verify: each for each in GOLDEN}
SOURCES = {name: source_of(BY_NAME[name]) for name in ("slack", "standard-webhooks", "stripe", "twilio")}
FORM = "application/x-www-form-urlencoded"

#: Text as JSON bodies hold it; a body that is no UTF-8 makes some of the vendors' verifiers raise.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
OBJECTS = st.dictionaries(TEXTS, TEXTS, max_size=4)
#: How a signature may be changed: nothing, a letter, cut short, another scheme, twice.
CHANGES = st.sampled_from(["none", "body", "letter", "cut", "scheme", "empty"])


def ours(
    name: str, body: bytes, headers: Mapping[str, str], *, url: str = URL, at: int = NOW
) -> Refused | None:
    request = SourceRequest(
        method="POST", url=url, query=read_query(urlsplit(url).query), headers=headers, body=body
    )
    return verify(SOURCES[name], request, now_ms=at * 1000)


def changed(signature: str, change: str) -> str:
    last = "1" if signature[-3] == "0" else "0"
    return {
        "letter": signature[:-3] + last + signature[-2:],
        "cut": signature[:-4],
        "scheme": signature.replace("v1", "v2").replace("v0", "v9"),
        "empty": "",
    }.get(change, signature)


# ---- Stripe


def stripe_believes(body: bytes, header: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(body, header, SECRET))
    except stripe.SignatureVerificationError:
        return False


@given(document=OBJECTS, change=CHANGES)
def test_stripe(document: dict[str, str], change: str) -> None:
    body = json.dumps(document, ensure_ascii=False).encode()
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET, NOW)
    header = changed(header, change)
    body = body + b" " if change == "body" else body

    assert (ours("stripe", body, {"stripe-signature": header}) is None) is stripe_believes(body, header)
    assert stripe_believes(body, header) is (change == "none")


def test_stripe_signs_twice_during_a_rotation() -> None:
    body = b'{"id":"evt_1"}'
    other = stripe.WebhookSignature.generate_signature_header(body.decode(), "whsec_other", NOW)
    mine = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRET, NOW)
    both = f"{other},{mine.partition(',')[2]}"

    assert stripe_believes(body, both)
    assert ours("stripe", body, {"stripe-signature": both}) is None


def test_we_refuse_what_stripe_signs_for_the_future() -> None:
    """The vendor's library looks into the past only (facts: connectors section 6)."""
    now = int(time.time())
    header = stripe.WebhookSignature.generate_signature_header("{}", SECRET, now + 3600)
    refused = ours("stripe", b"{}", {"stripe-signature": header}, at=now)

    assert stripe.WebhookSignature.verify_header(b"{}", header, SECRET, tolerance=300)
    assert refused is not None
    assert refused.reason is Reason.TOO_NEW


# ---- Slack


class StoppedClock(Clock):
    """Stands at NOW."""

    def now(self) -> float:
        return NOW


SLACK = SignatureVerifier(SECRET, StoppedClock())


@given(document=OBJECTS, change=CHANGES, drift=st.integers(-400, 400))
def test_slack(document: dict[str, str], change: str, drift: int) -> None:
    body, stamp = json.dumps(document, ensure_ascii=False).encode(), str(NOW + drift)
    signature = changed(SLACK.generate_signature(timestamp=stamp, body=body) or "", change)
    body = body + b" " if change == "body" else body
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": signature}

    assert (ours("slack", body, headers) is None) is SLACK.is_valid_request(body, headers)
    assert SLACK.is_valid_request(body, headers) is (change == "none" and abs(drift) <= 300)


# ---- Twilio

TWILIO = RequestValidator(SECRET)
URLS = st.sampled_from(
    [
        URL,
        f"{URL}?a=1&b=%2B1%202",
        "https://hub.example.com:8443/hooks/it",
        "http://hub.example.com/hooks/it?x",
        "https://user:pass@hub.example.com/hooks/it",
    ]
)


@given(
    form=st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=5), url=URLS, change=CHANGES, wide=st.booleans()
)
def test_twilio_forms(form: dict[str, str], url: str, change: str, wide: bool) -> None:
    algorithm = "HMAC_SHA256" if wide else None
    made = TWILIO.compute_signature(url, form, algorithm)
    signature, is_same = changed(made, change), change != "body" or form.get("Extra") == "1"
    form = {**form, "Extra": "1"} if change == "body" else form
    body = urlencode(form).encode()
    headers = {"content-type": FORM, "x-twilio-signature": signature}
    if wide:
        headers["x-twilio-webhooks-signature-settings"] = f"key=webhooks_sharedkey_1,algorithm={algorithm}"

    theirs = TWILIO.validate(url, form, signature, algorithm)
    assert (ours("twilio", body, headers, url=url) is None) is theirs
    assert theirs is (is_same and signature == made)


@given(document=OBJECTS, change=CHANGES)
def test_twilio_json(document: dict[str, str], change: str) -> None:
    body = json.dumps(document).encode()
    url = f"{URL}?bodySHA256={sha256(body).hexdigest()}"
    made = TWILIO.compute_signature(url, {})
    signature = changed(made, change)
    body = body + b" " if change == "body" else body
    headers = {"content-type": "application/json", "x-twilio-signature": signature}

    theirs = TWILIO.validate(url, body.decode(), signature)
    assert (ours("twilio", body, headers, url=url) is None) is theirs
    assert theirs is (change != "body" and signature == made)


def test_twilio_signs_with_or_without_the_port() -> None:
    form = {"MessageSid": "SM1"}
    for signed in (URL, URL.replace(".com/", ".com:443/")):
        headers = {"content-type": FORM, "x-twilio-signature": TWILIO.compute_signature(signed, form)}
        assert ours("twilio", urlencode(form).encode(), headers) is None


def test_we_refuse_a_body_that_twilio_did_not_sign() -> None:
    """Signed is the URL alone: anybody who saw one such request could send any body."""
    headers = {"content-type": "application/json", "x-twilio-signature": TWILIO.compute_signature(URL, {})}
    refused = ours("twilio", b'{"a":1}', headers)

    assert refused is not None
    assert refused.reason is Reason.BAD_SIGNATURE


def test_we_refuse_a_digest_that_twilio_does_not_name() -> None:
    headers = {
        "content-type": FORM,
        "x-twilio-signature": TWILIO.compute_signature(URL, {}),
        "x-twilio-webhooks-signature-settings": "key=k,algorithm=HMAC_MD5",
    }

    assert not TWILIO.validate(URL, {}, headers["x-twilio-signature"], "HMAC_MD5")
    assert ours("twilio", b"", headers) is not None


# ---- Standard Webhooks

STANDARD_WEBHOOKS = Webhook(STANDARD)


def standard_believes(body: bytes, headers: Mapping[str, str]) -> bool:
    try:
        STANDARD_WEBHOOKS.verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # the library splits and decodes without looking
        return False
    return True


@settings(deadline=None)
@given(document=OBJECTS, change=CHANGES, drift=st.sampled_from([-3600, -200, 0, 200, 3600]))
def test_standard_webhooks(document: dict[str, str], change: str, drift: int) -> None:
    now = int(time.time())
    body = json.dumps(document, ensure_ascii=False).encode()
    at = datetime.fromtimestamp(now + drift, UTC)
    signature = changed(STANDARD_WEBHOOKS.sign("msg_1", at, body.decode()), change)
    body = body + b" " if change == "body" else body
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(now + drift), "webhook-signature": signature}

    assert (ours("standard-webhooks", body, headers, at=now) is None) is standard_believes(body, headers)
    assert standard_believes(body, headers) is (change == "none" and abs(drift) <= 300)


def test_we_refuse_an_id_with_a_dot() -> None:
    """One signed text could be cut in two ways, at two times, into two bodies."""
    now = int(time.time())
    signature = STANDARD_WEBHOOKS.sign("msg.1", datetime.fromtimestamp(now, UTC), "{}")
    headers = {"webhook-id": "msg.1", "webhook-timestamp": str(now), "webhook-signature": signature}

    assert standard_believes(b"{}", headers)
    assert ours("standard-webhooks", b"{}", headers, at=now) is not None


def test_the_golden_signatures_are_the_vendors() -> None:
    """What our golden deliveries carry was made by nobody's library; the vendors' agree."""
    golden = BY_NAME["stripe"]
    assert stripe_believes(golden.raw, golden.headers(golden.raw)["stripe-signature"])
    golden = BY_NAME["slack"]
    assert SLACK.is_valid_request(golden.raw, golden.headers(golden.raw))
    golden = BY_NAME["twilio"]
    form = dict(pair for pair in read_query(golden.raw.decode()).items())
    assert TWILIO.validate(URL, form, golden.headers(golden.raw)["x-twilio-signature"])
    golden = BY_NAME["standard-webhooks"]
    expected = STANDARD_WEBHOOKS.sign("msg_1", datetime.fromtimestamp(NOW, UTC), golden.raw.decode())
    assert golden.headers(golden.raw)["webhook-signature"] == expected
    assert len(base64.b64decode(expected.removeprefix("v1,"))) == 32
