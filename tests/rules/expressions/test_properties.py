"""What holds for all expressions and data: values pass unchanged, only `ExpressionError` is raised, work is bounded.

Jinja2 itself is the oracle for what we share with it.
"""

# ruff: noqa: E501 - in tables, what is written and what comes of it stand side by side

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from hub.rules.expressions.filters.registry import FILTERS
from hub.rules.expressions.frame import Frame
from hub.rules.expressions.methods import METHODS
from hub.rules.expressions.problems import ExpressionError
from hub.rules.expressions.structures import Structure, StructureError, compile_structure
from hub.rules.expressions.templates import (
    Condition,
    Items,
    Template,
    compile_condition,
    compile_items,
    compile_template,
)
from hub.rules.expressions.values import OMIT
from tests.rules.expressions.running import NOW, render

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**20), max_value=10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["+14155550123", "0123", "2026-08-04T22:10:00Z", "true", "12.5", "a,b", "{{ 1 }}", "USD"]
    )
)
KEYS = st.sampled_from(["a", "b", "items", "text", "n"]) | st.text(max_size=5)
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)

LEAVES = st.sampled_from(
    [
        *(
            "event",
            "event.a",
            "event.a.b",
            "event.items",
            "event.items[0]",
            "event['text']",
            "event.n",
            "vars.x",
            "steps",
        ),
        *(
            "1",
            "-2",
            "0",
            "0.5",
            "'a'",
            "''",
            "','",
            "'%Y'",
            "'+1d'",
            "'UTC'",
            "'usd'",
            "'a.b'",
            "true",
            "false",
            "none",
        ),
        *(
            "[]",
            "{}",
            "[1, 2]",
            "{'a': 1}",
            "now()",
            "get(event, 'a.b', 1)",
            "omit",
            "[omit]",
            "{'a': omit}",
            "([omit, 1] | tojson)",
            "10**2",
            "1e300",
            "event.text",
        ),
    ]
)
OPERATORS = st.sampled_from(
    ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or", "|", "is"]
)


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    filters = st.sampled_from([*FILTERS, "upper", "center"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, OPERATORS, inner),
        st.builds("({} | {})".format, inner, filters),
        st.builds("({} | {}({}))".format, inner, filters, inner),
        st.builds("({} | {}({}, {}))".format, inner, filters, inner, inner),
        st.builds("({}).{}()".format, inner, st.sampled_from([*METHODS, "format"])),
        st.builds("({}).{}({})".format, inner, st.sampled_from(list(METHODS)), inner),
        st.builds("(not {})".format, inner),
        st.builds("(-{})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{'a': {}}}".format, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({})[{}:{}]".format, inner, inner, inner),
        st.builds("({}).a".format, inner),
        st.builds("({} is {})".format, inner, st.sampled_from(["defined", "none", "string", "odd"])),
    )


EXPRESSIONS = st.recursive(LEAVES, grown, max_leaves=8)
VALUES = st.fixed_dictionaries({}, optional={"event": PLAIN, "vars": PLAIN, "steps": PLAIN})
FUZZ = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(PLAIN)
def test_a_lone_template_gives_exactly_the_value(value: Any) -> None:
    rendered = render("{{ event.v }}", {"event": {"v": value}})

    assert json.dumps(rendered) == json.dumps(value)


@given(st.text(max_size=60))
def test_text_without_braces_stays(text: str) -> None:
    if "{{" not in text and "{%" not in text:
        assert render(text) == text


@given(st.text(max_size=40))
def test_text_of_events_goes_through_as_it_is(text: str) -> None:
    assert render("<{{ event.t }}>", {"event": {"t": text}}) == f"<{text}>"


@FUZZ
@given(EXPRESSIONS, VALUES)
def test_only_expression_errors_are_raised_and_work_is_bounded(source: str, values: dict[str, Any]) -> None:
    before = json.dumps(values)
    for text in ("{{ " + source + " }}", "x {{ " + source + " }}", "{% if " + source + " %}x{% endif %}"):
        compiled = compile_template(text)
        if isinstance(compiled, Template):
            frame = Frame(values, NOW)
            try:
                value = compiled.render_in(frame)
            except ExpressionError as error:
                assert 0 <= error.problem.offset <= len(text)  # noqa: PT017 - it may also have a value
            else:
                assert frame.left >= 0
                assert value is OMIT or json.loads(json.dumps(value, allow_nan=False)) == value
    assert json.dumps(values) == before


@FUZZ
@given(EXPRESSIONS, VALUES)
def test_conditions_give_true_false_or_an_error(source: str, values: dict[str, Any]) -> None:
    compiled = compile_condition(source)
    if isinstance(compiled, Condition):
        with contextlib.suppress(ExpressionError):
            assert compiled.holds(values, NOW) in {True, False}


@FUZZ
@given(
    st.text(alphabet="{}%()[]'\"\\|.,:+-*/~<>=! abe01\n_#$&", max_size=60)
    | EXPRESSIONS
    | st.text(max_size=60)
)
def test_anything_can_be_compiled_or_is_refused_with_a_place(source: str) -> None:
    for text in (
        source,
        "{{" + source,
        "{{ " + source + " }}",
        "{% " + source + " %}",
        "{%if " + source + "%}",
    ):
        for compiled in (compile_template(text), compile_condition(text), compile_items(text)):
            if isinstance(compiled, (Template, Condition, Items)):
                continue
            assert compiled
            assert all(
                0 <= each.offset <= len(text) and each.what and each.why and each.fix for each in compiled
            )


WRITTEN = st.recursive(
    SCALARS | EXPRESSIONS.map("{{{{ {} }}}}".format),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)


@FUZZ
@given(WRITTEN, VALUES)
def test_structures_render_or_tell_where_not(written: Any, values: dict[str, Any]) -> None:
    compiled = compile_structure(written, pointer="/with")
    if isinstance(compiled, Structure):
        try:
            compiled.render(values, NOW)
        except StructureError as error:
            assert error.pointer.startswith("/with")  # noqa: PT017 - it may also have a value
    else:
        assert all(each.pointer.startswith("/with") for each in compiled)


ORACLE = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
SHARED_DATA: dict[str, Any] = {
    "a": {"b": "Text", "n": 7, "half": 0.5, "list": [3, 1, 2], "yes": True, "no": False, "none": None},
}
SHARED = [
    "a.b", "a.n", "a.n + 2 * 3 - 1", "(a.n + 2) * 3", "a.n // 2", "a.n % 4", "-a.n", "a.half * 2", "7 / 2", "a.b ~ a.n",
    "a.b + 'x'", "a.n > 3 and a.yes", "a.n > 3 or a.no", "not a.yes", "a.n == 7", "a.n != 7", "1 < a.n < 9", "1 < a.n < 3",
    "a.n in a.list", "3 in a.list", "3 not in a.list", "'ex' in a.b", "'b' in a", "a.list[0]", "a.list[-1]", "a.list[1:]",
    "a.b[1:3]", "a['b']", "a.b if a.yes else 1", "a.b if a.no else 1", "[a.n, 'x']", "{'k': a.n}", "a.b | upper", "a.b | lower",
    "a.list | length", "a.list | first", "a.list | last", "a.list | sort", "a.list | sum", "a.list | max", "a.list | min",
    "a.list | join('-')", "a.missing | default('x')", "a.b | default('x')", "a.b | replace('e', 'E')", "'  x ' | trim",
    "a.none is none", "a.none or 'x'", "a.b and a.n", "a.b is defined", "a.q is defined", "a.q is not defined", "a.b is string",
    "a.n is number", "a.b.upper()", "a.b.startswith('Te')", "a.b.split('e')", "'a b'.title()", "a.b.find('x')", "'12' | int",
    "'1.5' | float", "a.list == [3, 1, 2]", "a.yes is true", "'x' 'y'", "1 if a.n > 3 and not a.no else 2", "a.b | upper | lower",
    "not a.n > 3", "not a.n in a.list", "a.n - 1 - 1", "a.n is integer", "'%s'", "a.list[a.n - 7]",
]  # fmt: skip


@pytest.mark.parametrize("source", SHARED)
def test_what_we_share_with_jinja2_gives_the_same(source: str) -> None:
    expected = ORACLE.compile_expression(source, undefined_to_none=False)(**SHARED_DATA)
    rendered = render("{{ " + _with_event(source) + " }}", {"event": SHARED_DATA["a"]})

    assert rendered == expected


def _with_event(source: str) -> str:
    """Name the data as we must: `event` in the place of `a`."""
    return re.sub(r"(?<![\w.'])a(?=[.\[]|$)", "event", source)
