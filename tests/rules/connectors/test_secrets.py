"""Secrets are covered wherever they turn up, in each spelling in which they travel."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote

import pytest

from hub.rules.connectors.secrets import Masker, SecretText, looks_secret

SECRET = 'p@ss "wörd"/1+'


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        f"Bearer {SECRET}.",
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        b64encode(SECRET.encode()).decode(),
        b64encode(SECRET.encode()).decode().rstrip("="),
        urlsafe_b64encode(SECRET.encode()).decode(),
        'the body was {"password": "p@ss \\"w\\u00f6rd\\"/1+"}',
        'the body was {"password": "p@ss \\"wörd\\"/1+"}',
        'the body was {"password": "p@ss \\"w\\u00f6rd\\"\\/1+"}',
        '<input value="p@ss &quot;wörd&quot;/1+">',
    ],
)
def test_a_secret_is_covered_in_every_spelling(shown: str) -> None:
    masked = Masker([SECRET]).text(shown)

    assert "***" in masked
    assert "p@ss" not in masked
    assert SECRET not in masked


def test_values_are_covered_through_and_through() -> None:
    masked = Masker(["secret-1"]).value({"a secret-1": ["x", {"b": "secret-1secret-1"}, 7, None]})

    assert masked == {"a ***": ["x", {"b": "******"}, 7, None]}


def test_short_words_are_left_alone() -> None:
    assert Masker(["", "key"]).text("the key") == "the key"


def test_a_key_of_several_lines_is_covered_line_by_line() -> None:
    pem = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"

    assert "MIIE" not in Masker([pem]).text("could not read MIIEvQIBADANBgkqhkiG9w0BAQEFAASC")


HOOK = "https://flows.example.com:443/workflows/0a1b2c3d4e5f60718293/run?v=1&sig=aBc%2FdEfGhIjKlMnOpQ"


@pytest.mark.parametrize(
    "shown",
    [
        HOOK,
        f"{HOOK}&wait=true",
        "POST /workflows/0a1b2c3d4e5f60718293/run",
        "no workflow 0a1b2c3d4e5f60718293",
        "the signature aBc%2FdEfGhIjKlMnOpQ is not valid",
        "the signature aBc/dEfGhIjKlMnOpQ is not valid",
    ],
)
def test_of_a_secret_address_every_part_is_covered_that_would_be_enough(shown: str) -> None:
    masked = Masker([HOOK]).text(shown)

    assert "***" in masked
    assert not any(part in masked for part in ("workflows/", "0a1b2c3d", "dEfGhI"))


def test_of_a_short_secret_address_where_it_leads_is_covered_and_its_host_is_not() -> None:
    masked = Masker(["https://hooks.example.com/catch/12/ab/"]).text(
        "hooks.example.com: nothing at /catch/12/ab; ab"
    )

    assert masked == "hooks.example.com: nothing at /***; ab"


def test_what_is_no_address_has_no_parts() -> None:
    assert Masker(["http://[:::/a-long-enough-path-1"]).text("a-long-enough-path-1") == "a-long-enough-path-1"


def test_a_secret_shows_nothing_of_itself() -> None:
    secret = SecretText("abc-def-ghi")

    assert f"{secret!r} {secret} {[secret]} {secret:>5}" == "*** *** [***] ***"
    assert secret.reveal() == "abc-def-ghi"


#: Not whole anywhere in this file, so that nobody's scanner finds them.
LITERALS = [
    "sk_" + "live_abc",
    "whsec" + "_abc",
    "xox" + "b-1-2",
    "pat-" + "na1-abc",
    "Bearer" + " abcdefgh12",
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "gh" + "p_abc",
    "AKIA" + "ABCDEFGHIJKL",
    "sk-" + "abcdefghijklmnopqrst",
    "https://hooks.slack.com/services" + "/T0/B0/x",
    "https://discord.com/api/webhooks" + "/1234/abc",
    "https://hook.eu2.make.com" + "/abcdefgh1234",
    "https://x.example.com/workflows/1/run?api-version=1&sig" + "=aBcDeFgHiJkLmNoP",
]


@pytest.mark.parametrize("text", LITERALS)
def test_what_is_evidently_a_credential_is_recognised(text: str) -> None:
    assert looks_secret(text)


@pytest.mark.parametrize(
    "text", ["https://api.example.com/v1", "acme", "bot@acme.com", "task-list", "Bearer", "a" * 40]
)
def test_ordinary_words_are_none(text: str) -> None:
    assert not looks_secret(text)
