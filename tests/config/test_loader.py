"""The strict reader: what it refuses, where it says so, and that nothing makes it fall over."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.config.loader import load_document
from hub.config.nodes import ListNode, MappingNode, Node, ScalarNode
from hub.config.problems import ConfigError


def plain(node: Node) -> object:
    """Return the texts of a document without their places."""
    match node:
        case ScalarNode():
            return None if node.is_null else node.text
        case ListNode():
            return [plain(item) for item in node.items]
        case MappingNode():
            return {entry.key: plain(entry.value) for entry in node.entries}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", None, id="empty"),
        pytest.param("# only a comment\n", None, id="comment"),
        pytest.param("a: 1\nb: [x, 'y z']\n", {"a": "1", "b": ["x", "y z"]}, id="ordinary"),
        pytest.param("a: no\nb: On\nc: y\n", {"a": "no", "b": "On", "c": "y"}, id="words stay words"),
        pytest.param("on: push\n", {"on": "push"}, id="keys stay words"),
        pytest.param("a: 12:30:45\nb: 2026-01-02\n", {"a": "12:30:45", "b": "2026-01-02"}, id="times"),
        pytest.param("a: +15550100000\nb: 0123\n", {"a": "+15550100000", "b": "0123"}, id="numbers"),
        pytest.param(
            "a: 1_000\nb: .inf\nc: 0x1f\n", {"a": "1_000", "b": ".inf", "c": "0x1f"}, id="odd numbers"
        ),
        pytest.param("a: ~\nb: null\nc:\nd: ''\n", {"a": None, "b": None, "c": None, "d": ""}, id="nothing"),
        pytest.param("\ufeffa: 1\r\nb: 2\r\n", {"a": "1", "b": "2"}, id="as Windows saves it"),
        pytest.param('a: "\\u00e9\\U0001F600"\n', {"a": "é😀"}, id="escapes"),
        pytest.param("a: |\n  one\n  two\n", {"a": "one\ntwo\n"}, id="block"),
    ],
)
def test_text_is_kept_as_written(text: str, expected: object) -> None:
    assert expected == plain(load_document(text, source="t.yaml"))


@pytest.mark.parametrize(
    ("content", "position", "words"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", (3, 1), "written twice", id="repeated key"),
        pytest.param("a: &x 1\nb: *x\n", (1, 4), "&x is an anchor", id="anchor"),
        pytest.param("a: *x\n", (1, 4), "*x is an anchor or alias", id="alias"),
        pytest.param("a: !!python/object:os.system {}\n", (1, 4), "is a tag", id="tag"),
        pytest.param("a: !secret x\n", (1, 4), "!secret is a tag", id="own tag"),
        pytest.param("a: 1\n---\nb: 2\n", (2, 1), "second document", id="two documents"),
        pytest.param("? {a: 1}\n: 2\n", (1, 3), "not a text", id="key that is a mapping"),
        pytest.param("~: 2\n", (1, 1), "not a text", id="no key"),
        pytest.param("a: 1\n\tb: 2\n", (2, 1), "indent with spaces", id="tab"),
        pytest.param("a: b: c\n", (1, 5), "double quotes", id="two colons"),
        pytest.param("a: 'x\n", (1, 4), "close the quote", id="open quote"),
        pytest.param("a: [1, 2\n", (2, 1), "not valid YAML", id="open bracket"),
        pytest.param("a: @x\n", (1, 4), "double quotes", id="reserved character"),
        pytest.param("a:\n  b: 1\n c: 2\n", (3, 2), "indent", id="indentation"),
        pytest.param(b"a: 1\nb: \xff\n", (2, 4), "0xff is not UTF-8", id="not UTF-8"),
        pytest.param("a: 1\nb: x\0y\n", (2, 5), "U+0000", id="NUL"),
        pytest.param('a: "\\uD83D"\n', (1, 4), "surrogate", id="half a surrogate pair"),
        pytest.param('a: 1\nb: "\\UFFFFFFFF"\n', (2, 1), "does not exist", id="impossible escape"),
        pytest.param("[" * 40 + "]" * 40, (1, 33), "nested too deeply", id="too deep"),
        pytest.param(b"#" * (256 * 1024 + 1), (1, 1), "bytes", id="too large"),
    ],
)
def test_a_fault_of_form_is_refused_at_its_place(
    content: str | bytes, position: tuple[int, int], words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load_document(content, source="t.yaml")

    first = caught.value.problems[0]
    assert position == (first.line, first.column)
    assert words in str(first)
    assert f"t.yaml:{position[0]}:{position[1]}: " in str(caught.value)


@pytest.mark.slow
def test_many_values_are_refused() -> None:
    with pytest.raises(ConfigError, match="values at most"):
        load_document("- x\n" * 20_001, source="t.yaml")


def test_problems_are_told_at_once_and_their_number_is_bounded() -> None:
    with pytest.raises(ConfigError) as several:
        load_document("a: &x 1\na: !t 2\na: *x\n", source="t.yaml")
    with pytest.raises(ConfigError) as many:
        load_document("a: 1\n" * 1000, source="t.yaml")

    assert len(several.value.problems) == 5
    assert len(many.value.problems) == 50


def test_the_faulty_line_is_shown_with_a_mark_below_it() -> None:
    with pytest.raises(ConfigError) as caught:
        load_document("web:\n  host: !ip x\n", source="hub.yaml")

    shown = str(caught.value).splitlines()
    assert shown[2] == "     2 |   host: !ip x"
    assert shown[3].index("^") == shown[2].index("!")


@pytest.mark.parametrize("line", ["api_key: k3y: x", "password: hunter2: x", "url: redis://:hunter2@h: x"])
def test_a_line_that_may_hold_a_secret_is_not_shown(line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_document(f"{line}\n", source="t.yaml")

    assert "hunter2" not in str(caught.value)
    assert "k3y" not in str(caught.value)


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            *(
                "a",
                ":",
                " ",
                "\n",
                "  ",
                "- ",
                "[",
                "]",
                "{",
                "}",
                ",",
                "'",
                '"',
                "&x",
                "*x",
                "!t",
                "|",
                ">",
                "#",
            ),
            *(
                "%YAML 1.1",
                "---",
                "...",
                "?",
                "\t",
                "\\U",
                "\\x",
                "FFFFFFFF",
                "~",
                "@",
                "`",
                "\0",
                "\ud800",
                "é",
            ),
            *("%TAG ! x", "<<", "1" * 5000, '"\\UFFFFFFFF"', "\u2028", "\x85", "\r"),
        ]
    ),
    max_size=40,
).map("".join)


@pytest.mark.slow
@given(st.binary(max_size=300) | st.text(max_size=300) | FRAGMENTS)
@settings(max_examples=400, deadline=None)
def test_whatever_the_content_it_is_read_or_refused_with_a_place(content: str | bytes) -> None:
    try:
        load_document(content, source="t.yaml")
    except ConfigError as error:
        for problem in error.problems:
            assert problem.line >= 1
            assert problem.column >= 1
            assert problem.what
            assert problem.why
            assert problem.fix


@pytest.mark.slow
@given(st.dictionaries(st.text(st.characters(categories=["L", "N"]), min_size=1), st.text(), max_size=8))
def test_quoted_text_comes_back_as_it_went_in(values: dict[str, str]) -> None:
    """Every text can be written in double quotes with escapes."""
    document = "".join(f"{_quoted(key)}: {_quoted(value)}\n" for key, value in values.items())

    assert (values or None) == plain(load_document(document, source="t.yaml"))


def _quoted(text: str) -> str:
    return '"' + "".join(f"\\U{ord(character):08x}" for character in text) + '"'
