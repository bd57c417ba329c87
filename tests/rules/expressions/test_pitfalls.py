"""What other engines get wrong, one by one (facts: routes A6.2, A6.3): kinds kept, nothing undefined or executed."""

# ruff: noqa: E501 - in tables, what is written and what comes of it stand side by side

from __future__ import annotations

import copy
from typing import Any

import pytest

from hub.rules.expressions import OMIT, ExpressionError, compile_template
from tests.rules.expressions.running import NOW, condition_refusal, holds, items, refusal, render, template

EVENT: dict[str, Any] = {
    "n": 3,
    "text": "{{ 7*7 }}",
    "none": None,
    "items": ["a"],
    "keys": "K",
    "values": 1,
    "get": True,
    "copy": "C",
    "update": "U",
    "format": "F",
    "flag": "false",
    "contact": {"tags": ["vip"], "name": None},
}
VALUES = {"event": EVENT}

SURVIVORS: list[Any] = [
    "+14155550123",
    "0000",
    "1685E6",
    "022",
    "1_000",
    "12 34",
    "True",
    "None",
    "[1,2]",
    "1,2",
    "{'a': 1}",
    "",
    " ",
    "{{ 7*7 }}",
    14155550123,
    20266000000000000001,
    10**60,
    -0.5,
    True,
    False,
    None,
    [],
    ["+1", 2, None],
    {},
    {"a": {"b": [1, "01"]}},
]


@pytest.mark.parametrize("value", SURVIVORS, ids=repr)
def test_a_lone_template_gives_the_value_as_it_is(value: object) -> None:
    rendered = render("{{ event.v }}", {"event": {"v": value}})

    assert rendered == value
    assert type(rendered) is type(value)


@pytest.mark.parametrize("value", ["+14155550123", "0000", "1685E6", "True", "[1,2]"])
def test_glued_texts_are_not_read_again(value: str) -> None:
    assert render("{{ event.a }}{{ event.b }}", {"event": {"a": value[:1], "b": value[1:]}}) == value


GIVES: list[tuple[str, Any]] = [
    ("{{ event.items }}", ["a"]),
    ("{{ event.keys }}{{ event.values }}{{ event.get }}{{ event.copy }}{{ event.update }}", "K1trueCU"),
    ("{{ event['format'] }}", "F"),
    ("{{ event.text }}", "{{ 7*7 }}"),
    ("x {{ event.text }}", "x {{ 7*7 }}"),
    ("{{ event.missing | default('x') }}", "x"),
    ("{{ event.none | default('x') }}", "x"),
    ("{{ event.contact.name | default('') }}!", "!"),
    ("{{ get(event, 'missing.deeper', 'x') }}", "x"),
    ("{{ get(event, 'contact.tags.0', 'x') }}", "vip"),
    ("{{ get(event, 'contact.name', 'x') }}", "x"),
    ("{{ get(steps, 'a.b') }}", None),
    ("{{ - event.n }}", -3),
    ("{{- event.n -}}", 3),
    ("a {{- event.n -}} b", "a3b"),
    ("{{ -event.n }}", -3),
    ("{# event #} {{ event.n }}", "{# event #} 3"),
    ("${{ event.n }} {event.n}", "$3 {event.n}"),
    ("{{ '{{' }} {{ '}}' }}", "{{ }}"),
    ("{{ event.n }} ", "3 "),
    ("{{ event.n / 3 }}", 1.0),
    ("{{ event.n / 3 }} pieces", "1 pieces"),
    ("{{ 1 == 1.0 and not '1' == 1 and not true == 1 }}", True),
    ("{{ event.contact.tags[0] ~ event.contact.tags[-1] }}", "vipvip"),
    ("{{ 'abc'[1:] }}{{ [1, 2, 3][:2] | join }}", "bc12"),
    ("{{ event.contact.name or 'there' }}", "there"),
    ("{% if event.n > 2 %}many{% else %}few{% endif %}", "many"),
    ("{% if event.n > 9 %}many{% elif event.n > 2 %}some{% endif %}", "some"),
    ("{% for tag in event.contact.tags %}{{ loop.index }} {{ tag }}{% else %}none{% endfor %}", "1 vip"),
    ("{% for tag in [] %}{{ tag }}{% else %}none{% endfor %}", "none"),
    ("no braces at all: }} %} #}", "no braces at all: }} %} #}"),
    ("{{ event.missing | default(omit) }}", OMIT),
    ("{{ 'a\\nb\\u00e9\\'\\d' }}", "a\nbé'\\d"),
]


