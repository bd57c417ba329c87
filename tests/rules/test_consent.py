"""Keywords, whose word counts, and what may reach a contact who opted out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model.consent import Consent, ConsentAction, ConsentSource
from hub.model.outbox import OperationKind
from hub.rules.consent import (
    CONFIRM_WITHIN_MS,
    REACHES_CONTACT,
    asks_everybody,
    decisive,
    folded,
    is_silenced,
    keyword_in,
    may_confirm,
    policy_keywords,
    supersedes,
)
from tests.rules.policies import POLICY

OUT, IN, HELP = ConsentAction.OPTED_OUT, ConsentAction.OPTED_IN, ConsentAction.HELP
KEYWORDS = policy_keywords(POLICY)


def consent(
    action: ConsentAction, said_at: int, *, recorded_at: int | None = None, source: str = "keyword"
) -> Consent:
    return Consent(
        scope_line_id=1,
        handle="+15550100001",
        action=action,
        source=ConsentSource(source),
        said_at=said_at,
        recorded_at=said_at if recorded_at is None else recorded_at,
        line_id=1,
        entry_id=said_at,
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("STOP", OUT),
        ("stop", OUT),
        ("  Stop \n", OUT),
        ("Stop.", OUT),
        ("STOP!!!", OUT),
        ("“stop”", OUT),
        ("(Stop)", OUT),
        ("¡stop!", OUT),
        ("ＳＴＯＰ", OUT),  # noqa: RUF001 - full-width letters are the case
        ("\u200bstop\u200b", OUT),
        ("\ufeffSTOP", OUT),
        ("stop\u00a0", OUT),
        ("stop   all", OUT),
        ("StopAll", OUT),
        ("unsubscribe", OUT),
        ("CANCEL", OUT),
        ("end", OUT),
        ("Quit", OUT),
        ("REVOKE", OUT),
        ("OptOut", OUT),
        ("start", IN),
        ("UNSTOP.", IN),
        ("Help?", HELP),
        ("info", HELP),
        ("stop by the shop", None),
        ("please stop", None),
        ("STOP 🛑", None),
        ("don't stop", None),
        ("s t o p", None),
        ("stop-gap", None),
        ("stopp", None),
        ("yes", None),
        ("", None),
        ("...", None),
        (None, None),
        ("stop" + " " * 200, None),
        ("STOP\0", OUT),
    ],
)
def test_a_keyword_is_the_whole_message(text: str | None, expected: ConsentAction | None) -> None:
    """Case, width, punctuation and invisible characters around it do not matter; another word does."""
    found = keyword_in(text, KEYWORDS)

    assert (found[0] if found else None) == expected


@given(st.text(max_size=120))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Folding is done with one pass: folding again changes nothing that is compared."""
    keyword_in(text, KEYWORDS)

    assert folded(folded(text)) == folded(text)


@given(st.text(st.characters(max_codepoint=127), max_size=30))
def test_plain_letters_are_folded_like_all_others(text: str) -> None:
    """The short way and the long way agree; a letter that is not ASCII takes the long one."""
    assert folded(text + "é") == folded(text + "e").removesuffix("e") + "é"


@given(st.text(alphabet=" .,!?\"'()[]-\u200b\n", max_size=10), st.sampled_from(["stop", "STOP", "Stop"]))
def test_what_stands_around_a_word_does_not_count(around: str, word: str) -> None:
    """Whatever the punctuation."""
    assert keyword_in(around + word + around, KEYWORDS) == (OUT, "stop")


