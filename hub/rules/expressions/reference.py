"""Writes docs/reference/expressions.md from the tables that the evaluator itself uses."""

from __future__ import annotations

import json

from hub.rules.expressions import limits
from hub.rules.expressions.checks import CHECKS
from hub.rules.expressions.filters.registry import FILTERS
from hub.rules.expressions.methods import METHODS
from hub.rules.expressions.offered import ANY, ANY_OR_OMIT, Filter, words
from hub.rules.expressions.scope import ROUTE_NAMES
from hub.rules.expressions.values import Kind

_INTRODUCTION = """# Expressions and templates

Generated from the tables that the hub itself uses (`scripts/docs`).

The key decides what a string is:

| kind | under | is |
|---|---|---|
| expression | `if`, `foreach` | bare: `event.attempt > 2`. A condition gives true or false, `foreach` a list |
| value template | `with`, `key`, `vars` … | `"{{ event.from }}"` alone keeps its kind; with anything around, text |
| plain text | all others | as it is written |

The syntax is Jinja2's. A dot asks for a field, and nothing but fields can be asked for. What is missing is an error:
write `x | default('…')` if the last name may be missing, `get(event, 'a.b.c', '…')` if an earlier one may be.
`==` never equates text and numbers; `<` compares two numbers or two texts. Only true and false decide: a text, a number
or a list after `if` or `not` is an error. Where a value is wanted, `a or b` gives the first that is not empty.
Whole numbers are written without `.0` into text; null, lists and maps are not written into text.
A text template also knows `{% if %} {% elif %} {% else %} {% endif %}` and, one level deep,
`{% for item in list %} {% endfor %}` with `loop.index`, `loop.first` and `loop.last`.

"""


def expressions_markdown() -> str:
    """Render names, operators, filters, tests, methods and limits."""
    names = ", ".join(f"`{name}`" for name in sorted(ROUTE_NAMES))
    parts = [
        _INTRODUCTION,
        f"Names in routes: {names}. Functions: `now()`, Unix milliseconds; `get(value, 'path', instead=none)`.\n\n",
        "Operators: `+ - * / // %` on numbers; `+` also on two texts or two lists; `~` puts values together as text; ",
        "`== != < <= > >=`, `in`, `not in`, `is`, `and`, `or`, `not`, `a if condition else b`, `[1, 2]`, "
        "`{'a': 1}`, `x[0]`, `x[:100]`.\n",
        "\n## Filters\n",
        *(_filter(each) for each in FILTERS.values()),
        "\n## Tests\n\n| after `is` | holds if |\n|---|---|\n",
        *(f"| `{each.name}` | {each.summary} |\n" for each in CHECKS.values()),
        "\n## Methods of texts\n\n",
        ", ".join(f"`{name}()`" for name in METHODS),
        ". They do what they do in Python.\n",
        _limits(),
    ]
    return "".join(parts)


def _filter(entry: Filter) -> str:
    takes = "anything" if entry.takes >= ANY else words(entry.takes)
    gives = "any value" if entry.gives >= ANY else words(entry.gives - {Kind.OMIT})
    examples = "".join(
        f"| `{each.expression.replace('|', chr(92) + '|')}` | `{json.dumps(each.gives, ensure_ascii=False)}` |\n"
        for each in entry.examples
    )
    may_be_missing = ", or nothing" if entry.takes == ANY_OR_OMIT else ""
    return (
        f"\n### {entry.name}\n\n`{entry.signature}` takes {takes}{may_be_missing}; gives "
        f"{gives}.\n\n{entry.summary}\n\n"
        f"| expression | gives |\n|---|---|\n{examples}"
    )


def _limits() -> str:
    rows = (
        ("characters of an expression or template", limits.LONGEST_SOURCE),
        ("parts of an expression, and levels of them", f"{limits.MOST_NODES}, {limits.DEEPEST_TREE}"),
        ("characters of a text that is made", limits.LONGEST_TEXT),
        ("items of a list that is made", limits.MOST_ITEMS),
        ("turns of a `{% for %}`", limits.MOST_TURNS),
        ("values and levels in a value that is given", f"{limits.MOST_VALUES}, {limits.DEEPEST_VALUE}"),
        ("bits of a number that is worked out", limits.MOST_BITS),
        ("characters of a regular expression", limits.LONGEST_PATTERN),
        ("units of work for one event (a visited value is 4, 8 characters are 1)", limits.MOST_WORK),
    )
    table = "".join(f"| {what} | {most} |\n" for what, most in rows)
    head = "\n## Limits\n\nBeyond them an expression is an error; nothing runs for long.\n\n| | at most |\n|---|---|\n"
    return f"{head}{table}"
