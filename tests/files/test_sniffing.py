"""Types of files: a claim holds as far as the first bytes do not contradict it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.files.sniffing import look_at
from hub.rules.media_types import may_be_shown, settle_type

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(50)
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>'
VCARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nEND:VCARD"
HEIC = b"\x00\x00\x00\x24ftypheic\x00\x00\x00\x00mif1heic" + bytes(50)
MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + bytes(50)
M4A = b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00M4A mp42" + bytes(50)
MOV = b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  " + bytes(40)
CAF = b"caff\x00\x01\x00\x00desc" + bytes(40)
MP3 = b"ID3\x03\x00\x00" + bytes(50)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(30)
AIFF = b"FORM\x00\x00\x00\x00AIFF" + bytes(30)
ZIP = b"PK\x03\x04\x14\x00" + bytes(40)
PDF = b"%PDF-1.7\n\xe2\xe3\xcf\xd3\n" + bytes(20)
NOISE = bytes(range(200, 256)) * 3

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
UNKNOWN = "application/octet-stream"

TABLE = {
    "png, undeclared": (PNG, None, None, "image/png"),
    "png, declared unknown": (PNG, UNKNOWN, None, "image/png"),
    "png as png": (PNG, "image/png", None, "image/png"),
    "png as jpeg": (PNG, "image/jpeg", None, "image/png"),
    "png as a page": (PNG, "text/html", "x.html", "image/png"),
    "jpeg by another name": (JPEG, "image/jpg", None, "image/jpeg"),
    "jpeg with parameters": (JPEG, "Image/JPEG; q=1", None, "image/jpeg"),
    "text, undeclared": (b"hello world\n", None, None, "text/plain"),
    "text, declared unknown": (b"hello", UNKNOWN, "a.txt", "text/plain"),
    "text by name": (b"a,b\n1,2\n", None, "a.csv", "text/csv"),
    "text as csv": (b"a,b\n1,2\n", "text/csv", None, "text/csv"),
    "text as png": (b"hello", "image/png", None, "text/plain"),
    "text as mp3": (b"hello", "audio/mpeg", "a.mp3", "text/plain"),
    "page, undeclared": (HTML, None, None, "text/plain"),
    "page as text": (HTML, "text/plain", None, "text/plain"),
    "page as page": (HTML, "text/html", None, "text/html"),
    "page as png": (HTML, "image/png", "cat.png", "text/plain"),
    "drawing as drawing": (SVG, "image/svg+xml", None, "image/svg+xml"),
    "drawing, undeclared": (SVG, None, None, "text/plain"),
    "card as card": (VCARD, "text/vcard", "x.vcf", "text/vcard"),
    "card by an old name": (VCARD, "text/x-vcard", None, "text/vcard"),
    "card, undeclared": (VCARD, None, None, "text/vcard"),
    "heic": (HEIC, "image/heic", None, "image/heic"),
    "heic as heif": (HEIC, "image/heif", None, "image/heic"),
    "mp4": (MP4, None, None, "video/mp4"),
    "m4a as m4a": (M4A, "audio/x-m4a", None, "audio/mp4"),
    "m4a by name": (M4A, None, "memo.m4a", "audio/mp4"),
    "sound in a video's container": (MP4, "audio/mp4", None, "audio/mp4"),
    "mov": (MOV, "video/quicktime", None, "video/quicktime"),
    "caf": (CAF, "audio/x-caf", None, "audio/x-caf"),
    "caf, undeclared": (CAF, None, None, "audio/x-caf"),
    "mp3": (MP3, "audio/mp3", None, "audio/mpeg"),
    "wav": (WAV, "audio/x-wav", None, "audio/wav"),
    "aiff": (AIFF, "audio/aiff", None, "audio/x-aiff"),
    "zip": (ZIP, None, None, "application/zip"),
    "docx": (ZIP, DOCX, None, DOCX),
    "docx by name": (ZIP, None, "a.docx", DOCX),
    "zip as png": (ZIP, "image/png", None, "application/zip"),
    "pdf": (PDF, None, None, "application/pdf"),
    "noise": (NOISE, None, None, UNKNOWN),
    "noise as something of its own": (NOISE, "application/x-mine", None, "application/x-mine"),
    "noise as png": (NOISE, "image/png", None, UNKNOWN),
    "noise as text": (NOISE, "text/plain", None, UNKNOWN),
    "nonsense declared": (b"hi", "not a type", None, "text/plain"),
    "header in a type": (b"hi", "text/plain\r\nX: y", None, "text/plain"),
    "cut within a letter": ("ü".encode()[:1], "text/csv", None, "text/csv"),
}


@pytest.mark.parametrize(("head", "declared", "name", "expected"), TABLE.values(), ids=TABLE.keys())
def test_types(head: bytes, declared: str | None, name: str | None, expected: str) -> None:
    assert settle_type(declared, look_at(head, name)) == expected


@given(st.binary(max_size=300), st.none() | st.text(max_size=30), st.none() | st.text(max_size=30))
def test_whatever_comes_has_a_type_that_a_header_can_hold(
    head: bytes, declared: str | None, name: str | None
) -> None:
    kind = settle_type(declared, look_at(head, name))

    assert kind.isascii()
    assert kind.isprintable()
    assert " " not in kind


@pytest.mark.parametrize(
    ("mime_type", "expected"),
    [
        ("image/png", True), ("audio/x-caf", True), ("video/mp4", True), ("text/plain", True),
        ("text/html", False), ("image/svg+xml", False), ("application/xhtml+xml", False), ("text/xml", False),
        ("application/pdf", False), ("application/javascript", False), ("text/css", False),
    ],
)  # fmt: skip
def test_nothing_that_could_run_is_shown(mime_type: str, *, expected: bool) -> None:
    assert may_be_shown(mime_type) is expected
