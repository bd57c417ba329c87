"""/v1/files: uploads in one go and in every form, and files fetched from an address."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.flow.file_intake import Claims
from hub.flow.file_store import Stored
from hub.flow.files import FileDesk
from hub.flow.keys import KeyWish
from hub.model.errors import InvalidRequest
from tests.outbound.receivers import answering, listening
from tests.support.asgi import HungUp
from tests.support.file_parts import MOST_BYTES, intake
from tests.support.hub_world import HubWorld, open_world
from tests.support.uploading import PNG, read, upload

NO_SUCH = "file_0000000000000"


def form(*parts: tuple[str, str | None, str | None, bytes], boundary: str = "xXx") -> bytes:
    """Write a form: name, file name, type, content of each part."""
    lines = b""
    for name, filename, kind, content in parts:
        named = "" if filename is None else f'; filename="{filename}"'
        typed = "" if kind is None else f"Content-Type: {kind}\r\n"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{typed}\r\n'
        lines += head.encode() + content + b"\r\n"
    return lines + f"--{boundary}--\r\n".encode()


FORM = {"Content-Type": "multipart/form-data; boundary=xXx"}


# ---- the contract (messages.dev §9, 12 and 13)


async def test_12_a_raw_upload_is_shown_as_the_contract_has_it(world: HubWorld) -> None:
    answered = await world.api.post(
        "/v1/files", b"hello", headers={"Content-Type": "text/plain", "X-Filename": "a.txt"}
    )

    shown = answered.json
    assert answered.status == 201
    assert re.fullmatch(r"file_[0-9a-z]+", shown["id"])
    assert re.fullmatch(r"req_[0-9a-z]+", shown["request_id"])
    assert (shown["filename"], shown["mime_type"], shown["size"]) == ("a.txt", "text/plain", 5)
    assert (await read(world, shown["url"])).body == b"hello"
    assert set(shown) == {
        "id", "url", "filename", "mime_type", "size", "request_id", "state", "sha256", "created_at", "expires_at",
        "error",
    }  # fmt: skip


async def test_12_zero_bytes(world: HubWorld) -> None:
    answered = await world.api.post("/v1/files", b"", headers={"Content-Type": "text/plain"})

    assert (answered.status, answered.code) == (400, "empty_file")


async def test_13_the_address_of_a_file_is_absolute_and_needs_no_key(world: HubWorld) -> None:
    stored = await upload(world)

    answered = await world.api.get(f"/v1/files?id={stored['id']}")

    assert (answered.status, answered.body) == (302, b"")
    assert (await read(world, answered.headers["location"])).body == b"hello"


async def test_13_unknown_file(world: HubWorld) -> None:
    answered = await world.api.get(f"/v1/files?id={NO_SUCH}")

    assert (answered.status, answered.code, answered.param) == (404, "file_not_found", "id")


# ---- uploads


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Grüße.txt", "Grüße.txt"),
        ("Grüße €.txt".encode().decode("latin-1"), "Grüße €.txt"),
        ("Gr%C3%BC%C3%9Fe.txt", "Grüße.txt"),
        ("UTF-8''%e2%82%ac.txt", "€.txt"),
        ("../../etc/passwd", "passwd"),
        ("..", None),
    ],
)
async def test_names_come_clean_in_every_spelling(world: HubWorld, header: str, expected: str | None) -> None:
    assert (await upload(world, X_Filename=header))["filename"] == expected


async def test_an_upload_in_pieces_is_one_file(world: HubWorld) -> None:
    pieces = [b"he", b"", b"llo", b" world"]

    answered = await world.api.request("POST", "/v1/files", chunks=pieces)

    assert answered.json["sha256"] == hashlib.sha256(b"hello world").hexdigest()
    assert (answered.json["filename"], answered.json["mime_type"]) == (None, "text/plain")


async def test_the_type_is_that_of_the_bytes(world: HubWorld) -> None:
    assert (await upload(world, PNG, Content_Type="image/jpeg"))["mime_type"] == "image/png"
    assert (await upload(world, b"{}", Content_Type="application/json"))["mime_type"] == "application/json"


async def test_a_form_with_several_files_is_answered_with_a_list(world: HubWorld) -> None:
    body = form(("file", "a.txt", "text/plain", b"one"), ("file", "../b.png", "text/plain", PNG))

    answered = await world.api.post("/v1/files", body, headers=FORM)

    assert answered.status == 201
    assert [(each["filename"], each["mime_type"], each["size"]) for each in answered.json["data"]] == [
        ("a.txt", "text/plain", 3),
        ("b.png", "image/png", len(PNG)),
    ]
    assert (answered.json["has_more"], answered.json["next_cursor"]) == (False, None)
    assert (await read(world, answered.json["data"][1]["url"])).body == PNG


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16])
async def test_a_form_may_be_cut_anywhere(world: HubWorld, size: int) -> None:
    content = b"\r\n--xX\r\n-" * 9
    body = form(("file", "a.bin", None, content))
    pieces = [body[start : start + size] for start in range(0, len(body), size)]

    answered = await world.api.request("POST", "/v1/files", chunks=pieces, headers=FORM)

    assert (await read(world, answered.json["data"][0]["url"])).body == content


BAD_FORMS: dict[str, tuple[bytes, str, str | None]] = {
    "no parts": (form(), "missing_required_parameter", "file"),
    "nothing": (b"", "invalid_multipart", "Content-Type"),
    "no form": (b"hello", "invalid_multipart", "Content-Type"),
    "cut off": (form(("file", "a", None, b"hello"))[:-12], "invalid_multipart", "Content-Type"),
    "another boundary": (form(("file", "a", None, b"x"), boundary="yY"), "invalid_multipart", "Content-Type"),
    "another field": (form(("image", "a", None, b"x")), "invalid_parameter_value", "image"),
    "an empty file": (form(("file", "a", None, b"")), "empty_file", None),
    "eleven files": (form(*[("file", "a", None, b"x")] * 11), "invalid_parameter_value", "file"),
    "a file too large": (form(("file", "a", None, b"x" * (MOST_BYTES + 1))), "payload_too_large", None),
    "a part without a name": (
        b"--xXx\r\nContent-Disposition: attachment\r\n\r\nx\r\n--xXx--\r\n", "invalid_multipart", "Content-Type"
    ),
    "endless headers": (b"--xXx\r\n" + b"A: " + b"x" * 9000, "invalid_multipart", "Content-Type"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "code", "param"), BAD_FORMS.values(), ids=BAD_FORMS.keys())
async def test_a_form_that_is_refused_leaves_nothing(
    world: HubWorld, body: bytes, code: str, param: str | None
) -> None:
    good = form(("file", "good", None, b"good"))[: -len(b"--xXx--\r\n")]

    answered = await world.api.post("/v1/files", body, headers=FORM)
    after_a_good_one = await world.api.post("/v1/files", good + body, headers=FORM)

    assert (answered.code, answered.param) == (code, param)
    assert after_a_good_one.status in {400, 413} or code == "missing_required_parameter"
    if after_a_good_one.status != 201:
        assert await world.store.files.expire_page(unused_before=2**60, now=0, limit=9) == 0, "a file is left"


async def test_a_form_without_a_boundary_is_refused(world: HubWorld) -> None:
    answered = await world.api.post("/v1/files", b"x", headers={"Content-Type": "multipart/form-data"})

    assert (answered.status, answered.code) == (400, "invalid_multipart")


async def test_what_is_too_large_is_refused_before_and_while_it_comes(world: HubWorld) -> None:
    announced = await world.api.post("/v1/files", b"x", headers={"Content-Length": str(MOST_BYTES + 1)})
    streamed = await world.api.request("POST", "/v1/files", chunks=[b"x" * 100_000] * 11)

    assert (announced.status, announced.code) == (413, "payload_too_large")
    assert (streamed.status, streamed.code) == (413, "payload_too_large")
    assert "files.max_bytes" in streamed.json["error"]["message"]


@pytest.mark.parametrize("limit", ["idle_seconds", "upload_seconds"])
async def test_an_upload_that_stands_still_ends(tmp_path: Path, limit: str) -> None:
    settings: dict[str, Any] = {limit: 0.01}
    async with open_world(tmp_path, **settings) as world:
        answered = await world.api.request("POST", "/v1/files", chunks=[b"hel"], is_unfinished=True)

    assert (answered.status, answered.code) == (408, "upload_timeout")
    assert list((tmp_path / "files" / "drafts").iterdir()) == []


async def test_an_upload_that_its_client_gives_up_leaves_nothing(world: HubWorld, tmp_path: Path) -> None:
    gone = asyncio.Event()
    gone.set()

    with pytest.raises(HungUp):
        await world.api.request("POST", "/v1/files", chunks=[b"hel"], is_unfinished=True, gone=gone)

    assert list((tmp_path / "files").rglob("drafts/*")) == []
    assert await world.store.files.stored() == Stored(count=0, size=0)


async def test_a_full_hub_takes_no_more(tmp_path: Path) -> None:
    """However many bring something at once: what is refused makes room again."""
    async with open_world(tmp_path) as world:
        limited = intake(world.store, world.parts.files.blobs, world.clock, world.new_id, quota_bytes=8)
        desk = FileDesk(
            store=world.store,
            parts=replace(world.parts.files, intake=limited),
            clock=world.clock,
            new_id=world.new_id,
            wake_ups=world.wake_ups,
        )
        key = (await world.keys.create(KeyWish(name="x", scopes=frozenset({"admin"})))).key
        uploads = [desk.upload(key, pieces(b"%d" % place, b"ello"), Claims()) for place in range(4)]
        answers = await asyncio.gather(*uploads, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, InvalidRequest)]
        await desk.upload(key, pieces(b"abc"), Claims())

        assert [each.code for each in refused] == ["storage_quota_exceeded"] * 3
        assert "files.quota_bytes" in refused[0].message
        assert await world.store.files.stored() == Stored(count=2, size=8)


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_compressed_bytes_are_refused(world: HubWorld) -> None:
    answered = await world.api.post("/v1/files", b"x", headers={"Content-Encoding": "gzip"})

    assert (answered.status, answered.param) == (415, "Content-Encoding")


# ---- fetching


async def test_a_file_is_fetched_from_an_address(world: HubWorld) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(PNG)
    async with listening(answering(head + PNG)) as receiver:
        answered = await world.api.post("/v1/files/fetch", {"url": receiver.url("/cats/my%20cat.png?x=1")})

    assert answered.status == 201, answered.body
    assert (answered.json["filename"], answered.json["mime_type"]) == ("my cat.png", "image/png")
    assert (await read(world, answered.json["url"])).body == PNG


async def test_redirects_are_followed_and_vetted(world: HubWorld) -> None:
    ok = (
        b'HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename="b.txt"\r\nContent-Length: 2\r\n\r\nok'
    )
    async with listening(answering(ok)) as last:
        moved = b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
        async with listening(answering(moved % last.url("/x").encode())) as first:
            good = await world.api.post("/v1/files/fetch", {"url": first.url()})
        async with listening(answering(moved % b"http://10.0.0.1/x")) as first:
            bad = await world.api.post("/v1/files/fetch", {"url": first.url()})
        async with listening(answering(moved % b"/again")) as first:
            endless = await world.api.post("/v1/files/fetch", {"url": first.url()})

    assert (good.json["filename"], good.json["size"]) == ("b.txt", 2)
    assert (bad.status, bad.code, bad.param) == (400, "url_refused", "url")
    assert (endless.code, endless.param) == ("fetch_failed", "url")


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "fetch_failed", "status 404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "empty_file", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", "fetch_failed", "9999999 bytes"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxx",
            "fetch_failed",
            "compressed",
        ),
        (b"nonsense\r\n\r\n", "fetch_failed", "not HTTP"),
    ],
)
async def test_an_address_without_a_file_is_told(
    world: HubWorld, answer: bytes, code: str, words: str
) -> None:
    async with listening(answering(answer)) as receiver:
        answered = await world.api.post("/v1/files/fetch", {"url": receiver.url()})

    assert (answered.status, answered.code) == (400, code)
    assert words in answered.json["error"]["message"]


@pytest.mark.parametrize("url", ["http://10.0.0.1/x", "ftp://example.com/x", "file:///etc/passwd", "x"])
async def test_addresses_that_may_not_be_called(world: HubWorld, url: str) -> None:
    answered = await world.api.post("/v1/files/fetch", {"url": url})

    assert (answered.status, answered.code, answered.param) == (400, "url_refused", "url")
