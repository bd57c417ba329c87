"""libyaml and its twin in Python give the same nodes, at the same places, or libyaml is not asked."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import hub
from hub.config.building import Builder, TooMuch
from hub.config.nodes import Node
from hub.config.problems import Problem
from hub.config.yaml_events import events_of, quick_events

ROOT = Path(hub.__file__).parent.parent
FILES = sorted(
    [
        *ROOT.glob("config/**/*.yaml"),
        *ROOT.glob("connectors/*/*.yaml"),
        *ROOT.glob("hub/sources/*.yaml"),
        *ROOT.glob("tests/rules/**/*.yaml"),
    ]
)
MISTAKES = [
    f"{block}\n"
    for name in ("rules/routes/mistakes.txt", "cli/mistakes.txt")
    for block in (ROOT / "tests" / name).read_text("utf-8").split("\n\n")
]


def built(text: str, events: Iterable[yaml.Event]) -> tuple[Node | None, list[Problem]]:
    builder = Builder(source="a.yaml", lines=text.split("\n"), is_prose=True)
    try:
        for event in events:
            builder.take(event)
    except TooMuch:
        pass
    return builder.root, builder.problems


def require_same(text: str) -> bool:
    """Hold one against the other; tell whether libyaml was asked at all."""
    quick = quick_events(text)
    if quick is None:
        return False
    assert built(text, quick) == built(text, yaml.parse(text, Loader=yaml.SafeLoader))
    return True


def test_libyaml_is_there() -> None:
    """Our wheels have it; where it is away, everything works and takes longer."""
    assert yaml.__with_libyaml__


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_each_file_of_ours_is_read_the_same(path: Path) -> None:
    require_same(path.read_text("utf-8"))


def test_nearly_all_of_them_are_read_by_libyaml() -> None:
    asked = [quick_events(path.read_text("utf-8")) is not None for path in FILES]

    assert sum(asked) > len(FILES) * 0.8


@pytest.mark.parametrize("text", MISTAKES, ids=range(len(MISTAKES)))
def test_each_mistake_is_read_the_same(text: str) -> None:
    require_same(text)


#: What libyaml takes otherwise, gives other places, or refuses otherwise.
ODD = {
    "a tab after a value": "a: b\t\n",
    "no end of the last line": "a: 1",
    "nothing at the end": "?",
    "a comment at a block's sign": "a: |#\n  b\n",
    "a question in brackets": "a: { b: is it? }\n",
    "a question within a word in brackets": "a: [me?ssage]\n",
    "nothing in brackets": "a: { b:\n  , c: 1 }\n",
    "a tag with odd signs": "a: !b?c 1\n",
    "a tag at the beginning": "!~!s a\n",
    "a directive": "%YAML 1.2\n---\na: 1\n",
    "a line's end of another kind": "a: b\u2028c: d\n",
    "next line": "a: b\x85c: d\n",
    "a mark of byte order": "a: \ufeffb\n",
    "a carriage return": "a: b\rc: d\n",
    "half a pair": 'a: "\\ud800"\n',
    "no character": 'a: "\\UFFFFFFFF"\n',
    "half a pair as it is": "a: \ud800\n",
    "braces without quotes": "a: {{ b }}\n",
    "a mistake": "a: b: c\n",
    "more than is read": "- a\n" * 70_000,
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_texts_are_left_to_the_twin(text: str) -> None:
    assert quick_events(text) is None


SAME = {
    "nothing": "\n",
    "texts": "a: 1\nb: 'x''y'\nc: \"\\u00e4\\x41\"\nd: ä 😀\n",
    "blocks": "d: |\n  one\n\n  two\ne: >-\n  a\n  b\n\n  c\nf: |2+\n    g\n\nh: i\n",
    "comments": "# one\na: 1 # two\n# three\nb:\n  # four\n  - c # five\n",
    "a cut text": "a: order #5\nb: c #d\n",
    "brackets": "a: {b: [1, {c: d}], 'e': f,}\ng: [\n  h,\n  i\n]\n",
    "lists": "- a\n-\n  - b\n- - c\n  - d\n-\n",
    "nothing where a value would be": "a:\nb: ~\nc: ''\nd:\n  e:\n",
    "a key that is none": "? [a]\n: b\n? c\n: d\n",
    "twice": "a: 1\na: 2\n",
    "an anchor": "a: &b 1\nc: *b\n<<: *b\n",
    "two documents": "a: 1\n---\nb: 2\n...\n",
    "long lines": f'a: {"x" * 3000}\nb: "{"y" * 3000}"\n',
    "lines that go on": "a: one\n  two\n\n  three\nb: \"one\n  two\\\n  three\"\nc: 'one\n\n  two'\n",
    "braces": 'a: "{{ b }}: {% if c %}"\n',
    "many levels": "".join(f"{'  ' * depth}a:\n" for depth in range(40)),
    "many values": "- a\n" * 25_000,
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_ordinary_texts_are_read_the_same(text: str) -> None:
    assert require_same(text)


_SIGNS = st.sampled_from(
    [
        *" \n:-?[]{},#&*|>'\"%@`ab1ä~.\\=",
        *("\n  ", "\n- ", ": ", " #", "---\n", "{{ ", " }}", "'it''s'", "|2-\n", "\u00a0", "😀", "\t", "!g "),
        *("a: b\n", "- c\n", "  d:\n", '"\\u00e4"', "[a, b]", "{ c: d }", ">-\n  e\n", "# f\n"),
    ]
)
_PARTS = st.sampled_from(["", *[line for text in MISTAKES for line in text.split("\n")]])


@settings(deadline=None, max_examples=400)
@given(st.lists(_SIGNS | _PARTS, max_size=25))
def test_whatever_is_written_is_read_the_same(parts: list[str]) -> None:
    require_same("".join(parts) + "\n")


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(MISTAKES), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3), _SIGNS), max_size=4))
def test_a_slip_anywhere_is_read_the_same(text: str, slips: list[tuple[float, int, str]]) -> None:
    for where, length, sign in slips:
        place = int(where * len(text))
        text = text[:place] + sign + text[place + length :]

    require_same(text if text.endswith("\n") else f"{text}\n")


def test_what_is_nested_without_end_is_left_to_the_twin_which_stops_at_once() -> None:
    assert quick_events("a: " + "[" * 65 + "]" * 65 + "\n") is None
    assert quick_events("a: " + "[" * 60 + "]" * 60 + "\n") is not None


def test_without_libyaml_the_twin_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: [b, 'c']\n"
    quick = built(text, events_of(text))
    monkeypatch.setattr("hub.config.yaml_events._Quick", None)

    assert quick_events(text) is None
    assert built(text, events_of(text)) == quick
