"""What may stand in a contact, and how it is found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.contact import Contact, ContactHandle, ContactTag, HandleKind
from hub.rules import contacts as rules
from hub.rules.contacts import ContactFields
from hub.rules.problems import Problem

PHONE, EMAIL = HandleKind.PHONE, HandleKind.EMAIL
ANN = Contact(id=1, first_name="Ann", last_name="Lee", created_at=1, updated_at=1)

HANDLES = [
    ("+1 (555) 010-0001", "+15550100001", PHONE),
    ("0049 170 1234567", "+491701234567", PHONE),
    ("15550100001", "+15550100001", PHONE),
    ("262966", "262966", PHONE),
    ("Ann@Example.COM ", "ann@example.com", EMAIL),
]

NO_HANDLES = {
    "nothing": ("", "neither a phone number nor a mail address"),
    "blank": ("  ", "neither"),
    "a name": ("Ann", "neither"),
    "a national number": ("0170 1234567", "no country code"),
    "too few digits": ("+123", "neither"),
    "too many digits": ("+1234567890123456", "neither"),
    "a country code of 0": ("+0155501000", "neither"),
    "two at signs": ("a@b@c", "one @"),
    "a blank in a mail address": ("a b@c.de", "one @"),
    "a control character": ("a\x07@c.de", "control"),
    "too long": ("a" * 320 + "@example.com", "Shorten"),
}


@pytest.mark.parametrize(("written", "handle", "kind"), HANDLES)
def test_a_handle_is_spelt_our_way(written: str, handle: str, kind: HandleKind) -> None:
    assert rules.read_handle(written) == ContactHandle(handle=handle, kind=kind)


@pytest.mark.parametrize(("written", "words"), NO_HANDLES.values(), ids=NO_HANDLES.keys())
def test_what_is_no_handle_is_refused_with_the_accepted_form(written: str, words: str) -> None:
    problem = rules.read_handle(written)

    assert isinstance(problem, Problem)
    assert words in str(problem)


def test_a_national_number_is_completed_only_where_the_caller_said_the_region() -> None:
    assert isinstance(rules.read_handle("0170 1234567", hint_region="DE"), Problem)
    assert "write +491701234567" in str(rules.read_handle("0170 1234567", hint_region="DE"))
    assert rules.read_handle("0170 1234567", region="DE") == ContactHandle(handle="+491701234567", kind=PHONE)
    assert rules.read_handle("+15550100001", region="DE") == ContactHandle(handle="+15550100001", kind=PHONE)


@given(st.text(max_size=400))
def test_any_text_is_a_handle_or_a_problem_and_a_handle_stays_what_it_is(text: str) -> None:
    read = rules.read_handle(text)
    if isinstance(read, ContactHandle):
        assert rules.read_handle(read.handle) == read
        assert len(read.handle) <= rules.LONGEST_HANDLE


@given(st.text(max_size=100))
def test_any_text_is_a_tag_or_a_problem_and_a_tag_stays_what_it_is(text: str) -> None:
    tag = rules.read_tag(text)
    if isinstance(tag, str):
        assert rules.read_tag(tag) == tag


@pytest.mark.parametrize("text", ["", " ", "a,b", "a;b", "a/b", "x" * 65, "a\x00b"])
def test_what_is_no_tag_is_refused(text: str) -> None:
    assert isinstance(rules.read_tag(text), Problem)


def test_lines_lose_their_breaks_and_notes_keep_them() -> None:
    assert rules.read_line(" Ann \n Lee ", most=10) == "Ann Lee"
    assert rules.read_line(" ", most=10) is None
    assert rules.read_notes("one\r\ntwo\n") == "one\ntwo"
    assert isinstance(rules.read_line("a\x00", most=10), Problem)
    assert isinstance(rules.read_line("x" * 11, most=10), Problem)
    assert isinstance(rules.read_notes("x" * 10_001), Problem)
    assert isinstance(rules.read_metadata({"a": "x" * 1024}), Problem)


def test_a_name_is_what_was_given_or_first_and_last() -> None:
    assert ANN.shown_name == "Ann Lee"
    assert rules.merged(ANN, ContactFields(name="A. Lee"), now_ms=2).shown_name == "A. Lee"
    assert Contact(id=1, created_at=1, updated_at=1).shown_name is None


def test_merging_adds_and_takes_nothing_away() -> None:
    one = ContactHandle(handle="+15550100001", kind=PHONE, label="work")
    known = rules.new_contact(
        ContactFields(name="Ann", handles=(one,), tags=("vip",)), contact_id=1, now_ms=5
    )
    two = ContactHandle(handle="ann@example.com", kind=EMAIL)
    said = ContactFields(
        job_title="CEO", handles=(ContactHandle(handle=one.handle, kind=PHONE), two), tags=("a", "vip")
    )
    merged = rules.merged(known, said, now_ms=9)

    assert (merged.name, merged.job_title, merged.handles) == ("Ann", "CEO", (one, two))
    assert merged.tags == (ContactTag(tag="a", added_at=9), ContactTag(tag="vip", added_at=5))
    assert (merged.created_at, merged.updated_at) == (5, 9)
    assert rules.merged(merged, said, now_ms=11) == merged


def test_names_are_ordered_without_regard_to_case_and_something_stands_for_a_missing_name() -> None:
    handle = ContactHandle(handle="+15550100001", kind=PHONE)
    fields = [
        (ContactFields(name="ÄNN"), "änn"),
        (ContactFields(organization="Acme"), "acme"),
        (ContactFields(handles=(handle,)), "+15550100001"),
        (ContactFields(name="x" * 200), "x" * 64),
    ]
    for said, expected in fields:
        assert rules.sort_name(rules.new_contact(said, contact_id=1, now_ms=1)) == expected


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("ann", True),
        ("LEE", True),
        ("ann  lee", True),
        ("555 010", True),
        ("+1 (555)", True),
        ("acme", True),
        ("vip", True),
        ("bob", False),
        ("nnl", False),
    ],
)
def test_a_search_finds_names_handles_organizations_and_tags(query: str, is_found: bool) -> None:
    handle = ContactHandle(handle="+15550100001", kind=PHONE)
    said = ContactFields(
        first_name="Ann", last_name="Lee", organization="ACME", handles=(handle,), tags=("VIP",)
    )
    contact = rules.new_contact(said, contact_id=1, now_ms=1)

    assert (rules.search_needle(query) in rules.search_text(contact)) is is_found


@given(st.text(max_size=80))
def test_a_masked_value_shows_four_characters_at_the_most(text: str) -> None:
    shown = rules.masked(text)

    assert len(shown.replace("*", "")) <= max(4, text.count("*"))
    assert len(text) > 4 or set(shown) <= {"*"}
