"""Filters that spell a value for somebody else: numbers of phones, JSON, URLs, digests, chat services."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import quote

from hub.rules.expressions.frame import Frame
from hub.rules.expressions.limits import PHONE_LOOKUP
from hub.rules.expressions.offered import (
    ANY,
    BOOLEAN,
    MAP,
    NULL,
    NUMBER,
    TEXT,
    Example,
    Filter,
    Parameter,
    table,
)
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import as_text, bounded, described, legible, measure
from hub.rules.jsonguard import DEFAULT_MAX_DEPTH
from hub.rules.phone_numbers import LONGEST_NUMBER, NumberFacts, check_region, look_up
from hub.rules.problems import Problem, suggestion

_PHONE_FORMS: Final = ("e164", "national", "international")
_DIGESTS: Final[dict[str, Callable[[bytes], Any]]] = {
    # MD5 and SHA-1 are what Gravatar, Mailchimp and ad services ask for; they protect nothing here.
    "md5": lambda data: hashlib.md5(data, usedforsecurity=False),
    "sha1": lambda data: hashlib.sha1(data, usedforsecurity=False),
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
}
_HTML: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_SLACK: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARKDOWN: Final = {sign: f"\\{sign}" for sign in "\\`*_{}[]()#+-.!|>~<="}
_BRACKET: Final = re.compile(r"[\[\]{}]")
#: Possessive, and at home with a text that does not end: nothing is looked at twice.
_JSON_TEXT: Final = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_UNWRITABLE: Final = re.compile(r"[\x00\ud800-\udfff]")


def phone(frame: Frame, value: str, form: str, region: str | None) -> str:
    check_form(form)
    facts = _looked_up(frame, value, None if region is None else known_region(region))
    spelled = {"e164": facts.e164, "national": facts.national, "international": facts.international}[form]
    if spelled is None or not facts.possible:
        raise _no_phone(value, facts)
    return spelled


def national_digits(frame: Frame, value: str) -> str:
    facts = _looked_up(frame, value, None)
    if facts.national_number is None or not facts.possible:
        raise _no_phone(value, facts)
    return facts.national_number


def _looked_up(frame: Frame, value: str, region: str | None) -> NumberFacts:
    frame.spend(PHONE_LOOKUP)
    return look_up(value[: LONGEST_NUMBER + 1], region=region)


def _no_phone(value: str, facts: NumberFacts) -> Refused:
    return Refused(
        what=f"{described(value)} is no phone number",
        why=(facts.reason or "it cannot be one").rstrip(".").replace("It ", "it ", 1),
        fix="Write phone('e164', 'US') if it is a national number of a region",
    )


def check_form(form: str) -> None:
    """Refuse a form of phone numbers that there is not."""
    _one_of(form, _PHONE_FORMS, "form of a phone number")


def known_region(region: str) -> str:
    """Give a region's two letters, or refuse it."""
    found = check_region(region)
    if isinstance(found, Problem):
        raise Refused(what=found.what, why=found.why, fix=found.fix)
    return found


def digits(frame: Frame, value: str) -> str:
    frame.spend(1 + len(value))
    return "".join(str(int(each)) for each in value if each.isdecimal())


def digest(frame: Frame, value: str, algorithm: str) -> str:
    check_algorithm(algorithm)
    frame.spend_on_text(value)
    digested: str = _DIGESTS[algorithm](_octets(value)).hexdigest()
    return digested


def check_algorithm(algorithm: str) -> None:
    """Refuse a digest that there is not."""
    _one_of(algorithm, tuple(_DIGESTS), "digest")


def _one_of(word: str, known: tuple[str, ...], noun: str) -> None:
    if word not in known:
        meant = suggestion(word, known)
        raise Refused(
            what=f"'{legible(word)}' is no {noun}",
            why=f"known are {', '.join(known)}",
            fix=f"Did you mean {meant}" if meant else f"Write {known[0]}",
        )


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def to_base64(frame: Frame, value: str) -> str:
    frame.spend_on_text(value)
    return bounded(base64.b64encode(_octets(value)).decode())


def urlencode(frame: Frame, value: object) -> str:
    if isinstance(value, dict):
        frame.spend_on_items(len(value))
        return bounded(
            "&".join(f"{_quoted(frame, key)}={_quoted(frame, each)}" for key, each in value.items())
        )
    return bounded(_quoted(frame, value))


def _quoted(frame: Frame, value: object) -> str:
    text = bounded(as_text(value))
    frame.spend(len(text))
    return quote(_octets(text), safe="")


def read_json(frame: Frame, value: str) -> object:
    frame.spend(1 + len(value))
    if _depth(bounded(value)) > DEFAULT_MAX_DEPTH:
        raise Refused(
            what="this JSON is nested too deep", why="32 levels are allowed", fix="Take it apart before"
        )
    try:
        found: object = json.loads(value, parse_constant=_no_constant, parse_float=_finite)
        if "\\u" in value and any(_UNWRITABLE.search(text) for text in _texts(found)):
            raise ValueError("a character that no text may have")
    except ValueError:
        raise Refused(
            what=f"json is given {described(value)}",
            why="it reads JSON, and this is none",
            fix="Write tojson to make JSON of a value",
        ) from None
    return found


def _texts(value: object) -> Iterator[str]:
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, list):
            left += each
        elif isinstance(each, dict):
            left += (*each, *each.values())


