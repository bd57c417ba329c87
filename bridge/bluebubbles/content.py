"""What a message says, as parts: words, attachments in their places, links. Pure.

`text` comes without the characters that stand for attachments (universalText(true) drops U+FFFC), so order is that of
`attributedBody`, where it was asked for; without it attachments follow the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from bridge.bluebubbles.shapes import JSON, clean, cut, mapping, mappings, number, text
from hub.model.observation import Part

URL_BALLOON: Final = "com.apple.messages.URLBalloonProvider"
_OBJECT: Final = "\ufffc"
_MOST_PARTS: Final = 128
_MOST_TEXT: Final = 65_536
_LINK: Final = re.compile(r"https?://\S{1,4000}", re.IGNORECASE)
_TRANSFER: Final = "__kIMFileTransferGUIDAttributeName"
#: Files that Messages keeps for its own previews.
_HIDDEN: Final = ".pluginPayloadAttachment"

_PREFIX: Final = "com.apple.MobileSMS.expressivesend."
_SCREEN: Final = "com.apple.messages.effect."
#: Our name → Apple's id (bluebubbles-app lib/helpers/types/constants.dart).
EFFECTS: Final[dict[str, str]] = {
    "balloons": _SCREEN + "CKHappyBirthdayEffect",
    "celebration": _SCREEN + "CKSparklesEffect",
    "confetti": _SCREEN + "CKConfettiEffect",
    "echo": _SCREEN + "CKEchoEffect",
    "fireworks": _SCREEN + "CKFireworksEffect",
    "gentle": _PREFIX + "gentle",
    "invisible-ink": _PREFIX + "invisibleink",
    "lasers": _SCREEN + "CKLasersEffect",
    "loud": _PREFIX + "loud",
    "love": _SCREEN + "CKHeartEffect",
    "shooting-star": _SCREEN + "CKShootingStarEffect",
    "slam": _PREFIX + "impact",
    "spotlight": _SCREEN + "CKSpotlightEffect",
}
_EFFECT_NAMES: Final = {apple: name for name, apple in EFFECTS.items()}


def effect_of(of: JSON) -> str | None:
    """Our name of a message's effect; Apple's own where we have none."""
    style = cut(of, "expressiveSendStyleId", most=1024)
    return None if style is None else _EFFECT_NAMES.get(style, style)


def words_of(of: JSON) -> str:
    """All words of a message, without attachments."""
    said = of.get("text")
    if not isinstance(said, str) or not said:
        said = "".join(each for each in _strings(of))
    return clean(said[: _MOST_TEXT * 2]).replace(_OBJECT, "").strip()


def parts_of(of: JSON) -> tuple[Part, ...]:
    """Give what a message says, in order."""
    files = {
        guid: part
        for each in mappings(of.get("attachments"))
        if (part := _file(each, of))
        for guid in (part.ref,)
    }
    placed = tuple(_in_order(of, files))
    if placed:
        return placed[:_MOST_PARTS]
    words = words_of(of)
    parts = [_words(words, of)] if words else []
    if not parts and not files and (app := _app_of(of)) is not None:
        return (Part(type="card", text=app),)
    return (*parts, *files.values())[:_MOST_PARTS]


def _app_of(of: JSON) -> str | None:
    """Name the app that a message without words and files is of: a game, a poll, a payment."""
    bundle = cut(of, "balloonBundleId", most=1024)
    return None if bundle is None or bundle == URL_BALLOON else bundle.rpartition(":")[2] or None


def _in_order(of: JSON, files: dict[str | None, Part]) -> Iterator[Part]:
    """Follow the runs of the attributed body; nothing where they do not name every file."""
    left = dict(files)
    bodies = mappings(of.get("attributedBody"))
    if len(files) == 0 or not bodies:
        return
    parts: list[Part] = []
    for string, runs in ((body.get("string"), mappings(body.get("runs"))) for body in bodies):
        if not isinstance(string, str):
            return
        for run in runs:
            said = _of_run(string.encode("utf-16-le", "replace"), run)
            transfer = mapping(run.get("attributes")).get(_TRANSFER)
            part = left.pop(transfer, None) if isinstance(transfer, str) else None
            if part is not None:
                parts.append(part)
            elif said and parts and parts[-1].type == "text":
                joined = ((parts[-1].text or "") + said)[:_MOST_TEXT]
                parts[-1] = Part(type="text", text=joined)
            elif said:
                parts.append(Part(type="text", text=said))
    if not left:
        yield from (part for part in parts if part.type != "text" or (part.text or "").strip())


def _of_run(string: bytes, run: JSON) -> str:
    """The words of a run; its range counts UTF-16 units."""
    where = run.get("range")
    if not isinstance(where, list) or len(where) != 2 or not all(isinstance(each, int) for each in where):
        return ""
    start, length = max(0, int(where[0])), max(0, int(where[1]))
    piece = string[start * 2 : (start + length) * 2].decode("utf-16-le", "replace")
    return clean(piece[:_MOST_TEXT]).replace(_OBJECT, "")


def _words(words: str, of: JSON) -> Part:
    is_link = _LINK.fullmatch(words) is not None and of.get("balloonBundleId") == URL_BALLOON
    if is_link:
        return Part(type="link", url=words)
    return Part(type="text", text=words[:_MOST_TEXT])


def _file(of: JSON, message: JSON) -> Part | None:
    guid = text(of, "guid", most=512)
    name = cut(of, "transferName", most=1024)
    if guid is None or of.get("hideAttachment") is True or (name or "").endswith(_HIDDEN):
        return None
    mime_type, size = text(of, "mimeType", most=255), number(of, "totalBytes")
    return Part(
        type=_type_of(of, message, mime_type, name),
        ref=guid,
        filename=name,
        mime_type=mime_type,
        size=size if size is not None and 0 <= size <= 2**53 else None,
    )


def _type_of(of: JSON, message: JSON, mime_type: str | None, name: str | None) -> Any:
    if of.get("isSticker") is True:
        return "sticker"
    is_voice = message.get("isAudioMessage") is True or name == "Audio Message.caf"
    return "audio" if is_voice and (mime_type or "audio/").startswith("audio/") else "attachment"


def _strings(of: JSON) -> Iterator[str]:
    for body in mappings(of.get("attributedBody")):
        if isinstance(body.get("string"), str):
            yield body["string"]
