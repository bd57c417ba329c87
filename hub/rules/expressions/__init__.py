"""Expressions and templates of routes and manifests: the syntax of Jinja2, and an evaluator of our own.

Jinja2 reads the text; what it reads is checked against a list of allowed forms and compiled into closures that know
plain values only. No attribute of a Python object is ever looked up, nothing is imported, no code is generated.
Nothing here does input or output or knows a clock; see docs/decisions/0019-expressions.md.

Compile once, run for any number of events. Which of the four a text is, is decided by the key it stands under:

    compile_condition("event.attempt > 2")          -> Condition, .holds(values, surroundings) -> bool
    compile_items("event.attachments")              -> Items, .items(values, surroundings) -> list
    compile_template("{{ event.from }}")            -> Template, .render(values, surroundings) -> a value
    compile_structure({"to": "{{ event.from }}"})   -> Structure, .render(values, surroundings) -> a value

    values = {"event": {…}, "steps": {…}, "vars": {…}}       # plain values by name; read, never changed
    surroundings = Surroundings(now_ms=1785881400000, timezone="Europe/Berlin")

- A lone `{{ … }}` gives its value as it is, of whatever kind; with text around it, it gives text. `OMIT` as a value
  takes its key out of a map (`default(omit)`).
- What is wrong with a text comes back, all of it, instead of the compiled thing: a list of `ExpressionProblem`, each
  with its offset, what, why and fix; `.at(pointer)` makes a `hub.rules.problems.Problem` of it, of which
  `hub.config.plain.spot_of` makes line and column. A structure gives `PlacedProblem`s, whose pointers name the text.
- What is wrong with the data is an `ExpressionError` when it runs (`StructureError` says in which text); nothing else
  is ever raised.
- `scope` says which names mean something there; a name that is not among them is refused, with the one that was meant.
- `reads` are the values that the compiled thing reads, as paths: `("steps", "contact", "output", "id")`.

The same text, values and surroundings give the same result on every machine.
"""

from __future__ import annotations

from hub.rules.expressions.building import EACH, Read
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError, ExpressionProblem
from hub.rules.expressions.scope import ROUTE_SCOPE, Scope
from hub.rules.expressions.structures import (
    PlacedProblem,
    PlacedRead,
    Structure,
    StructureError,
    compile_structure,
)
from hub.rules.expressions.templates import (
    Condition,
    Items,
    Template,
    compile_condition,
    compile_items,
    compile_template,
)
from hub.rules.expressions.values import OMIT

__all__ = [
    "EACH",
    "OMIT",
    "ROUTE_SCOPE",
    "Condition",
    "ExpressionError",
    "ExpressionProblem",
    "Items",
    "PlacedProblem",
    "PlacedRead",
    "Read",
    "Scope",
    "Structure",
    "StructureError",
    "Surroundings",
    "Template",
    "compile_condition",
    "compile_items",
    "compile_structure",
    "compile_template",
]
