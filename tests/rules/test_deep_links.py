"""Links as phones read them: RFC 5724, Apple's forms, and what a QR code holds."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.deep_links import DeepLinks, deep_links

NUMBER = "+15550100010"
MAIL = "shop@example.com"


@pytest.mark.parametrize(
    ("handle", "service", "text", "expected"),
    [
        pytest.param(
            NUMBER, "sms", "",
            DeepLinks(sms="sms:+15550100010", sms_ios="sms:+15550100010", imessage=None, whatsapp=None,
                      qr_text="SMSTO:+15550100010:"),
            id="no-words",
        ),
        pytest.param(
            NUMBER, "auto", "Hello, you & me?",
            DeepLinks(sms="sms:+15550100010?body=Hello%2C%20you%20%26%20me%3F",
                      sms_ios="sms:+15550100010&body=Hello%2C%20you%20%26%20me%3F",
                      imessage="imessage:+15550100010&body=Hello%2C%20you%20%26%20me%3F", whatsapp=None,
                      qr_text="SMSTO:+15550100010:Hello, you & me?"),
            id="words-are-encoded",
        ),
        pytest.param(
            NUMBER, "imessage", "a+b=c%20#1\nü 👋",
            DeepLinks(sms="sms:+15550100010?body=a%2Bb%3Dc%2520%231%0A%C3%BC%20%F0%9F%91%8B",
                      sms_ios="sms:+15550100010&body=a%2Bb%3Dc%2520%231%0A%C3%BC%20%F0%9F%91%8B",
                      imessage="imessage:+15550100010&body=a%2Bb%3Dc%2520%231%0A%C3%BC%20%F0%9F%91%8B",
                      whatsapp=None, qr_text="SMSTO:+15550100010:a+b=c%20#1\nü 👋"),
            id="signs-that-would-end-the-words",
        ),
        pytest.param(
            MAIL, "imessage", "Hi",
            DeepLinks(sms=None, sms_ios="sms:shop@example.com&body=Hi",
                      imessage="imessage:shop@example.com&body=Hi", whatsapp=None,
                      qr_text="imessage:shop@example.com&body=Hi"),
            id="an-apple-id",
        ),
        pytest.param(
            "a&b?c#d@example.com", "imessage", "",
            DeepLinks(sms=None, sms_ios="sms:a%26b%3Fc%23d@example.com",
                      imessage="imessage:a%26b%3Fc%23d@example.com", whatsapp=None,
                      qr_text="imessage:a%26b%3Fc%23d@example.com"),
            id="a-strange-address",
        ),
        pytest.param(
            NUMBER, "whatsapp", "Hi there",
            DeepLinks(sms="sms:+15550100010?body=Hi%20there", sms_ios="sms:+15550100010&body=Hi%20there",
                      imessage=None, whatsapp="https://wa.me/15550100010?text=Hi%20there",
                      qr_text="https://wa.me/15550100010?text=Hi%20there"),
            id="whatsapp",
        ),
    ],
)  # fmt: skip
def test_links(handle: str, service: str, text: str, expected: DeepLinks) -> None:
    """By service and handle."""
    assert deep_links(handle, service=service, text=text) == expected


@given(st.text(max_size=200))
def test_every_text_survives(text: str) -> None:
    """What a phone decodes is what was meant, and nothing of it can end the link early."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    link = deep_links(NUMBER, service="auto", text=text).sms or ""
    _, _, body = link.partition("?body=")

    assert unquote(body) == text
    assert link.isascii()
    assert not set(body) & set("&?#+ ")
