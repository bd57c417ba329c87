"""Attachments of simulated contacts are what they say they are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bridge.sandbox.attachments import SIMULATED, attachment_part, open_simulated, take_files
from hub.files.sniffing import look_at
from hub.flow.ports import OutgoingFile
from hub.model.errors import AttachmentGone, StoreUnavailable
from hub.model.observation import Part
from hub.rules.media_types import settle_type


async def content(ref: str) -> bytes:
    return b"".join([piece async for piece in open_simulated(ref)])


@pytest.mark.parametrize("name", sorted(set(SIMULATED) - {"missing"}))
async def test_an_attachment_has_the_type_and_size_that_its_part_tells(name: str) -> None:
    part = attachment_part(name)
    assert part.ref is not None

    whole = await content(part.ref)

    assert len(whole) == part.size
    assert settle_type(part.mime_type, look_at(whole, part.filename)) == part.mime_type
    assert settle_type(None, look_at(whole, part.filename)) == part.mime_type
    assert await content(part.ref) == whole


@pytest.mark.parametrize("ref", ["sandbox:missing", "sandbox:unheard-of", "photo", ""])
async def test_what_is_not_there_is_gone(ref: str) -> None:
    with pytest.raises(AttachmentGone):
        await content(ref)


class Shelf:
    """Files as the worker gives them to bridges; what it raises is written beside the id."""

    def __init__(self, files: dict[str, bytes | Exception]) -> None:
        self._files = files

    async def open_file(self, file_id: str) -> OutgoingFile:
        content = self._files[file_id]
        if isinstance(content, Exception):
            raise content
        return OutgoingFile(filename=None, mime_type="text/plain", size=len(content), chunks=_pieces(content))


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (b"x", None),
        (AttachmentGone("not here"), "file_unavailable"),
        (StoreUnavailable("disk full"), "files_away"),
    ],
)
async def test_what_is_sent_is_read_as_a_network_would(found: bytes | Exception, code: str | None) -> None:
    parts = [Part(type="text", text="x"), Part(type="attachment", ref="file_1"), attachment_part("photo")]

    outcome = await take_files(Shelf({"file_1": found}), parts)

    assert (outcome and outcome.code) == code
    assert outcome is None or outcome.is_retry_safe == (code == "files_away")
