"""What a send of the vendor's holds, as the native surface takes it.

Not here: whom it is for, and the answer (hub.dialects.blooio.sends).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from hub.api.calls import Call
from hub.api.file_shapes import FileReply
from hub.api.message_sends import MOST_PARTS, MOST_TEXTS, TextPart
from hub.dialects.blooio.errors import Refusal, naming
from hub.dialects.native import ask

#: What the vendor calls effects; the network's names are the same.
EFFECTS: Final = frozenset(
    {
        "balloons", "celebration", "confetti", "echo", "fireworks", "gentle", "invisible-ink", "lasers", "loud",
        "love", "slam", "spotlight",
    }
)  # fmt: skip
_ONE_URL: Final = re.compile(r"https?://\S+", re.IGNORECASE)

Address = Annotated[str, Meta(min_length=1, max_length=4096)]
Words = Annotated[str, Meta(min_length=1)]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """How a link is shown; counts only where the text is one link."""

    title: Annotated[str, Meta(max_length=300)] | None = None
    image_url: Annotated[str, Meta(max_length=2048)] | None = None


class NamedUrl(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment, with its name."""

    url: Address
    name: Annotated[str, Meta(max_length=1024)] | None = None


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a message: `text` or `url`."""

    text: Words | None = None
    url: Address | None = None
    name: Annotated[str, Meta(max_length=1024)] | None = None
    mention: str | None = None
    link_preview: Preview | None = None


class ReplyTo(msgspec.Struct, frozen=True, kw_only=True):
    """The message that is answered."""

    message_id: Words | None = None
    guid: Words | None = None
    part_index: Annotated[int, Meta(ge=0, le=100)] = 0


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to send: at least one of `text`, `attachments` and `parts`."""

    text: str | Annotated[tuple[Words, ...], Meta(max_length=MOST_TEXTS)] | None = None
    attachments: Annotated[tuple[Address | NamedUrl, ...], Meta(max_length=MOST_PARTS)] | None = None
    parts: Annotated[tuple[Part, ...], Meta(max_length=MOST_PARTS)] | None = None
    link_preview: Preview | None = None
    from_number: str | None = None
    #: As older docs had it; clients still send it.
    from_number_of_old: str | None = msgspec.field(name="fromNumber", default=None)
    use_typing_indicator: bool | None = None
    share_contact: bool | None = None
    effect: Annotated[str, Meta(max_length=64)] | None = None
    reply_to: ReplyTo | None = None
    metadata: dict[str, Any] | None = None

    @property
    def is_fan_out(self) -> bool:
        """Whether it makes several messages."""
        return isinstance(self.text, tuple) or self.is_batch

    @property
    def is_batch(self) -> bool:
        """Whether each part is a link of its own, and a message of its own."""
        return any(part.link_preview is not None for part in self.parts or ())

    @property
    def has_words(self) -> bool:
        """Whether anything but attachments is said."""
        return bool(self.text) or any(part.text for part in self.parts or ())


def check(body: NewMessage) -> None:
    """Refuse what cannot be one send.

    Raises:
        Refusal: 400.
    """
    if not (body.text or body.attachments or body.parts):
        raise Refusal(400, "text or attachments is required", field="text")
    if body.parts and (body.text or body.attachments):
        raise Refusal(400, "'parts' stand alone: put the text and the attachments into them.", field="parts")
    if isinstance(body.text, tuple) and body.attachments:
        message = "A list of texts takes no attachments: give one text with them, or send them in 'parts'."
        raise Refusal(400, message, field="attachments")
    for place, part in enumerate(body.parts or ()):
        _check_part(part, f"parts[{place}]", is_batch=body.is_batch)
    effect = read_effect(body.effect)
    if effect is not None and body.parts:
        raise Refusal(400, "'effect' does not go together with 'parts'.", field="effect")
    if body.reply_to is not None and body.is_fan_out:
        message = "Several messages at once cannot answer one: send them one by one."
        raise Refusal(400, message, code="reply_target_not_supported", field="reply_to")


def _check_part(part: Part, field: str, *, is_batch: bool) -> None:
    if (part.text is None) == (part.url is None):
        raise Refusal(400, "A part has either 'text' or 'url'.", field=field)
    if part.mention is not None and part.text is None:
        raise Refusal(400, "'mention' goes with 'text'.", field=f"{field}.mention")
    if is_batch and not _ONE_URL.fullmatch((part.text or "").strip()):
        message = "With 'link_preview' in any part, each part must be a text that is one URL."
        raise Refusal(400, message, field=f"{field}.text")


def read_effect(text: str | None) -> str | None:
    """Read an effect: case does not matter, blanks are dashes, `none` is none.

    Raises:
        Refusal: 400.
    """
    effect = "-".join((text or "").lower().split())
    if effect in ("", "none"):
        return None
    if effect not in EFFECTS:
        raise Refusal(400, f"'effect' must be one of {', '.join(sorted(EFFECTS))} or none.", field="effect")
    return effect


async def native_content(call: Call[Any, Any], body: NewMessage) -> dict[str, Any]:
    """Give the content of the native send; addresses are fetched, and become files."""
    effect = read_effect(body.effect)
    more: dict[str, Any] = {} if effect is None else {"effect": effect}
    if body.metadata:
        more["metadata"] = body.metadata
    if body.is_batch:
        return {**more, "texts": [_linked(part) for part in body.parts or ()]}
    if body.parts:
        return {
            **more,
            "parts": [await _part(call, part, f"parts[{n}]") for n, part in enumerate(body.parts)],
        }
    if isinstance(body.text, tuple):
        return {**more, "texts": list(body.text)}
    files = await _files(call, body.attachments or ())
    if len(files) > 1:
        words = [{"type": "text", "text": body.text}] if body.text else []
        return {**more, "parts": [*words, *({"type": "attachment", "file_id": each} for each in files)]}
    if body.text:
        more["text"] = body.text
        if body.link_preview is not None and not files and _ONE_URL.fullmatch(body.text.strip()):
            more["link_preview"] = _preview(body.link_preview, body.text.strip())
    return {**more, "attachments": files}


def _linked(part: Part) -> Any:
    """Give a part of a batch of links as one of several native texts."""
    text = (part.text or "").strip()
    return {"text": text, "link_preview": _preview(part.link_preview or Preview(), text)}


def _preview(preview: Preview, url: str) -> dict[str, Any]:
    title = (preview.title or "").strip() or urlsplit(url).hostname or url[:300]
    return {"title": title, "url": url, "image_url": preview.image_url or None}


async def _part(call: Call[Any, Any], part: Part, field: str) -> dict[str, Any]:
    if part.text is not None:
        words = TextPart(text=part.text, mention=part.mention)
        return {"type": "text", **msgspec.to_builtins(msgspec.structs.asdict(words))}
    return {"type": "attachment", "file_id": await _fetched(call, part.url or "", part.name, f"{field}.url")}


async def _files(call: Call[Any, Any], named: Sequence[str | NamedUrl]) -> list[str]:
    files = []
    for place, each in enumerate(named):
        url, name = (each, None) if isinstance(each, str) else (each.url, each.name)
        files.append(await _fetched(call, url, name, f"attachments[{place}]"))
    return files


async def _fetched(call: Call[Any, Any], url: str, name: str | None, field: str) -> str:
    body = {"url": url} if not name else {"url": url, "filename": name}
    with naming(url=field, filename=field):
        return (await ask(call, "fetch_file", FileReply, body=body)).content.id
