"""Check the custom headers of a webhook, and mask their values where people see them.

A custom header may carry a receiver's token; it may not break the request apart, change how the message is
framed, or speak in our name. Names are compared as gateways do that turn `-` into `_`: otherwise
`webhook_signature` could stand in for `webhook-signature` behind one of them.
"""

import re
from collections.abc import Mapping
from typing import Final

from hub.rules.problems import Problem

MOST_HEADERS: Final = 20
LONGEST_NAME: Final = 100
LONGEST_VALUE: Final = 4096
MOST_BYTES: Final = 8192

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
#: Visible ASCII and the visible half of Latin-1, with blanks and tabs inside but not at the ends (RFC 9110 §5.5).
_VALUE: Final = re.compile(r"(?:[!-~\xa1-\xff](?:[ -~\t\xa0-\xff]*[!-~\xa1-\xff])?)?")
_OURS: Final = "Hub signs and describes the request with it"
_FRAMING: Final = "it decides how the request is framed or routed"
#: Alphabetical.
_RESERVED_NAMES: Final = {
    "accept-encoding": "answers are read as they are, never unpacked",
    "connection": _FRAMING,
    "content-encoding": "the body is sent as it was signed",
    "content-length": _FRAMING,
    "content-type": "the body is always JSON",
    "date": _OURS,
    "expect": _FRAMING,
    "host": _FRAMING,
    "http2-settings": _FRAMING,
    "keep-alive": _FRAMING,
    "te": _FRAMING,
    "trailer": _FRAMING,
    "transfer-encoding": _FRAMING,
    "upgrade": _FRAMING,
    "user-agent": _OURS,
}
_RESERVED_PREFIXES: Final = {"proxy-": _FRAMING, "webhook-": _OURS, "x-webhook-": _OURS}
_MASK: Final = "***"
_SHOWN_START: Final = 4
_SHOWN_FROM_LENGTH: Final = 24


def validate_headers(headers: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with custom headers; empty if they can be sent."""
    if len(headers) > MOST_HEADERS:
        return [
            _problem("", "there are too many headers", f"at most {MOST_HEADERS} are sent", "Leave some out")
        ]
    problems = [problem for name, value in headers.items() if (problem := _header_problem(name, value))]
    seen: dict[str, str] = {}
    for name in headers:
        earlier = seen.setdefault(_folded(name), name)
        if earlier != name:
            what = f"it is the same header as {earlier[:LONGEST_NAME]!r}"
            problems.append(_problem(name, what, "a header is sent once", "Keep one of them"))
    size = sum(len(name) + len(value) for name, value in headers.items())
    if not problems and size > MOST_BYTES:
        why = f"together at most {MOST_BYTES} bytes are sent"
        problems.append(_problem("", f"the headers hold {size} bytes", why, "Shorten them"))
    return problems


def mask_value(value: str) -> str:
    """Return what may be shown of a header's value: at most its start, never its length."""
    return f"{value[:_SHOWN_START]}{_MASK}" if len(value) >= _SHOWN_FROM_LENGTH else _MASK


def _header_problem(name: str, value: str) -> Problem | None:
    if len(name) > LONGEST_NAME or _TOKEN.fullmatch(name) is None:
        why = f"a name has 1 to {LONGEST_NAME} letters, digits or any of !#$%&'*+-.^_`|~"
        return _problem(name[:LONGEST_NAME], "this is not a header name", why, "Write a name like X-Token")
    reserved = _why_reserved(_folded(name))
    if reserved is not None:
        return _problem(name, "this header is reserved", reserved, "Use another name, such as X-Token")
    if len(value) > LONGEST_VALUE:
        why = f"at most {LONGEST_VALUE} characters are sent"
        return _problem(name, f"the value has {len(value)} characters", why, "Shorten it")
    if _VALUE.fullmatch(value) is None:
        why = "it has a control character, a line break, a blank at an end, or a letter outside Latin-1"
        return _problem(name, "the value cannot be sent", why, "Write visible characters only")
    return None


def _why_reserved(folded: str) -> str | None:
    by_prefix = (why for prefix, why in _RESERVED_PREFIXES.items() if folded.startswith(prefix))
    return _RESERVED_NAMES.get(folded) or next(by_prefix, None)


def _folded(name: str) -> str:
    return name.lower().replace("_", "-")


def _problem(name: str, what: str, why: str, fix: str) -> Problem:
    return Problem(pointer=name, what=what, why=why, fix=fix)
