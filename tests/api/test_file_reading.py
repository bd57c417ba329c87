"""Addresses of files: read without a key, in parts, safely, until they expire; and who may see and delete files."""

from __future__ import annotations

import re

import pytest

from hub.flow.file_store import FileUse
from hub.flow.files import read_file_id
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld
from tests.support.uploading import PNG, read, upload

NO_SUCH = "file_0000000000000"


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
