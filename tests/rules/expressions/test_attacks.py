"""Nothing leads out of an expression, and nothing it does takes long: the corpora in attacks/, one test a line."""

from __future__ import annotations

import time
import tracemalloc
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


def lines(name: str) -> list[str]:
    return [
        line for line in (_FOLDER / name).read_text("utf-8").splitlines() if line and not line.startswith("#")
    ]


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
    "huge": 10**4_000,
    "items": [1],
}


@pytest.mark.parametrize("source", lines("escapes.txt"))
def test_no_way_leads_out(source: str) -> None:
    assert isinstance(compile_template(source), list)


@pytest.mark.parametrize("source", lines("exhaustion.txt"))
def test_nothing_takes_long_or_much(source: str) -> None:
    began = time.process_time()
    tracemalloc.start()
    compiled = compile_template(source)
    if isinstance(compiled, Template):
        frame = Frame({"event": EVENT}, NOW)
        try:
            compiled.render_in(frame)
        except ExpressionError:
            pass
        else:
            assert frame.left >= 0
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert time.process_time() - began < MOST_SECONDS
    assert peak < MOST_BYTES


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
