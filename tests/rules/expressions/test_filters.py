"""Every filter does what the reference says, and refuses what it cannot do."""

# ruff: noqa: E501 - in tables, what is written and what comes of it stand side by side

from __future__ import annotations

from typing import Any, Final

import pytest

from hub.rules.expressions.filters.registry import FILTERS, INSTEAD
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.methods import METHODS
from hub.rules.expressions.offered import Example
from hub.rules.expressions.problems import ExpressionError
from tests.rules.expressions.running import NOW, refusal, render

#: facts: routes A2.
OFFERED: Final = (
    "default upper lower title trim replace truncate join split first last length unique sort sum min max round int float string "
    "bool date shift money phone national_digits digits hash base64 urlencode json tojson merge pick omit map_attr where "
    "regex_find escape_html escape_slack escape_markdown"
)

EXAMPLES = [
    pytest.param(example, id=f"{each.name}: {example.expression}")
    for each in FILTERS.values()
    for example in each.examples
]


def test_exactly_the_filters_of_the_design_are_offered() -> None:
    assert sorted(OFFERED.split()) == list(FILTERS)


def test_every_filter_has_an_example() -> None:
    assert [each.name for each in FILTERS.values() if not each.examples] == []


def test_what_is_written_instead_of_others_is_not_offered_itself() -> None:
    assert [name for name in INSTEAD if name in FILTERS] == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_of_the_reference(example: Example) -> None:
    rendered = render("{{ " + example.expression + " }}")

    assert (example.gives, type(example.gives)) == (rendered, type(rendered))


