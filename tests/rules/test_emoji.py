"""One emoji is one sign to the eye; words, two signs and broken sequences are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.emoji import LONGEST, is_one_emoji

ONE = {
    "a face": "😂",
    "an old sign in colour": "❤️",
    "an old sign, plain": "❤",
    "a skin tone": "👍🏽",
    "an old sign with a skin tone": "✌🏿",
    "a family": "👨‍👩‍👧‍👦",
    "two people with two skin tones": "👩🏻‍🤝‍👨🏿",
    "a kiss with skin tones": "👩🏼‍❤️‍💋‍👨🏽",
    "a profession": "👩🏾‍🚀",
    "a direction": "🏃‍♀️‍➡️",
    "a burning heart": "❤️‍🔥",
    "a flag of a country": "🇳🇱",
    "a flag of a region": "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "a flag of many colours": "🏳️‍🌈",
    "a pirate's flag": "🏴‍☠️",
    "a keycap": "3️⃣",
    "a keycap without its selector": "#⃣",
    "a sign of business": "™️",
    "a new one": "🫩",
}
OTHER = {
    "nothing": "",
    "a name": "heart",
    "a letter": "a",
    "a digit": "3",
    "a digit in colour": "3️",
    "two faces": "😂😂",
    "a face and a blank": "😂 ",
    "a blank and a face": " 😂",
    "a face and a line break": "😂\n",
    "a face and a word": "😂ok",
    "one regional letter": "🇳",
    "three regional letters": "🇳🇱🇧",
    "two flags": "🇳🇱🇧🇪",
    "a joiner at the end": "👩‍",
    "a joiner at the beginning": "‍👩",
    "two joiners": "👩‍‍👧",
    "a selector alone": "️",
    "a skin tone alone": "🏽",
    "a skin tone twice": "👍🏽🏽",
    "tags without an end": "🏴󠁧󠁢󠁳󠁣󠁴",
    "tags on another sign": "😂󠁧󠁢󠁳󠁣󠁴󠁿",
    "punctuation": "!",
    "a smiley of characters": ":)",
    "a sign that is no emoji": "☙",
    "a letter with an accent": "é",
    "a Chinese sign": "好",
    "far too many": "👩" + "‍👩" * LONGEST,
}


@pytest.mark.parametrize("text", ONE.values(), ids=ONE)
def test_one_emoji(text: str) -> None:
    assert is_one_emoji(text)


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_anything_else(text: str) -> None:
    assert not is_one_emoji(text)


@given(st.text())
def test_what_is_one_is_not_one_twice(text: str) -> None:
    """However odd the text: two of a sign are never one."""
    assert not (is_one_emoji(text) and is_one_emoji(text + text))


@given(st.text(alphabet=st.characters(max_codepoint=0x7F)))
def test_plain_characters_are_never_an_emoji(text: str) -> None:
    assert not is_one_emoji(text)
