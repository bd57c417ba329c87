"""The text that was signed: a template of {timestamp}, {body}, {method}, {url}, {url_decoded}, {id} and {secret}."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

PLACEHOLDERS: Final = ("body", "id", "method", "secret", "timestamp", "url", "url_decoded")
_PART: Final = re.compile(r"(\{[^{}]*\})")
#: HubSpot signs its URLs with these percent codes decoded (facts: connectors section 6, from memory).
_DECODED: Final = {
    code: chr(int(code[1:], 16))
    for code in ("%3A", "%2F", "%3F", "%40", "%21", "%24", "%27", "%28", "%29", "%2A", "%2C", "%3B")
}
_CODES: Final = re.compile("|".join(_DECODED), re.IGNORECASE)


def read_template(written: object) -> Sequence[str] | str:
    """Read a template into its parts; a text that says what is wrong with it."""
    if not isinstance(written, str) or not written:
        return "it is a text such as {timestamp}.{body}"
    parts = tuple(part for part in _PART.split(written) if part)
    for part in parts:
        if part.startswith("{") and part[1:-1] not in PLACEHOLDERS:
            return f"there is no {part}; there are {', '.join('{' + name + '}' for name in PLACEHOLDERS)}"
        if not part.startswith("{") and ("{" in part or "}" in part):
            return "a brace has no partner"
    if "{body}" not in parts:
        return "without {body} anybody could change the body"
    return parts


def render(parts: Sequence[str], values: Mapping[str, bytes]) -> bytes | None:
    """Make the text; None where a value could be cut in two ways, so that one signature would fit two contents.

    Args:
        parts: As read.
        values: By name of the placeholder.
    """
    made: list[bytes] = []
    for index, part in enumerate(parts):
        if not part.startswith("{"):
            made.append(part.encode())
            continue
        value = values.get(part[1:-1], b"")
        following = parts[index + 1].encode() if index + 1 < len(parts) else b"{"
        is_delimited = part in ("{id}", "{timestamp}") and not following.startswith(b"{")
        if is_delimited and following in value:
            return None
        made.append(value)
    return b"".join(made)


def decoded_url(url: str) -> str:
    """Decode the percent codes that HubSpot decodes before it signs."""
    return _CODES.sub(lambda found: _DECODED[found[0].upper()], url)