EVENT = {
    "text": "hi",
    "n": 3,
    "half": 2.5,
    "flag": True,
    "nothing": None,
    "tags": ["b", "a"],
    "map": {"k": 1},
}
CORNERS: list[tuple[str, Any]] = [
    # kinds survive
    ("event.flag | default(false)", True),
    ("false | default(true)", False),
    ("0 | default(5)", 0),
    ("0 | default(5, true)", 5),
    ("event.missing | default(event.also_missing) | default('x')", "x"),
    ("event.n | default(event.missing)", 3),
    # text
    ("'ab' | replace('b', 'bb') | replace('b', 'b')", "abb"),
    ("'aaa' | replace('a', '', 2)", "a"),
    ("'👨‍👩‍👧 family' | truncate(2, '')", "👨"),
    ("'abc' | truncate(0)", ""),
    ("'abcdef' | truncate(2, '...')", ".."),
    ("'' | split(',')", [""]),
    ("'' | split", []),
    ("[] | join(',')", ""),
    ("[true, 2.0, 'x'] | join('-')", "true-2-x"),
    ("'a+b' | regex_find('[a-z]\\+[a-z]')", "a+b"),
    ("'Ünïcode 42' | regex_find('\\d+')", "42"),
    # numbers
    ("'-12' | int", -12),
    ("'+12' | int", 12),
    ("12.9 | int", 12),
    ("'1e3' | float", 1000.0),
    ("'12.7' | int(0)", 0),
    ("event.nothing | int(0)", 0),
    ("1 | bool", True),
    ("'OFF' | bool", False),
    ("3 | round(2)", 3),
    ("0.5 | round", 1),
    ("[0.1, 0.2] | sum | round(2)", 0.3),
    ("[] | sum", 0),
    ("[] | max", None),
    ("['b', 'a'] | min", "a"),
    ("-1234567.891 | money('USD')", "-$1,234,567.89"),
    ("0.005 | money('EUR')", "€0.01"),
    ("2.675 | money('chf')", "2.68 CHF"),
    # lists
    ("[1, 1.0, true, '1'] | unique", [1, True, "1"]),
    ("[[1], [1], {'a': [1]}, {'a': [1]}] | unique", [[1], {"a": [1]}]),
    ("[{'a': {'b': 1}}] | map_attr('a.b')", [1]),
    ("[[1, 2]] | map_attr('1')", [2]),
    ("[{'a': 1}, {'a': true}] | where('a', 1)", [{"a": 1}]),
    ("[{'a': none}] | where('a', none)", [{"a": None}]),
    ("event.tags | sort | first", "a"),
    ("'abc' | last", "c"),
    # times
    ("0 | date('%Y')", "1970"),
    ("1785881400 | date('%H:%M')", "22:10"),
    ("1785881400 | shift('+1h')", 1785885000),
    ("'2026-08-04' | date('%H:%M %Z', 'America/Los_Angeles')", "00:00 PDT"),
    ("'2026-08-04T22:10:00+02:00' | date('%H:%M')", "20:10"),
    ("'2026-03-28T12:00:00Z' | shift('+24h', 'Europe/Berlin')", "2026-03-29T12:00:00.000Z"),
    ("'2026-03-28T12:00:00Z' | shift('+1d', 'Europe/Berlin')", "2026-03-29T11:00:00.000Z"),
    ("'2026-08-04T00:00:00Z' | shift('-1w2h')", "2026-07-27T22:00:00.000Z"),
    ("'2026-08-04T00:05:09.123Z' | date('%-d.%-m.%y %-I:%M:%S.%f %p %a %b %j %u %z %%')", None),
    # spellings
    ("'+49 171 2345678' | phone('international')", "+49 171 2345678"),
    ("'٠١٢' | digits", "012"),
    ("'a' | hash", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("3 | urlencode", "3"),
    ("'\"x\"' | json", "x"),
    ("event.map | tojson", '{"k":1}'),
    ("'a.b!' | escape_markdown", "a\\.b\\!"),
    ('"it\'s" | escape_html', "it&#39;s"),
]
CORNERS = [
    (source, "4.8.26 12:05:09.123 AM Tue Aug 216 2 +0000 %" if "%-I:%M:%S.%f" in source else gives)
    for source, gives in CORNERS
]


@pytest.mark.parametrize(("source", "gives"), CORNERS, ids=[source for source, _ in CORNERS])
def test_corners(source: str, gives: object) -> None:
    rendered = render("{{ " + source + " }}", {"event": EVENT})

    assert (gives, type(gives)) == (rendered, type(rendered))


REFUSED_AT_LOAD = [
    ("'x' | regex_find('(')", "20: '(' is no regular expression that can be used here: missing ): (. Write it in the "
     "syntax of RE2, without look-around (?=…) and back-references \\1."),
    ("'x' | regex_find(event.text)", "25: pattern of regex_find is worked out: it is looked at when the route is loaded. "
     "Write it out in quotes."),
    ("event.at | date('%Q')", None),
    ("event.at | date('%Y', 'Europe/Berlim')", "25: 'Europe/Berlim' is no time zone: zones have the names of the IANA "
     "database. Did you mean Europe/Berlin?"),
    ("event.at | shift('2h')", "20: '2h' says not by how much to shift: it is a sign, numbers and units. Write for instance "
     "'+2h', '-30m', '+1d12h' or '+2w'."),
    ("event.n | money('USF')", "19: 'USF' is no currency: currencies are three letters of ISO 4217. Write for instance USD."),
    ("event.text | hash('sha265')", "21: 'sha265' is no digest: known are md5, sha1, sha256, sha512. Did you mean sha256?"),
    ("event.text | phone('E164')", "22: 'E164' is no form of a phone number: known are e164, national, international. "
     "Did you mean e164?"),
    ("event.text | phone('e164', 'UK')", "30: 'UK' is no region: a region is two letters of ISO 3166, such as DE or US. "
     "Write one of those two letters."),
    ("event.text | truncate", "16: truncate lacks length: it cannot do without. It takes length, end."),
    ("event.text | truncate('9')", '25: length of truncate is text ("9"): it is a number. Write a number there.'),
    ("event.text | truncate(9, killwords=true)", "16: truncate takes no killwords: more is given than it knows. "
     "It takes length, end."),
    ("event.text | upper(1)", "16: upper takes no 1 arguments: more is given than it knows. It takes nothing."),
    ("event.text | uper", "16: there is no filter uper: it is not among those offered. Did you mean upper?"),
    ("event.text | selectattr('a')", "16: there is no filter selectattr: it is not among those offered. Write "
     "where('field', value)."),
    ("event.text | replace('', 'x')", "24: the empty text is searched: it is everywhere. Write the text that is searched."),
    ("12 | upper", "8: upper is given a number (12): it takes text. Make it text before: … | string | upper."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "told"), REFUSED_AT_LOAD, ids=[source for source, _ in REFUSED_AT_LOAD])
def test_wrong_arguments_are_told_when_the_route_is_loaded(source: str, told: str | None) -> None:
    problem = refusal("{{ " + source + " }}")

    if told is None:
        assert problem.startswith("19: %Q means nothing: known are %% %A %B")
    else:
        assert told == problem


REFUSED_AT_RUN = [
    ("event.n | upper", "upper is given a number (3): it takes text. Make it text before: … | string | upper."),
    ("event.nothing | upper", "upper is given null: it takes text. Say what to take instead of null before: "
     "… | default('') | upper."),
    ("event.tags | upper", "upper is given a list: it takes text. Take one of its items with first, last or [0]."),
    ("event.text | int", 'int is given text ("hi"): it takes a whole number such as 12. Write … | float | int to cut '
     "decimals off, or say what to take instead: int(none)."),
    ("event.tags | sum", 'sum meets text ("b"): only numbers can be added up. Name the field of the items that is a number: '
     "sum('amount')."),
    ("['a', 1] | sort", "a list is put in order that holds a number (1): items are compared as texts or as numbers, all of "
     "them alike. Name a field that all items have: sort('name')."),
    ("[event.map] | map_attr('x')", "an item has no x: it has k. Leave such items out before: … | where('x', …), or use "
     "map_attr('x', 'instead')."),
    ("event.text | date", 'text ("hi") is no time: a time is text such as 2026-08-04T22:10:00Z, or Unix seconds or '
     "milliseconds. Bring it into that form, for instance with regex_find and ~."),
    ("'2026-08-04T10:00' | date", 'text ("2026-08-04T10:00") does not say in which time zone it is: the hour alone is another '
     "instant in each zone. Put Z (for UTC) or an offset after it: (… ~ 'Z') | date."),
    ("1e17 | date", "this time is outside of the calendar: years go from 1 to 9999. Check whether it is seconds or "
     "milliseconds."),
    ("event.text | phone", 'text ("hi") is no phone number: it is not a phone number. Write phone(\'e164\', \'US\') if it is a '
     "national number of a region."),
    ("event.text | json", 'json is given text ("hi"): it reads JSON, and this is none. Write tojson to make JSON of a value.'),
    ("event.tags | join(event.n)", "separator of join is a number (3): it is text. Write text there."),
    ("[none] | join", 'null is put into text: it would be written as the word "null", which nobody wants to read. Say what to '
     "write instead: … | default('')."),
    ("event.text | truncate(-1 * event.n)", "length is -3: it is a whole number from 0. Write one, such as 3."),
    ("event.text | regex_find('h(i)', 2)", "group 2 is asked for: the pattern has 1. Put into ( ) what you want of it."),
]  # fmt: skip


@pytest.mark.parametrize(("source", "told"), REFUSED_AT_RUN, ids=[source for source, _ in REFUSED_AT_RUN])
def test_wrong_values_are_told_when_it_runs(source: str, told: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        render("{{ " + source + " }}", {"event": EVENT})

    assert told == str(caught.value)


def test_dates_take_the_zone_of_the_route_where_they_name_none() -> None:
    berlin = Surroundings(now_ms=NOW.now_ms, timezone="Europe/Berlin")

    assert render("{{ now() | date('%H:%M %Z') }}", surroundings=berlin) == "00:10 CEST"


ARGUMENTS = {
    "count": ("a",),
    "endswith": ("a",),
    "find": ("a",),
    "replace": ("a", "x"),
    "startswith": (" a",),
}
SUBJECT = " aB\nc d'a"


@pytest.mark.parametrize("name", sorted(METHODS))
def test_methods_of_texts_do_what_pythons_do(name: str) -> None:
    given = ARGUMENTS.get(name, ())
    written = ", ".join(f"'{each}'" for each in given)
    expected = " Ab\nc D'a" if name == "title" else getattr(SUBJECT, name)(*given)

    assert render(f"{{{{ event.text.{name}({written}) }}}}", {"event": {"text": SUBJECT}}) == expected