@pytest.mark.parametrize(("source", "gives"), GIVES, ids=[source for source, _ in GIVES])
def test_templates_give(source: str, gives: object) -> None:
    rendered = render(source, {**VALUES, "steps": {}})

    assert (rendered, type(rendered)) == (gives, type(gives))


ERRORS = [
    (
        "{{ event.missing.deeper | default('x') }}",
        "event.missing is not there: event has n, text, none, items, keys, values, get, copy and 4 more. "
        "Write get(event, 'missing.deeper', 'what to take instead') if it may be missing.",
    ),
    (
        "{{ event.conatct.tags }}",
        "event.conatct is not there: event has n, text, none, items, keys, values, get, copy and 4 more. "
        "Did you mean event.contact?",
    ),
    (
        "{{ event.contact.name.first }}",
        "event.contact.name.first is not there: event.contact.name is null. "
        "Write event.contact.name.first | default('') if it may be missing.",
    ),
    (
        "{{ event.items.length }}",
        "event.items.length cannot be asked for: event.items is a list. Write event.items | length.",
    ),
    (
        "{{ event.items.name }}",
        "event.items.name cannot be asked for: event.items is a list. "
        "Write event.items[0].name for its first item, or event.items | map_attr('name') for all.",
    ),
    (
        "{{ event.items[3] }}",
        "event.items[3] is not there: event.items has 1 items. "
        "Ask for its length first, or write event.items[3] | default('').",
    ),
    ("{{ event.n.x }}", "event.n.x cannot be asked for: event.n is a number (3). Use event.n itself."),
    (
        "{{ steps.send.output.id }}",
        "steps.send.output is not there: the step is skipped and has no output. "
        "Ask for steps.send.status first, or write get(steps.send, 'output.…', 'instead').",
    ),
    (
        "{{ error.message }}",
        "there is no error here: what there is: event, steps. Ask whether there is one: error is defined.",
    ),
    (
        "x{{ event.none }}",
        'null is put into text: it would be written as the word "null", which nobody wants to read. '
        "Say what to write instead: … | default('').",
    ),
    (
        "x{{ event.contact }}",
        "a map is put into text: there is no one way to write it. "
        "Write which of its fields you want, or … | tojson for JSON.",
    ),
    (
        "x{{ event.items }}",
        "a list is put into text: there is no one way to write it. "
        "Write … | join(', ') for its items, or … | tojson for JSON.",
    ),
    (
        "{{ event.text + event.n }}",
        "+ is given text and a number (3): it adds numbers, or puts two texts or two lists together. "
        "Write ~ to put values together as text, or make a number of the text: … | int.",
    ),
    (
        "{{ event.text * 2 }}",
        '* is given text ("{{ 7*7 }}"): it takes two numbers. Make a number of the text: … | int, or … | float.',
    ),
    (
        "{{ event.text % 1 }}",
        '% is given text ("{{ 7*7 }}"): it takes two numbers. Make a number of the text: … | int, or … | float.',
    ),
    ("{{ event.n / 0 }}", "this divides by zero: there is no result. Ask first: a / b if b != 0 else 0."),
    (
        "{{ event.n < '4' }}",
        '< compares a number (3) with text ("4"): only two numbers, or two texts, have an order. '
        "Make a number of the text: … | int, or … | float.",
    ),
    (
        "{{ 1 in event.text }}",
        "in looks for a number (1) in text: a text has texts in it, and the keys of a map are texts. "
        "Make text of it: (… | string) in ….",
    ),
    (
        "{{ 'a' in event.none }}",
        "in looks into null: it looks into a list, a text or a map. "
        "Say what to take instead of null: … in (… | default([])).",
    ),
    (
        "{{ 'yes' if event.flag else 'no' }}",
        'a decision is made by text ("false"): only true and false decide; a text would always or often count as true. '
        "Write … | bool.",
    ),
    (
        "{% if event.items %}x{% endif %}",
        "a decision is made by a list: only true and false decide; it would always or often count as true. "
        "Write … | length > 0.",
    ),
    (
        "{{ not event.none }}",
        "a decision is made by null: only true and false decide. Write … is not none, or … | default(false).",
    ),
    (
        "{{ event[event.n] }}",
        "event[3] cannot be asked for: event is a map. Name a field of event.",
    ),
    (
        "{{ event.n.upper() }}",
        "upper() is asked of a number (3): only texts have it. Name the text that you want.",
    ),
    (
        "{% for a in event.n %}x{% endfor %}",
        "{% for %} goes through a number (3): it goes through a list. Name the list.",
    ),
]


