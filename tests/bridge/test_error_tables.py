"""The pages of bridges to vendors name every code that their tables of errors give, with the vendor's numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from bridge.twilio import errors as twilio
from bridge.whatsapp import errors as whatsapp

DOCS = Path(__file__).parents[2] / "docs"
TABLES: Mapping[str, tuple[Mapping[int, twilio.Fault | whatsapp.Fault], AbstractSet[int]]] = {
    "twilio.md": ({**twilio.FAULTS}, twilio.BUSY),
    "whatsapp.md": ({**whatsapp.FAULTS}, whatsapp.BUSY.keys()),
}


def rows(page: str) -> list[tuple[set[str], set[int], str]]:
    text = (DOCS / page).read_text("utf-8").partition("## When it fails")[2].partition("\n## ")[0]
    found = re.findall(r"^\| (`[^|]+) \| ([0-9, ]*) ?\| ([^|]+) \|$", text, re.MULTILINE)
    return [
        (
            set(re.findall(r"`([a-z0-9_]+)`", codes)),
            {int(each) for each in re.findall("[0-9]+", numbers)},
            words,
        )
        for codes, numbers, words in found
    ]


@pytest.mark.parametrize("page", TABLES)
def test_every_number_stands_beside_its_code(page: str) -> None:
    listed = rows(page)

    for number, fault in TABLES[page][0].items():
        assert any(number in numbers and fault.code in codes for codes, numbers, _ in listed), (number, fault)


@pytest.mark.parametrize("page", TABLES)
def test_what_is_tried_again_says_so(page: str) -> None:
    faults, busy = TABLES[page]

    for number in busy:
        words = next(words for codes, _, words in rows(page) if faults[number].code in codes)
        assert "ried again by itself" in words, number
