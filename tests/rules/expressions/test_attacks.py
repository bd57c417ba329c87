"""Nothing leads out of an expression, and nothing it does takes long: the tables in attacks/, one test a row."""

from __future__ import annotations

import time
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hub.rules.expressions.frame import Frame
from hub.rules.expressions.limits import LONGEST_SOURCE
from hub.rules.expressions.problems import ExpressionError
from hub.rules.expressions.scope import Scope
from hub.rules.expressions.templates import Template, compile_condition, compile_items, compile_template
from tests.rules.expressions.running import NOW, render

_FOLDER = Path(__file__).parent / "attacks"
#: A tenth of it is usual; the rest is for a busy machine.
MOST_SECONDS = 3.0
MOST_BYTES = 32 * 1024 * 1024
#: Characters of a message that the tables hold, and that any may have.
MOST_SAID = 150
LONGEST_MESSAGE = 800


def attempts(name: str) -> list[tuple[str, str]]:
    """Give what is tried, each with what comes of it."""
    lines = [line for line in (_FOLDER / name).read_text("utf-8").splitlines() if line[:1] not in {"", "#"}]
    return [(tried, came.removeprefix("=> ")) for tried, came in pairwise(lines) if came.startswith("=> ")]


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {"a": value}
    return value


EVENT: dict[str, Any] = {
    "text": "<é*👍" * 4_000 + "x" * 4_000,
    "letters": "a" * 20_000,
    "n": 1.5,
    "at": 1_785_881_400_000,
    "numbers": list(range(5_000)),
    "words": [f"word {place}" for place in range(5_000)],
    "rows": [{"n": place, "t": f"row {place}"} for place in range(5_000)],
    "deep": nested(32),
    "nines": "9" * 10_000,
    "brackets": "[" * 5_000 + "]" * 5_000,
    # Python's hash of each is 0.
    "alike": [place * (2**61 - 1) for place in range(5_000)],
    "floats alike": [float(place * (2**61 - 1)) for place in range(5_000)],
    "quotes": '"' + '\\"' * 31_000,
    "escapes": "\\" * 63_000,
    "strings": '"' * 63_000,
    "almost": "a" * 98 + "b",
    "wide": "👍" * 20_000,
    "wider": "👎" * 19_999 + "👍",
    "halves": '["\\ud800"]',
    "nul": '{"\\u0000": 1}',
    "dots": "a." * 90 + "a",
    "items": [1],
}
VARS = {"huge": 10**4_000, "vast": 10**5_000}


def outcome(source: str) -> str:
    """Say in a line what comes of a template."""
    compiled = compile_template(source)
    if isinstance(compiled, list):
        return f"not loaded: {str(compiled[0])[:MOST_SAID]}"
    frame = Frame({"event": EVENT, "vars": VARS}, NOW)
    try:
        value = compiled.render_in(frame)
    except ExpressionError as error:
        assert len(str(error)) < LONGEST_MESSAGE  # noqa: PT017 - it may also have a value
        return f"fails: {str(error)[:MOST_SAID]}"
    assert frame.left >= 0
    return f"gives {len(value)} characters" if isinstance(value, str) else f"gives {value!r}"[:MOST_SAID]


@pytest.mark.parametrize(("source", "expected"), attempts("escapes.txt"))
def test_no_way_leads_out(source: str, expected: str) -> None:
    assert expected.startswith("not loaded: ")
    assert outcome(source) == expected


