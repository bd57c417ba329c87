"""/v1/files: uploads in every form, addresses that need no key, and who may see what."""

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
from hub.flow.file_store import FileUse
from hub.flow.files import FileDesk, read_file_id
from hub.flow.keys import KeyWish
from hub.model.errors import InvalidRequest
from tests.outbound.receivers import answering, listening
from tests.support.asgi import Answered, Caller, HungUp
from tests.support.file_parts import BASE_URL, MOST_BYTES, intake
from tests.support.hub_world import HubWorld, open_world

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(50)
NO_SUCH = "file_0000000000000"


async def upload(world: HubWorld, content: bytes = b"hello", **headers: str) -> dict[str, Any]:
    sent = {"Content-Type": "text/plain", "X-Filename": "a.txt"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    answered = await world.api.post("/v1/files", content, headers=sent)
    assert answered.status == 201, answered.body
    stored: dict[str, Any] = answered.json
    return stored


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


def path_of(url: str) -> str:
    assert url.startswith(f"{BASE_URL}/v1/files/")
    return url.removeprefix(BASE_URL)


async def read(world: HubWorld, url: str, method: str = "GET", **headers: str) -> Answered:
    """Read an address as somebody without a key."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.api.with_token(None).request(method, path_of(url), headers=sent)


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
    async with open_world(tmp_path, **{limit: 0.01}) as world:
        answered = await world.api.request("POST", "/v1/files", chunks=[b"hel"], is_unfinished=True)

    assert (answered.status, answered.code) == (408, "upload_timeout")
    assert list((tmp_path / "files" / "drafts").iterdir()) == []


async def test_an_upload_that_its_client_gives_up_leaves_nothing(world: HubWorld, tmp_path: Path) -> None:
    gone = asyncio.Event()
    gone.set()

    with pytest.raises(HungUp):
        await world.api.request("POST", "/v1/files", chunks=[b"hel"], is_unfinished=True, gone=gone)

    assert list((tmp_path / "files").rglob("drafts/*")) == []
    assert await world.store.files.stored_bytes() == 0


async def test_a_full_hub_takes_no_more(tmp_path: Path) -> None:
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
        await desk.upload(key, pieces(b"hello"), Claims())
        await desk.upload(key, pieces(b"world"), Claims())

        with pytest.raises(InvalidRequest) as raised:
            await desk.upload(key, pieces(b"more"), Claims())

    assert raised.value.code == "storage_quota_exceeded"
    assert "files.quota_bytes" in raised.value.message


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_compressed_bytes_are_refused(world: HubWorld) -> None:
    answered = await world.api.post("/v1/files", b"x", headers={"Content-Encoding": "gzip"})

    assert (answered.status, answered.param) == (415, "Content-Encoding")


# ---- announced uploads


async def announce(world: HubWorld, **fields: Any) -> dict[str, Any]:
    body = {"filename": "cat.png", "content_type": "image/png", **fields}
    answered = await world.api.post("/v1/files/presign", body)
    assert answered.status == 201, answered.body
    promised: dict[str, Any] = answered.json
    return promised


async def put(world: HubWorld, url: str, content: bytes) -> Answered:
    return await world.api.with_token(None).request("PUT", path_of(url), body=content)


async def test_an_announced_file_is_uploaded_without_a_key(world: HubWorld) -> None:
    promised = await announce(world)
    assert (promised["method"], promised["headers"]) == ("PUT", {"content-type": "image/png"})
    waiting = (await world.api.get(f"/v1/files/{promised['id']}")).json
    assert (waiting["state"], waiting["url"], waiting["size"]) == ("awaited", None, None)
    assert waiting["expires_at"] == promised["expires_at"] == world.clock.now_ms() + 3_600_000

    answered = await put(world, promised["upload_url"], PNG)

    assert (answered.status, answered.json["id"]) == (201, promised["id"])
    assert (answered.json["state"], answered.json["filename"]) == ("stored", "cat.png")
    assert (await read(world, answered.json["url"])).body == PNG


async def test_an_announced_file_is_not_there_before_its_bytes(world: HubWorld) -> None:
    promised = await announce(world)

    located = await world.api.get(f"/v1/files?id={promised['id']}")

    assert (located.status, located.code, located.param) == (409, "file_not_ready", "id")


async def test_announced_bytes_come_once(world: HubWorld) -> None:
    promised = await announce(world)
    await put(world, promised["upload_url"], PNG)

    assert (await put(world, promised["upload_url"], PNG)).code == "file_already_uploaded"


async def test_announced_bytes_must_be_as_many_as_announced(world: HubWorld) -> None:
    promised = await announce(world, size=len(PNG))

    wrong = await put(world, promised["upload_url"], PNG + b"x")
    right = await put(world, promised["upload_url"], PNG)

    assert (wrong.status, wrong.param) == (400, "size")
    assert right.status == 201


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"filename": None}, "missing_required_parameter", "filename"),
        ({"filename": ""}, "invalid_parameter_value", "filename"),
        ({"content_type": 5}, "invalid_parameter_value", "content_type"),
        ({"size": 0}, "empty_file", "size"),
        ({"size": -1}, "invalid_parameter_value", "size"),
        ({"size": MOST_BYTES + 1}, "payload_too_large", None),
        ({"colour": "red"}, "invalid_parameter_value", "colour"),
    ],
)
async def test_a_bad_announcement_is_refused(
    world: HubWorld, fields: dict[str, Any], code: str, param: str | None
) -> None:
    body = {"filename": "cat.png", "content_type": "image/png", **fields}
    answered = await world.api.post("/v1/files/presign", body)

    assert (answered.code, answered.param) == (code, param)


async def test_an_address_for_uploading_expires_and_cannot_be_used_for_reading(world: HubWorld) -> None:
    promised = await announce(world)
    assert (await read(world, promised["upload_url"])).code == "link_refused"
    stored = await upload(world)
    assert (await put(world, stored["url"], PNG)).code == "link_refused"

    world.clock.advance(3_600_000)

    assert (await put(world, promised["upload_url"], PNG)).code == "link_refused"


# ---- reading


async def test_addresses_expire_and_cannot_be_changed(world: HubWorld) -> None:
    stored, other = await upload(world), await upload(world, b"other")
    forged = stored["url"].replace(stored["id"], other["id"])
    later = re.sub(r"expires=(\d+)", lambda found: f"expires={int(found[1]) + 1}", stored["url"])

    for url in (forged, later, stored["url"][:-1], f"{stored['url']}x"):
        answered = await read(world, url)
        assert (answered.status, answered.code) == (403, "link_refused")
    assert (await read(world, stored["url"].partition("?")[0])).code == "missing_required_parameter"
    world.clock.advance(25 * 3_600_000)
    assert "expired" in (await read(world, stored["url"])).json["error"]["message"]
    fresh = (await world.api.get(f"/v1/files/{stored['id']}")).json["url"]
    assert (await read(world, fresh)).body == b"hello"


async def test_a_deleted_file_is_gone_from_its_address(world: HubWorld) -> None:
    stored = await upload(world)
    await world.api.delete(f"/v1/files/{stored['id']}")

    assert (await read(world, stored["url"])).code == "file_not_found"


@pytest.mark.parametrize(
    ("header", "status", "body", "place"),
    [
        ("bytes=1-3", 206, b"ell", "bytes 1-3/5"),
        ("bytes=2-", 206, b"llo", "bytes 2-4/5"),
        ("bytes=-2", 206, b"lo", "bytes 3-4/5"),
        ("bytes=0-99", 206, b"hello", "bytes 0-4/5"),
        ("bytes=0-1,3-4", 200, b"hello", None),
        ("nonsense", 200, b"hello", None),
    ],
)
async def test_parts_can_be_read(
    world: HubWorld, header: str, status: int, body: bytes, place: str | None
) -> None:
    stored = await upload(world)

    answered = await read(world, stored["url"], Range=header)

    assert (answered.status, answered.body) == (status, body)
    assert answered.headers.get("content-range") == place
    assert answered.headers["content-length"] == str(len(body))


async def test_a_part_that_is_not_there(world: HubWorld) -> None:
    answered = await read(world, (await upload(world))["url"], Range="bytes=5-")

    assert (answered.status, answered.code) == (416, "range_not_satisfiable")
    assert answered.headers["content-range"] == "bytes */5"


async def test_what_is_known_is_not_sent_again(world: HubWorld) -> None:
    stored = await upload(world)
    etag = f'"{stored["sha256"]}"'

    same = await read(world, stored["url"], If_None_Match=f'"x", W/{etag}')
    other = await read(world, stored["url"], If_None_Match='"x"')
    part = await read(world, stored["url"], Range="bytes=0-0", If_Range=etag)
    whole = await read(world, stored["url"], Range="bytes=0-0", If_Range='"x"')

    assert (same.status, same.body, same.headers["etag"]) == (304, b"", etag)
    assert (other.status, part.status, whole.status) == (200, 206, 200)


async def test_the_head_tells_what_the_body_would_be(world: HubWorld) -> None:
    answered = await read(world, (await upload(world))["url"], "HEAD")

    assert (answered.status, answered.body, answered.headers["content-length"]) == (200, b"", "5")


@pytest.mark.parametrize(
    ("content", "kind", "name", "disposition"),
    [
        (PNG, "image/png", "a.png", 'inline; filename="a.png"'),
        (b"<html>", "text/html", "a.html", 'attachment; filename="a.html"'),
        (b"<svg xmlns=''/>", "image/svg+xml", "a.svg", 'attachment; filename="a.svg"'),
    ],
)
async def test_nothing_that_is_read_can_run(
    world: HubWorld, content: bytes, kind: str, name: str, disposition: str
) -> None:
    stored = await upload(world, content, Content_Type=kind, X_Filename=name)

    answered = await read(world, stored["url"])

    assert answered.headers["content-disposition"] == disposition
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert answered.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_bytes_that_are_lost_are_told(world: HubWorld) -> None:
    stored = await upload(world)
    file = await world.store.files.get(read_file_id(stored["id"]))
    assert file is not None
    assert file.blob is not None
    await world.parts.files.blobs.delete(file.blob.name)

    assert (await read(world, stored["url"])).code == "file_unavailable"


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


# ---- who may see and delete


async def test_a_used_file_is_not_deleted(world: HubWorld) -> None:
    stored = await upload(world)
    use = FileUse(
        file_id=read_file_id(stored["id"]), kind="message", user_id=5, line_id=world.sandbox_line.id
    )
    await world.store.files.use([use])
    refused = await world.api.delete(f"/v1/files/{stored['id']}")
    await world.store.files.release("message", 5, now=0)

    deleted = await world.api.delete(f"/v1/files/{stored['id']}")

    assert (refused.status, refused.code) == (409, "file_in_use")
    assert (deleted.status, deleted.json["deleted"], deleted.json["id"]) == (200, True, stored["id"])
    assert (await world.api.get(f"/v1/files/{stored['id']}")).code == "file_not_found"


async def test_a_key_restricted_to_lines_sees_its_own_uploads_and_what_its_lines_use(world: HubWorld) -> None:
    mine = await world.caller("files:read", "files:write", lines=(world.sandbox_line,))
    theirs = await world.caller("files:read", "files:write", lines=(world.other_line,))
    stored = (await mine.post("/v1/files", b"mine")).json
    path, file_id = f"/v1/files/{stored['id']}", read_file_id(stored["id"])

    async def refused(caller: Caller) -> bool:
        answers = [await caller.get(path), await caller.get(f"/v1/files?id={stored['id']}")]
        return {(each.status, each.code) for each in answers} == {(403, "line_not_accessible")}

    assert (await mine.get(path)).status == 200
    assert (await world.api.get(path)).status == 200
    assert await refused(theirs)
    assert (await theirs.delete(path)).code == "line_not_accessible"
    use = FileUse(file_id=file_id, kind="message", user_id=5, line_id=world.other_line.id)
    await world.store.files.use([use])
    assert (await theirs.get(path)).status == 200


@pytest.mark.parametrize(
    ("id_", "status", "code"),
    [
        ("msg_0000000000000", 400, "invalid_parameter_value"),
        ("file_nonsense", 404, "file_not_found"),
        ("", 400, "invalid_parameter_value"),
    ],
)
async def test_ids_that_name_no_file(world: HubWorld, id_: str, status: int, code: str) -> None:
    answered = await world.api.get(f"/v1/files?id={id_}")

    assert (answered.status, answered.code, answered.param) == (status, code, "id")


async def test_scopes(world: HubWorld) -> None:
    reader, writer = await world.caller("files:read"), await world.caller("files:write")
    stored = await upload(world)

    assert (await reader.post("/v1/files", b"x")).code == "insufficient_scope"
    assert (await reader.post("/v1/files/presign", {})).code == "insufficient_scope"
    assert (await writer.get(f"/v1/files/{stored['id']}")).code == "insufficient_scope"
    assert (await writer.post("/v1/files", b"x")).status == 201
    assert (await reader.get(f"/v1/files/{stored['id']}")).status == 200
