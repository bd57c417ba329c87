"""What is told of a text before it runs, beyond what other engines get wrong."""

from __future__ import annotations

from hub.rules.expressions import Scope, compile_template
from tests.rules.expressions.running import condition_refusal, refusal, render


def test_braces_alone_may_be_written() -> None:
    assert render("{{ '{{' }} and {{ '}}' }}") == "{{ and }}"


def test_braces_in_a_text_of_an_expression_are_refused() -> None:
    for refused in (
        refusal("{{ 'Hello {{ event.name }}' }}"),
        condition_refusal("event.a == '{{ event.b }}'"),
        condition_refusal("event.a in ['{{ event.b }}']"),
    ):
        assert "braces stand in a text within an expression" in refused


def test_problems_are_told_again_to_the_next_who_writes_the_same() -> None:
    first = compile_template("{{ nobody }}")
    assert isinstance(first, list)
    first.clear()

    assert refusal("{{ nobody }}").startswith("3: nobody is not known")


def test_a_name_is_told_where_it_means_something() -> None:
    scope = Scope(names=frozenset({"event"}), elsewhere=(("error", "under on_error"),))
    found = compile_template("{{ error.message }}", scope)

    assert isinstance(found, list)
    assert str(found[0]) == ("there is no error here: it is there under on_error. Use what there is: event.")


def test_what_is_omitted_is_in_no_list_and_no_map() -> None:
    event = {"event": {"a": None, "list": [{"n": 1}, {}]}}

    assert render("{{ {'a': event.a | default(omit), 'b': 1} }}", event) == {"b": 1}
    assert render("{{ [event.a | default(omit), 1] | tojson }}", event) == "[1]"
    assert render("{{ event.list | map_attr('n', omit) | tojson }}", event) == "[1]"
    assert render("{{ {} | merge({'a': omit}) | tojson }}", event) == "{}"