@pytest.mark.parametrize(("source", "expected"), attempts("exhaustion.txt"))
def test_nothing_takes_long_or_much(source: str, expected: str) -> None:
    began = time.process_time()
    tracemalloc.start()
    came = outcome(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert came == expected
    assert time.process_time() - began < MOST_SECONDS
    assert peak < MOST_BYTES


def test_the_tables_are_read_whole() -> None:
    for name in ("escapes.txt", "exhaustion.txt"):
        lines = (_FOLDER / name).read_text("utf-8").splitlines()
        assert 2 * len(attempts(name)) == len([line for line in lines if line[:1] not in {"", "#"}]) > 200


#: Texts that a reader with a careless pattern would look at again and again; eight thousand characters each.
SLOW_TO_READ = {
    "blanks after braces": "x {{" + " " * 7_900,
    "blanks after a percent": "x {%" + " " * 7_900,
    "blanks before braces": " " * 7_900 + "{{- event.x }}",
    "quotes": "{{ " + "'" * 7_900,
    "escaped quotes": "{{ '" + "\\'" * 3_900,
    "open braces": "{{" * 3_900,
    "closed braces": "}}" * 3_900,
    "dashes": "{{-" * 2_600,
    "raw": "{% raw %}" * 800,
    "an open raw": "{% raw %}" + "{%" * 3_500,
    "points": "{{ " + "1." * 3_900,
    "exponents": "{{ 1" + "e1" * 3_900,
    "underscores": "{{ 1" + "_1" * 3_900,
    "line ends": "\n" * 7_900 + "{{ x",
    "hashes": "{#" * 3_900,
    "letters of others": "{{ " + "é" * 7_900,
}


@pytest.mark.parametrize("name", SLOW_TO_READ)
def test_no_text_is_slow_to_read(name: str) -> None:
    """Twice the text may cost twice the time, not four times: how quick the machine is does not matter."""
    text = SLOW_TO_READ[name]
    whole = _seconds_to_read(text)
    if whole < 0.2:
        return  # of 8,000 characters, whatever the growth
    half = min(_seconds_to_read(text[: len(text) // 2]) for _ in range(3))

    assert min(whole, _seconds_to_read(text), _seconds_to_read(text)) < 3 * half


def _seconds_to_read(text: str) -> float:
    began = time.process_time()
    for compile_it in (compile_template, compile_condition, compile_items):
        compile_it(text)
    return time.process_time() - began


def test_what_data_are_called_cannot_write_into_a_log() -> None:
    event = {"keys": {"\x1b[31m\nERROR": 1}, "wanted": "no\nERROR" * 5_000, "list": [{"\u202ea": 1}]}

    for source in (
        "{{ event.keys.x }}",
        "{{ event.keys[event.wanted] }}",
        "{{ event.list | map_attr('b') }}",
        "{{ event.list | sort(event.wanted[:100]) }}",
        "{{ event.wanted[:20] | int }}",
        "{{ now() | date(event.wanted) }}",
        "{{ now() | date('%Y', event.wanted) }}",
        "{{ now() | shift(event.wanted) }}",
        "{{ now() | date('%' ~ event.wanted[2:]) }}",
        "{{ 1 | money(event.wanted) }}",
        "{{ 'a' | hash(event.wanted) }}",
        "{{ '+1' | phone('e164', event.wanted) }}",
        "{{ event.wanted | phone }}",
        "{{ event.wanted | json }}",
    ):
        with pytest.raises(ExpressionError) as caught:
            render(source, {"event": event})
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < LONGEST_MESSAGE


NESTED = {
    "round brackets": "(" * 3_000 + "1" + ")" * 3_000,
    "square brackets": "[" * 3_000 + "1" + "]" * 3_000,
    "open brackets": "(" * 7_000,
    "maps": "{'a':" * 1_000 + "1" + "}" * 1_000,
    "not": "not " * 1_900 + "true",
    "signs": "-" * 7_900 + "1",
    "sum": "+".join(["1"] * 3_900),
    "and": " and ".join(["true"] * 1_200),
    "or": " or ".join(["true"] * 1_500),
    "comparisons": " < ".join(["1"] * 1_900),
    "concatenation": " ~ ".join(["1"] * 1_900),
    "choices": "1 if true else " * 500 + "1",
    "fields": "event" + ".a" * 3_900,
    "items": "event" + "[0]" * 2_600,
    "filters": "event" + "|upper" * 1_100,
    "tests": "event" + " is none" * 900,
    "calls": "event" + ".lower()" * 900,
    "powers": "**".join(["9"] * 2_600),
    "list": "[" + "1," * 3_900 + "]",
    "digits": "9" * 7_900,
    "too long": "event.a" + " " * LONGEST_SOURCE,
    "nul": "event\x00",
    "half a character": "'\ud800'",
}


@pytest.mark.parametrize("name", NESTED)
def test_what_is_nested_or_long_is_refused(name: str) -> None:
    source = NESTED[name]

    assert isinstance(compile_template("{{ " + source + " }}"), list)
    assert isinstance(compile_condition(source), list)
    assert isinstance(compile_items(source), list)


def test_many_statements_are_refused() -> None:
    assert isinstance(compile_template("{% if true %}" * 300 + "{% endif %}" * 300), list)
    assert isinstance(compile_template("{% if true %}{% endif %}" * 320), list)


def test_what_an_event_says_is_never_a_template() -> None:
    event = {"event": {"text": "{{ 7*7 }}{% for a in b %}", "key": "__class__"}}

    assert render("{{ event.text }}", event) == "{{ 7*7 }}{% for a in b %}"
    assert render("x{{ event.text | upper }}", event) == "x{{ 7*7 }}{% FOR A IN B %}"
    with pytest.raises(ExpressionError, match="closed"):
        render("{{ event[event.key] }}", event)


def test_objects_do_not_get_in_or_out() -> None:
    class Secret:
        value = "s3cret"

        def __str__(self) -> str:
            return "s3cret"

    values = {"event": {"secret": Secret(), "list": [Secret()]}}

    for source in (
        "{{ event.secret }}",
        "{{ event.secret.value }}",
        "x{{ event.secret }}",
        "{{ event.list }}",
        "{{ event.list | tojson }}",
        "{{ event.list | join }}",
        "{{ event.secret ~ '' }}",
        "{{ event.secret | string }}",
        "{{ event.secret | default('x') | upper }}",
        "{{ not event.secret }}",
        "{{ event.secret > 1 }}",
    ):
        with pytest.raises(ExpressionError) as caught:
            render(source, values)
        assert "s3cret" not in str(caught.value)


def test_names_that_are_not_given_cannot_be_used() -> None:
    narrow = Scope(names=frozenset({"input"}))

    assert isinstance(compile_template("{{ event.text }}", narrow), list)
    assert isinstance(compile_template("{{ input.text }}", narrow), Template)
