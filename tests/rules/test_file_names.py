"""Names of files: harmless, whoever gives them, and readable in every form that clients send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.file_names import (
    MOST_BYTES,
    clean_name,
    content_disposition,
    read_disposition_name,
    read_name_header,
)

NAMES = {
    "plain": ("a.txt", "a.txt"),
    "spaces": ("  my  report .pdf ", "my report .pdf"),
    "path": ("/etc/passwd", "passwd"),
    "climbing": ("../../../etc/passwd", "passwd"),
    "windows path": ("C:\\Users\\x\\cat.png", "cat.png"),
    "mixed": ("a/..\\b.txt", "b.txt"),
    "only dots": ("..", None),
    "dot": (".", None),
    "hidden": (".htaccess", "htaccess"),
    "slash at the end": ("folder/", None),
    "empty": ("", None),
    "none": (None, None),
    "control characters": ("a\x00b\x1bc\x7f.txt", "abc.txt"),
    "lines": ("a\r\nSet-Cookie: x.txt", "a Set-Cookie_ x.txt"),
    "tabs": ("a\tb.txt", "a b.txt"),
    "turned around": ("exe\u202egpj.scr", "exegpj.scr"),
    "invisible": ("a\u200b\ufeff.txt", "a.txt"),
    "half a pair": ("a\ud800.txt", "a.txt"),
    "quotes": ('a"b<c>|?*.txt', "a_b_c____.txt"),
    "umlaut": ("Gru\u0308ße.txt", "Grüße.txt"),
    "emoji": ("🎉.png", "🎉.png"),
    "trailing dots": ("a.txt...", "a.txt"),
}


@pytest.mark.parametrize(("raw", "expected"), NAMES.values(), ids=NAMES.keys())
def test_clean_names(raw: str | None, expected: str | None) -> None:
    assert clean_name(raw) == expected


def test_a_long_name_keeps_its_beginning_and_its_ending() -> None:
    cut = clean_name("ü" * 300 + ".jpeg")

    assert cut is not None
    assert cut.startswith("üü")
    assert cut.endswith("ü.jpeg")
    assert MOST_BYTES - 2 < len(cut.encode()) <= MOST_BYTES


@given(st.text())
def test_whatever_comes_is_harmless_and_stays_as_it_is(text: str) -> None:
    name = clean_name(text)

    assert name is None or (0 < len(name.encode()) <= MOST_BYTES)
    assert name is None or not (set('/\\\0\r\n"') & set(name) or name.startswith("."))
    assert clean_name(name) == name


HEADERS = {
    "plain": (b"a.txt", "a.txt"),
    "quoted": (b'"a b.txt"', "a b.txt"),
    "Latin-1": ("Grüße.txt".encode("latin-1"), "Grüße.txt"),
    "UTF-8": ("Grüße €.txt".encode(), "Grüße €.txt"),
    "percent-encoded UTF-8": (b"Gr%C3%BC%C3%9Fe.txt", "Grüße.txt"),
    "RFC 5987": (b"UTF-8''%e2%82%ac%20rates.txt", "€ rates.txt"),
    "RFC 5987 with a language": (b"utf-8'en'a%20b.txt", "a b.txt"),
    "RFC 5987 in Latin-1": (b"ISO-8859-1''%A3.txt", "£.txt"),
    "a percent sign": (b"100%.txt", "100%.txt"),
    "escapes that are no UTF-8": (b"%ff.txt", "%ff.txt"),
    "escaped path": (b"..%2F..%2Fetc%2Fpasswd", "passwd"),
    "nothing": (b"", None),
    "spaces": (b"  ", None),
}


@pytest.mark.parametrize(("value", "expected"), HEADERS.values(), ids=HEADERS.keys())
def test_names_in_headers(value: bytes, expected: str | None) -> None:
    assert read_name_header(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"attachment", None),
        (b'attachment; filename="a b.txt"', "a b.txt"),
        (b"attachment; filename=a.txt; size=5", "a.txt"),
        (b'attachment; filename="a\\"b.txt"', "a_b.txt"),
        (b"attachment; filename=\"x.txt\"; filename*=UTF-8''%e2%82%ac.txt", "€.txt"),
        (b'inline; FileName="../../x"', "x"),
        (b'attachment; filename=""', None),
    ],
)
def test_names_in_a_content_disposition(value: bytes, expected: str | None) -> None:
    assert read_disposition_name(value) == expected


@given(st.binary(max_size=600))
def test_no_header_breaks_the_reader(value: bytes) -> None:
    for name in (read_name_header(value), read_disposition_name(b"attachment; filename=" + value)):
        assert clean_name(name) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, "attachment"),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ("Grüße.txt", "attachment; filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"),
        ('a"b.txt', "attachment; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
    ],
)
def test_content_disposition(name: str | None, expected: str) -> None:
    assert content_disposition("attachment", name) == expected


@given(st.text(max_size=100))
def test_a_content_disposition_is_one_line_of_ascii(text: str) -> None:
    value = content_disposition("inline", clean_name(text))

    assert value.isascii()
    assert value.isprintable()