@pytest.mark.parametrize(
    ("standing", "action", "said_at", "expected"),
    [
        pytest.param(None, IN, 5, True, id="the-first-word-counts"),
        pytest.param(consent(IN, 10), OUT, 11, True, id="later-stop"),
        pytest.param(consent(IN, 10), OUT, 10, True, id="stop-at-the-same-time"),
        pytest.param(consent(IN, 10), OUT, 9, False, id="a-stop-that-start-has-undone-comes-late"),
        pytest.param(consent(IN, 10, source="api"), OUT, 9, True, id="a-program-did-not-know-of-the-stop"),
        pytest.param(consent(IN, 10, source="import"), OUT, 9, True, id="nor-did-a-list"),
        pytest.param(consent(OUT, 10), IN, 11, True, id="later-start"),
        pytest.param(consent(OUT, 10), IN, 10, False, id="start-at-the-same-time"),
        pytest.param(consent(OUT, 10, source="api"), IN, 9, False, id="an-old-start-comes-late"),
        pytest.param(consent(OUT, 10), OUT, 9, False, id="an-older-stop-says-nothing-new"),
    ],
)
def test_whose_word_counts(
    standing: Consent | None, action: ConsentAction, said_at: int, *, expected: bool
) -> None:
    """The later; in doubt it is silence."""
    assert supersedes(standing, action=action, said_at=said_at) is expected


def test_of_two_scopes_the_later_word_counts() -> None:
    """A line's own and the hub's are read as one log."""
    assert not is_silenced([])
    assert is_silenced([consent(IN, 1), consent(OUT, 2)])
    assert not is_silenced([consent(OUT, 1), consent(IN, 2)])
    assert is_silenced([consent(OUT, 2), consent(IN, 1)])
    assert is_silenced([consent(IN, 5, recorded_at=5, source="api"), consent(OUT, 4, recorded_at=6)])


@given(st.lists(st.tuples(st.sampled_from([IN, OUT]), st.integers(0, 5)), min_size=1, max_size=6))
def test_the_contacts_own_last_word_decides(words: list[tuple[ConsentAction, int]]) -> None:
    """Whatever the order in which the network shows them; of two at once the opt-out."""
    seen = [consent(action, at, recorded_at=number) for number, (action, at) in enumerate(words)]
    last = max(at for _, at in words)
    expected = OUT if (OUT, last) in words else IN

    found = decisive(seen)

    assert found is not None
    assert found.action is expected


def test_it_is_decided_for_every_operation_whether_it_reaches_a_contact() -> None:
    """A new operation must be placed."""
    assert set(REACHES_CONTACT) == set(OperationKind)


@pytest.mark.parametrize(
    ("kind", "is_group", "sends", "expected"),
    [
        (OperationKind.SEND, False, "allow", True),
        (OperationKind.SEND, True, "block", True),
        (OperationKind.SEND, True, "allow", False),
        (OperationKind.GROUP_CREATE, True, "allow", True),
        (OperationKind.GROUP_ADD, True, "allow", True),
        (OperationKind.GROUP_LEAVE, True, "block", False),
        (OperationKind.READ, False, "block", False),
        (OperationKind.TYPING, False, "block", True),
        (OperationKind.REACT, False, "block", True),
        (OperationKind.UNSEND, False, "block", False),
    ],
)
def test_what_needs_consent(kind: OperationKind, *, is_group: bool, sends: str, expected: bool) -> None:
    """What reaches somebody; groups by the line's setting, but nobody is brought in."""
    policy = replace(POLICY, group_sends="allow") if sends == "allow" else POLICY

    assert asks_everybody(kind, is_group=is_group, policy=policy) is expected


@pytest.mark.parametrize(
    ("entry_id", "after_ms", "expected"),
    [
        (7, 0, True),
        (7, CONFIRM_WITHIN_MS, True),
        (7, CONFIRM_WITHIN_MS + 1, False),
        (6, 0, False),
        (None, 0, False),
    ],
)
def test_an_opt_out_may_be_confirmed_at_once(entry_id: int | None, after_ms: int, expected: bool) -> None:
    """The one that counts, and no other, for five minutes from when we heard of it."""
    said = [consent(OUT, 7, recorded_at=1_000), consent(OUT, 6, recorded_at=500)]
    assert may_confirm(said, entry_id=entry_id, now_ms=1_000 + after_ms) is expected
