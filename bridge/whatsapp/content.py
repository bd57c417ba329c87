"""What a contact wrote, as the parts of a message: one reader for each type. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bridge.taming import id_in, list_in, mapping_in, tame
from hub.model.observation import Part

Content = Mapping[str, Any]
_MOST_CARDS: Final = 20


def parts_of(message: Content) -> tuple[Part, ...]:
    """Give the parts; none for a type that WhatsApp itself calls unsupported, or that nobody has met."""
    kind = tame(message.get("type"), 64) or ""
    reader = _READERS.get(kind)
    return () if reader is None else reader(mapping_in(message.get(kind)), message, kind)


def _words(*texts: str | None) -> tuple[Part, ...]:
    joined = "\n".join(text for text in texts if text)
    return (Part(type="text", text=joined),) if joined else ()


def _text(content: Content, message: Content, kind: str) -> tuple[Part, ...]:
    return _words(tame(content.get("body")))


def _button(content: Content, message: Content, kind: str) -> tuple[Part, ...]:
    return _words(tame(content.get("text")))


def _interactive(content: Content, message: Content, kind: str) -> tuple[Part, ...]:
    chosen = next(
        (
            mapping_in(content.get(name))
            for name in ("button_reply", "list_reply", "nfm_reply")
            if content.get(name)
        ),
        {},
    )
    return _words(tame(chosen.get("title")) or tame(chosen.get("body")) or tame(chosen.get("name")))


def _file(content: Content, message: Content, kind: str) -> tuple[Part, ...]:
    """Name a file by Meta's id; its bytes are there for some days to who knows the token."""
    media_id = id_in(content.get("id"))
    caption = _words(tame(content.get("caption")))
    if media_id is None:
        return caption
    part = Part(
        type={"audio": "audio", "sticker": "sticker"}.get(kind, "attachment"),  # type: ignore[arg-type]  # of three
        ref=media_id,
        filename=tame(content.get("filename"), 1024),
        mime_type=(tame(content.get("mime_type"), 255) or "").partition(";")[0].strip() or None,
    )
    return (part, *caption)


def _location(content: Content, message: Content, kind: str) -> tuple[Part, ...]:
    latitude, longitude = content.get("latitude"), content.get("longitude")
    is_place = all(isinstance(each, (int, float)) and abs(each) <= 180 for each in (latitude, longitude))
    place = f"{latitude}, {longitude}" if is_place else None
    return _words(tame(content.get("name"), 1024), tame(content.get("address"), 1024), place)


def _contacts(content: Content, message: Content, kind: str) -> tuple[Part, ...]:
    lines = []
    for each in map(mapping_in, list_in(message.get("contacts"))[:_MOST_CARDS]):
        numbers = [tame(mapping_in(phone).get("phone"), 64) for phone in list_in(each.get("phones"))[:5]]
        name = tame(mapping_in(each.get("name")).get("formatted_name"), 256)
        lines.append(" ".join(text for text in (name, *numbers) if text))
    return _words(*lines)


def _order(content: Content, message: Content, kind: str) -> tuple[Part, ...]:
    items = [mapping_in(each) for each in list_in(content.get("product_items"))[:50]]
    lines = [
        f"{tame(each.get('quantity'), 9) or '?'} x {tame(each.get('product_retailer_id'), 128) or '?'}"
        for each in items
    ]
    return _words(tame(content.get("text")), *lines)


_READERS: Final[dict[str, Callable[[Content, Content, str], tuple[Part, ...]]]] = {
    "audio": _file,
    "button": _button,
    "contacts": _contacts,
    "document": _file,
    "image": _file,
    "interactive": _interactive,
    "location": _location,
    "order": _order,
    "sticker": _file,
    "text": _text,
    "video": _file,
}
