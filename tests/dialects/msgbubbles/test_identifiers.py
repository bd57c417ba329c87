"""Ids are re-spelt there and back; nothing else is read as one."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.dialects.msgbubbles.errors import Refused
from hub.dialects.msgbubbles.identifiers import KINDS, native_named, native_of, uuid_of, uuid_text
from hub.model.ids import Prefix, id_text

NUMBERS = st.integers(0, 2**63 - 1)
KIND = st.sampled_from(sorted(KINDS))


@given(KIND, NUMBERS)
def test_an_id_is_a_uuid_and_back(prefix: Prefix, number: int) -> None:
    text = uuid_of(id_text(prefix, number))

    assert (uuid.UUID(text).version, uuid.UUID(text).variant) == (8, uuid.RFC_4122)
    assert native_of(prefix, text) == native_of(prefix, text.upper()) == id_text(prefix, number)
    assert all(native_of(other, text) is None for other in KINDS if other != prefix)


@given(NUMBERS, NUMBERS)
def test_uuids_sort_as_ids_do(one: int, other: int) -> None:
    first, second = uuid_text(Prefix.MESSAGE, one), uuid_text(Prefix.MESSAGE, other)

    assert (first < second) == (one < other)


@given(st.uuids(allow_nil=True))
def test_a_foreign_uuid_names_nothing(foreign: uuid.UUID) -> None:
    assert all(native_of(prefix, str(foreign)) is None for prefix in KINDS)


@given(KIND, NUMBERS, st.integers(0, 127))
def test_no_bit_may_be_another(prefix: Prefix, number: int, place: int) -> None:
    spoilt = str(uuid.UUID(int=uuid.UUID(uuid_text(prefix, number)).int ^ 1 << place))
    read = native_of(prefix, spoilt)

    assert read is None or uuid_of(read) == spoilt


def test_what_is_no_uuid_is_malformed_and_a_foreign_one_not_found() -> None:
    for text, code in (
        ("msg_0f2m4h8x0g001", "invalid_request"),
        ("", "invalid_request"),
        ("{02cac14b-8000-8100-a500-627562626c65}", "invalid_request"),
        ("02cac14b80008100a500627562626c65", "invalid_request"),
        ("0d4b1f3a-0000-4000-8000-000000000000", "not_found"),
        ("ffffffff-ffff-8fff-8000-627562626c65", "not_found"),
    ):
        with pytest.raises(Refused) as refused:
            native_named(Prefix.MESSAGE, text, param="id")
        assert refused.value.code == code, text


def test_the_spelling_stays_as_it_is() -> None:
    """Clients keep these: a change would lose them."""
    assert uuid_of(id_text(Prefix.MESSAGE, 0x0123_4567_89AB_CDEF)) == "01234567-89ab-8cde-bc40-627562626c65"
