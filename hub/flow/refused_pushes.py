"""What is kept of a bridge's request that the hub answered with an error: the event at fault, or the whole body.

Agents halve a batch that is refused: kept as single events, the halves and the whole are the same payload.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from hub.model.errors import InvalidRequest
from hub.model.refused import Form, Origin, RefusalCode, Refused

_AT_EVENT: Final = re.compile(r"events\[(\d+)\]")
#: As their shapes are judged: anything else that is wrong with a body is not about one event.
_UNKNOWN_KIND: Final = re.compile(r"events\[\d+\]\.kind$")


class _Told(msgspec.Struct):
    events: list[msgspec.Raw]


class _Named(msgspec.Struct):
    kind: str = ""


def of_push(body: bytes, error: InvalidRequest, origin: Origin) -> Refused:
    """Say what is kept of a request that was signed and is wrong.

    Args:
        body: As it came.
        error: What is answered: its param names the event.
        origin: Who posts.
    """
    param, reason = error.param or "", f"{error.param}: {error.message}" if error.param else error.message
    found = _AT_EVENT.match(param)
    if found is None:
        if param == "events":
            return Refused(
                code=RefusalCode.TOO_LARGE, reason=reason, origin=origin, same_as=reason, size=len(body)
            )
        return Refused(code=RefusalCode.UNREADABLE, reason=reason, origin=origin, raw=body)
    raw = _event(body, int(found[1]))
    code = RefusalCode.UNKNOWN_TYPE if _UNKNOWN_KIND.search(param) else RefusalCode.UNSOUND
    return Refused(
        code=code,
        reason=_AT_EVENT.sub("events[…]", reason),
        origin=origin,
        raw=raw,
        form=Form.OBSERVATION,
        event=_kind_of(raw),
    )


def _event(body: bytes, index: int) -> bytes:
    try:
        return bytes(msgspec.json.decode(body, type=_Told).events[index])
    except (msgspec.DecodeError, IndexError):
        return body


def _kind_of(raw: bytes) -> str | None:
    try:
        return msgspec.json.decode(raw, type=_Named).kind or None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
