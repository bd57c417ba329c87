"""What a model is asked, and what is left of its answer."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.draft import Prompt, Role, Turn
from hub.rules.drafting import clean_words, estimated_tokens, make_prompt


def _them(content: str) -> Turn:
    return Turn(role=Role.USER, content=content)


def _us(content: str) -> Turn:
    return Turn(role=Role.ASSISTANT, content=content)


def _asked(*turns: Turn, most: int = 1000) -> tuple[Turn, ...] | None:
    prompt = make_prompt(turns, system="", instructions=None, most_characters=most)
    return None if prompt is None else prompt.turns


def test_roles_alternate_and_the_contact_begins() -> None:
    assert _asked(_us("Hi"), _them("a"), _them("b"), _us("c"), _them("d")) == (
        _them("a\nb"),
        _us("c"),
        _them("d"),
    )


@pytest.mark.parametrize("turns", [(), (_us("Hi"),), (_them("  "),)])
def test_without_words_of_the_contact_there_is_nothing_to_answer(turns: tuple[Turn, ...]) -> None:
    assert _asked(*turns) is None


def test_the_newest_words_stay() -> None:
    assert _asked(_them("old" * 10), _us("reply"), _them("new"), most=8) == (_them("new"),)


def test_of_one_turn_that_is_too_long_the_end_stays() -> None:
    assert _asked(_them("abcdef"), most=3) == (_them("def"),)


def test_instructions_follow_the_operators() -> None:
    prompt = make_prompt([_them("a")], system="Be kind.", instructions=" In German. ", most_characters=99)

    assert prompt is not None
    assert prompt.system == "Be kind.\n\nIn German."


@given(
    st.lists(st.builds(Turn, role=st.sampled_from(Role), content=st.text(max_size=30))), st.integers(1, 120)
)
def test_a_prompt_is_within_its_bound_and_in_form(turns: list[Turn], most: int) -> None:
    prompt = make_prompt(turns, system="", instructions=None, most_characters=most)

    if prompt is not None:
        roles = [turn.role for turn in prompt.turns]
        assert roles[0] is Role.USER
        assert all(one is not other for one, other in itertools.pairwise(roles))
        assert sum(len(turn.content) for turn in prompt.turns) <= most + len(turns)


CLEANED = {
    "control characters go": ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
    "turned direction goes": ("safe\u202eexe.gpj", "safeexe.gpj"),
    "lines stay": ("a\r\nb\n\n\n\nc", "a\nb\n\nc"),
    "emoji of several code points stay": ("👩‍💻 🇩🇪 ❤️", "👩‍💻 🇩🇪 ❤️"),
    "white space around goes": ("  a \n", "a"),
}


@pytest.mark.parametrize("case", CLEANED)
def test_a_models_words_are_cleaned(case: str) -> None:
    words, cleaned = CLEANED[case]

    assert cleaned == clean_words(words, most_characters=100)


def test_words_are_cut_at_the_end_of_one() -> None:
    assert clean_words("We are open on Saturday", most_characters=14) == "We are open on"
    assert clean_words("x" * 20, most_characters=14) == "x" * 14


@given(st.text(), st.integers(1, 50))
def test_cleaned_words_hold_nothing_that_harms(text: str, most: int) -> None:
    words = clean_words(text, most_characters=most)

    assert len(words) <= most
    assert all(each in "\n\t" or unicodedata.category(each) not in {"Cc", "Cs"} for each in words)
    assert clean_words(words, most_characters=most) == words


def test_a_reservation_covers_question_and_answer() -> None:
    prompt = Prompt(system="abcd", turns=(_them("abcdef"),))

    assert estimated_tokens(prompt, max_output_tokens=100) == 106