@pytest.mark.parametrize(("source", "told"), ERRORS, ids=[source for source, _ in ERRORS])
def test_what_has_no_value_says_why(source: str, told: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        render(source, {**VALUES, "steps": {"send": {"status": "skipped"}}})

    assert str(caught.value) == told


def test_errors_tell_their_place() -> None:
    with pytest.raises(ExpressionError) as caught:
        render("Hello\r\n{{ event.n }} and {{ event.nn }}", VALUES)

    assert caught.value.problem.offset == len("Hello\n{{ event.n }} and {{ ")


DECIDES = [
    ("event.n > 2", True),
    ("{{ event.n > 2 }}", True),
    (" {{- event.n > 2 -}} ", True),
    ("event.missing is defined and event.missing == 1", False),
    ("event.n >= 2 and event.contact.tags[0] != 'customer'", True),
    ("'vip' in event.contact.tags", True),
    ("not ('vip' in event.contact.tags)", False),
    ("2 < event.n <= 3", True),
    ("event.flag | bool or event.n == 3", True),
    ("event.text == '{' ~ '{ 7*7 }}'", True),
    ("event.get", True),
    ("events is undefined", True),
    ("true", True),
]


@pytest.mark.parametrize(("source", "decides"), DECIDES, ids=[source for source, _ in DECIDES])
def test_conditions_decide(source: str, decides: bool) -> None:
    assert holds(source, VALUES) is decides


@pytest.mark.parametrize(
    "source", ["event.n", "event.text", "event.flag", "event.items", "event.none", "event.n and true"]
)
def test_conditions_give_true_or_false_or_an_error(source: str) -> None:
    with pytest.raises(ExpressionError, match=r"^a decision is made by"):
        holds(source, VALUES)


BRACES = (
    "braces stand around a part of this expression: what is not in them would be text, "
    "and a text is neither true nor false nor a list."
)
REFUSED_CONDITIONS = [
    ("{{ event.n }} > 100", f"0: {BRACES} Remove the braces: event.n > 100."),
    ("not {{ event.n }}", f"4: {BRACES} Remove the braces: not event.n."),
    ("{{ event.a }} and {{ event.b }}", f"0: {BRACES} Remove the braces: event.a and event.b."),
    ("x {{ event.ok }}", f"2: {BRACES} Remove the braces: x event.ok."),
    ("{% if event.ok %}true{% endif %}", f"0: {BRACES} Write the expression alone, such as event.attempt > 2."),
    ("'false'", "0: this gives text: a condition is true or false. Remove the quotes around the whole, or compare: "
     "event.text == 'Hello'."),
    ("event.n + 1 - 2", "12: this gives a number: a condition is true or false. Compare it: … > 0."),
    ("event.items | length", "14: this gives a number: a condition is true or false. Compare it: … > 0."),
    ("[event.n]", "0: this gives a list: a condition is true or false. Compare it with something: … == 'text', … > 0, … is not "
     "none."),
    ("", "0: an expression is missing here: there is nothing between the braces, or after an operator. Write what is to be "
     "here, such as event.text."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "told"), REFUSED_CONDITIONS, ids=[source for source, _ in REFUSED_CONDITIONS]
)
def test_conditions_that_cannot_decide_are_refused_when_loaded(source: str, told: str) -> None:
    assert condition_refusal(source) == told


def test_foreach_goes_through_lists_only() -> None:
    assert items("event.items", VALUES) == ["a"]
    with pytest.raises(ExpressionError, match="foreach goes through text"):
        items("event.text", VALUES)
    with pytest.raises(ExpressionError, match=r"foreach goes through null.*default\(\[\]\)"):
        items("event.none", VALUES)


NAMES = "names here are env_name, error, event, events, item, route, run, steps, vars; text stands in quotes."
REFUSED_TEMPLATES = [
    ("{{ evnt.text }}", f"3: evnt is not known: {NAMES} Did you mean event?"),
    ("{{ self }}", f"3: self is not known: {NAMES} Write 'self' if it is text."),
    ("{{ null }}", f"3: null is not known: {NAMES} Did you mean none?"),
    ("{{ now | date }}", "3: now is a function: it is called with brackets. Write now()."),
    ("{{ }}", "3: an expression is missing here: there is nothing between the braces, or after an operator. Write what is to "
     "be here, such as event.text."),
    ("Hi {{ event.n", "12: the braces are not closed: the text is over before }}. Write }} where the expression ends; write "
     "{{ '{{' }} for two braces themselves."),
    ("{{ event.n = 3 }}", "11: = does not compare: it would set something, and expressions set nothing. Write ==."),
    ("{{ event.n === 3 }}", "11: === is no operator: values of different kinds are never equal anyway. Write == or !=."),
    ("{{ event.a && event.b }}", "11: & is no operator: it is spelled as a word. Write and."),
    ("{{ event.a || event.b }}", "11: || is no operator: it is spelled as a word. Write or."),
    ("{{ !event.a }}", "3: ! is no operator: it is spelled as a word. Write not."),
    ("{{ event?.a }}", "8: ?. is no operator: a field that may be missing is asked for in another way. Write get(event, "
     "'a.b.c', 'what to take instead')."),
    ("{{ event.a ?? 'x' }}", "11: ?? is no operator: a value to take instead is given with a filter. Write … | default('what to "
     "take instead')."),
    ("{{ event.a ? 'x' : 'y' }}", "11: ? is no operator: a choice is written with words. Write a if condition else b."),
    ("{{ event.a contains 'x' }}", "11: there is no such operator: a part of a text or an item of a list is asked for with in. "
     "Write 'part' in event.text."),
    ("{{ event.a AND event.b }}", "11: words of the language are written small: large and small letters differ. Write and, or, "
     "not, in, is."),
    ("{{ event.a == 'x }}", "14: a text is begun here and not ended: its closing quote is missing. Close the quote; a quote "
     "within it is written as \\' or stands in the other kind of quotes."),
    ("{{ 'x' if event.a }}", "15: this if has no else: there would be no value when it does not hold. Write a if condition else "
     "b; b may be '' or none."),
    ("{% set x = 1 %}", "3: {% set %} is not offered: a template knows {% if %} and {% for %}. Work it out in vars."),
    ("{% raw %}x{% endraw %}", "0: there is no such statement: a template knows {% if %} and {% for %}. Write what is to be "
     "worked out in vars; write {{ '{%' }} for these characters themselves."),
    ("{% if event.a %}x", "16: a {% if %} or {% for %} is not ended: the template is over before. Write {% endif %} or "
     "{% endfor %} where it ends."),
    ("{% for a in event.b %}{% for c in a %}{% endfor %}{% endfor %}", "25: a {% for %} stands in a {% for %}: a loop goes "
     "through one list, under one new name. Use a foreach step, or map_attr and join."),
    ("{% for event in event.b %}{% endfor %}", "3: {% for %} gives event another meaning: a loop goes through one list, under "
     "one new name. Choose another name, such as entry."),
    ("{{ event.text.includes('x') }}", None),
    ("{{ event | map(attribute='x') }}", "11: there is no filter map: it is not among those offered. Write map_attr('name')."),
    ("{{ event._id }}", "8: _id cannot be asked for: after a dot a name does not begin with an underscore. Write ['_id'] for a "
     "field of that name."),
    ("{{ 2 ** 9 }}", "3: ** is not offered: its results have no bound. Write x * x for a square."),
    ("{{ event.a is odd }}", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "told"), REFUSED_TEMPLATES, ids=[source for source, _ in REFUSED_TEMPLATES]
)
def test_templates_that_cannot_be_are_refused_when_loaded(source: str, told: str | None) -> None:
    problem = refusal(source)

    if told is not None:
        assert problem == told
    else:
        assert problem.endswith(("Write 'part' in text.", "Write == to compare with a value."))


def test_all_that_is_wrong_is_told_at_once() -> None:
    problem = "{{ evnt.a }} {{ event.b | uper }} {{ self }}"

    compiled = compile_template(problem)
    assert isinstance(compiled, list)
    assert [each.offset for each in compiled] == [3, 26, 37]


def test_values_are_not_changed() -> None:
    before = copy.deepcopy(EVENT)

    for source, _ in GIVES:
        render(source, {**VALUES, "steps": {}})

    assert before == EVENT


def test_a_template_serves_any_number_of_events() -> None:
    greeting = template("Hi {{ event.name }}")

    assert [greeting.render({"event": {"name": name}}, NOW) for name in "ab"] == ["Hi a", "Hi b"]