def _depth(text: str) -> int:
    """Give the nesting of brackets outside of texts."""
    deepest = depth = 0
    for found in _BRACKET.finditer(_JSON_TEXT.sub("", text)):
        depth += 1 if found[0] in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(text)
    return value


def to_json(frame: Frame, value: object) -> str:
    measure(value, frame)
    measure(value, frame)
    try:
        return bounded(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    except ValueError:  # a number that is none, or with thousands of digits
        raise Refused(
            what="a number in it cannot be written",
            why="JSON has no infinity, and no numbers with thousands of digits",
            fix="Leave it out with omit",
        ) from None


def _escaper(table_of: dict[str, str]) -> Callable[[Frame, str], str]:
    translation = str.maketrans(table_of)

    def escape(frame: Frame, value: str) -> str:
        frame.spend(1 + len(value) // 2)
        return bounded(bounded(value).translate(translation))

    return escape


FILTERS = table(
    Filter(
        name="base64",
        summary="Spells the UTF-8 of a text in base64.",
        takes=TEXT,
        gives=TEXT,
        apply=to_base64,
        examples=(Example(expression="'user:pass' | base64", gives="dXNlcjpwYXNz"),),
    ),
    Filter(
        name="digits",
        summary="Keeps the decimal digits of a text, written 0 to 9.",
        takes=TEXT,
        gives=TEXT,
        apply=digits,
        examples=(Example(expression="'+1 (415) 555-0123' | digits", gives="14155550123"),),
    ),
    Filter(
        name="escape_html",
        summary="Makes text that HTML shows as it is: `& < > \" '` are spelled as entities.",
        takes=TEXT,
        gives=TEXT,
        apply=_escaper(_HTML),
        examples=(
            Example(expression="'<b>Tom & Co</b>' | escape_html", gives="&lt;b&gt;Tom &amp; Co&lt;/b&gt;"),
        ),
    ),
    Filter(
        name="escape_markdown",
        summary="Puts a backslash before every sign that Markdown, or Telegram's MarkdownV2, might read.",
        takes=TEXT,
        gives=TEXT,
        apply=_escaper(_MARKDOWN),
        examples=(Example(expression="'2*3 = [six]' | escape_markdown", gives="2\\*3 \\= \\[six\\]"),),
    ),
    Filter(
        name="escape_slack",
        summary="Makes text that Slack shows as it is: `& < >` are spelled as entities, so that `<!channel>` calls "
        "nobody.",
        takes=TEXT,
        gives=TEXT,
        apply=_escaper(_SLACK),
        examples=(Example(expression="'<!channel> R&D' | escape_slack", gives="&lt;!channel&gt; R&amp;D"),),
    ),
    Filter(
        name="hash",
        summary="Gives the digest of a text's UTF-8 in hexadecimal: sha256, sha512, sha1 or md5. It proves nothing, "
        "as there is no secret.",
        takes=TEXT,
        gives=TEXT,
        apply=digest,
        parameters=(Parameter(name="algorithm", takes=TEXT, default="sha256", check=check_algorithm),),
        examples=(Example(expression="'a' | hash('md5')", gives="0cc175b9c0f1b6a831c399e269772661"),),
    ),
    Filter(
        name="json",
        summary="Reads a text that is JSON. Numbers beyond all bounds and nesting beyond 32 levels are refused.",
        takes=TEXT,
        gives=ANY,
        apply=read_json,
        examples=(Example(expression='(\'{"a": [1, "+1"]}\' | json).a', gives=[1, "+1"]),),
    ),
    Filter(
        name="national_digits",
        summary="Gives the digits of a phone number without country code, as CRMs index it.",
        takes=TEXT,
        gives=TEXT,
        apply=national_digits,
        examples=(Example(expression="'+14155550123' | national_digits", gives="4155550123"),),
    ),
    Filter(
        name="phone",
        summary="Spells a phone number by the numbering plans: `e164`, `national` or `international`. A number "
        "without country code needs its "
        "region, two letters of ISO 3166. What can be no phone number is an error.",
        takes=TEXT,
        gives=TEXT,
        apply=phone,
        parameters=(
            Parameter(name="form", takes=TEXT, default="e164", check=check_form),
            Parameter(
                name="region",
                takes=TEXT | NULL,
                default=None,
                check=lambda region: None if region is None else known_region(region),
            ),
        ),
        examples=(
            Example(expression="'+1 (415) 555-0123' | phone", gives="+14155550123"),
            Example(expression="'+14155550123' | phone('national')", gives="(415) 555-0123"),
            Example(expression="'0171 2345678' | phone('e164', 'DE')", gives="+491712345678"),
        ),
    ),
    Filter(
        name="tojson",
        summary="Writes any value as JSON, without blanks, with all characters as they are.",
        takes=ANY,
        gives=TEXT,
        apply=to_json,
        examples=(Example(expression="{'a': [1, none, 'é']} | tojson", gives='{"a":[1,null,"é"]}'),),
    ),
    Filter(
        name="urlencode",
        summary="Spells a value for a URL, with every sign but letters, digits and `_.-~` as %XX; a map becomes "
        "`a=1&b=2`.",
        takes=TEXT | NUMBER | BOOLEAN | MAP,
        gives=TEXT,
        apply=urlencode,
        examples=(
            Example(expression="'a b/ü' | urlencode", gives="a%20b%2F%C3%BC"),
            Example(expression="{'q': 'a b', 'n': 2} | urlencode", gives="q=a%20b&n=2"),
        ),
    ),
)
