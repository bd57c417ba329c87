"""A search finds words whatever the case of their letters, in every script that has cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules import textsearch
from hub.rules.textsearch import is_in, needle_of

#: More letters with other spellings than a database takes calls within calls.
PANGRAMS = "съешь же ещё этих мягких французских булок, да выпей чаю; ξεσκεπάζω τὴν ψυχοφθόρα βδελυγμία"
FOUND = [
    ("hello", "Say HELLO to her"),
    ("HELLO", "hello"),
    ("über", "ÜBERALL"),
    ("ÜBER", "überall"),
    ("ПРИВЕТ", "привет!"),
    ("привет", "ПРИВЕТ"),
    ("οδοσ", "ΟΔΟΣ"),
    ("ΟΔΟΣ", "οδος"),
    ("STRAẞE", "straße"),
    ("100%", "at 100% now"),
    ("a_b", "A_B"),
    ("👍", "fine 👍🏽"),
    ("𐐨", "𐐀"),
    (PANGRAMS, f"({PANGRAMS.upper()})"),
]
NOT_FOUND = [
    ("hello", "help"),
    ("uber", "über"),
    ("strasse", "straße"),
    ("100%", "1000"),
    ("a_b", "axb"),
    ("é", "e\u0301"),
]


@pytest.mark.parametrize(("query", "text"), FOUND)
def test_found(query: str, text: str) -> None:
    assert is_in(needle_of(query), text)


@pytest.mark.parametrize(("query", "text"), NOT_FOUND)
def test_not_found(query: str, text: str) -> None:
    assert not is_in(needle_of(query), text)


def test_only_letters_of_the_query_are_respelled() -> None:
    assert needle_of("Hi Ö").spellings == (("Ö", "ö"),)
    assert needle_of("Hi").spellings == ()


def test_no_letter_is_a_spelling_of_another() -> None:
    """So it does not matter whether a database respells one after the other or all at once."""
    spellings = textsearch._spellings()
    others = {spelling for each in spellings.values() for spelling in each}

    assert not others & spellings.keys()
    assert {len(sign) for sign in (*others, *spellings)} == {1}
    assert not any(sign.isascii() for sign in (*others, *spellings))


@given(st.text(), st.text(), st.text())
def test_each_text_holds_its_own_words(before: str, words: str, after: str) -> None:
    assert is_in(needle_of(words), before + words + after)


@given(st.text(alphabet=st.characters(categories=["Lu", "Ll", "Zs"])))
def test_the_case_of_the_query_does_not_matter(words: str) -> None:
    """Wherever each letter has exactly one other case."""
    swapped = words.swapcase()
    if len(swapped) == len(words) and swapped.swapcase() == words:
        assert is_in(needle_of(swapped), words) == is_in(needle_of(words), swapped)


@pytest.mark.slow
def test_no_script_is_left_out() -> None:
    """No letter outside of the blocks that are listed has another spelling."""
    listed = set(textsearch._CASED)
    others = (code for code in range(0x80, 0x110000) if code not in listed and not 0xD800 <= code < 0xE000)

    assert [hex(code) for code in others if textsearch._folded(chr(code)) != chr(code)] == []
