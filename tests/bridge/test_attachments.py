"""Attachments of simulated contacts are what they say they are."""

from __future__ import annotations

import pytest

from bridge.sandbox.attachments import SIMULATED, attachment_part, open_simulated
from hub.files.sniffing import look_at
from hub.model.errors import AttachmentGone
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
