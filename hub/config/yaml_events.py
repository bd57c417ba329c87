"""The events of a YAML text, by libyaml where it is there: it reads a text in a tenth of the time.

Its twin in Python is the one that decides. libyaml reads a few odd texts otherwise; these, and all in which it finds a
mistake, are left to the twin, whose messages and places people see. A test reads the same texts with both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import yaml

try:
    from yaml import CSafeLoader as _Quick
except ImportError:  # PyYAML was built without libyaml
    _Quick = None  # type: ignore[assignment,misc]  # asked below

#: What both may read otherwise (PyYAML 6.0.3, libyaml 0.2.5): tabs; ends of lines that are none to `str.split`; marks
#: of byte order; directives; tags; a comment that touches the sign of a block.
_ODD: Final = re.compile(r"[\t\r\x85\u2028\u2029\ufeff]|^%|(?:^|[\s\[{,:-])!|[|>]\S*#", re.MULTILINE)
#: More are left to the one that can be stopped.
_MOST_EVENTS: Final = 60_000
#: libyaml looks at every open bracket again for each sign: ten seconds for a file of brackets.
_DEEPEST: Final = 64


def events_of(text: str) -> Iterable[yaml.Event]:
    """Give the events of a text.

    Raises:
        yaml.YAMLError: While they are taken: the text is no YAML.
        ValueError: While they are taken: an escape or a version stands for nothing.
    """
    found = quick_events(text)
    return yaml.parse(text, Loader=yaml.SafeLoader) if found is None else found


def quick_events(text: str) -> list[yaml.Event] | None:
    """Give the events by libyaml; None where it is not there, or where its twin might read the text otherwise."""
    # Without an end of its last line, libyaml has the text end on the next one.
    if _Quick is None or not text.endswith("\n") or _ODD.search(text):
        return None
    found: list[yaml.Event] = []
    #: How many brackets are open.
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_Quick):
            match event:
                case yaml.ScalarEvent():
                    event.style = event.style or None  # "" for plain, there alone
                    if depth and event.style is None and _is_odd_in_brackets(event.value):
                        return None
                case yaml.CollectionStartEvent():
                    depth += 1 if depth or event.flow_style else 0
                    if depth > _DEEPEST:
                        return None
                case yaml.CollectionEndEvent():
                    depth -= 1 if depth else 0
            found.append(event)
            if len(found) > _MOST_EVENTS:
                return None
    except (yaml.YAMLError, ValueError, OverflowError):
        return None
    return found


def _is_odd_in_brackets(value: Any) -> bool:
    """Tell whether a plain value in brackets is one that both read otherwise: a question, or nothing at all."""
    return not value or "?" in value
