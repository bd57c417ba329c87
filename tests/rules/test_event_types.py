"""The registry of event types and the patterns that choose among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.event_types import (
    EVENT_TYPES,
    EVENT_TYPES_BY_NAME,
    SUBSCRIBABLE,
    expand_pattern,
    validate_pattern,
)
from hub.rules.facts import FACT_TYPES
from hub.rules.problems import Problem


def test_registry_is_alphabetical_and_without_repeats() -> None:
    """One list, one order (house style 7)."""
    names = [event_type.name for event_type in EVENT_TYPES]

    assert names == sorted(set(names))


def test_native_types_are_the_four_of_the_contract() -> None:
    """contracts: messages.dev §6; any other name breaks the vendor's client."""
    native = {event_type.name for event_type in EVENT_TYPES if event_type.is_native}

    assert native == {"message.received", "message.sent", "reaction.added", "reaction.removed"}


def test_live_events_are_not_subscribable() -> None:
    """contracts: messages.dev §6: these three are rejected on subscribe."""
    live = {event_type.name for event_type in EVENT_TYPES if not event_type.is_subscribable}

    assert live == {"typing.started", "typing.stopped", "receipt.read"}


def test_every_fact_can_be_subscribed_to() -> None:
    """What ingest can claim and what a webhook can ask for are in step."""
    assert set(FACT_TYPES) <= set(SUBSCRIBABLE)
    assert set(SUBSCRIBABLE) - set(FACT_TYPES) == {
        "bulk.completed",
        "chat.assigned",
        "connection.paused",
        "connection.resumed",
        "contact.help_requested",
        "contact.opted_in",
        "contact.opted_out",
        "line.degraded",
        "line.offline",
        "line.online",
        "message.cancelled",
        "message.queued",
        "source.received",
        "webhook.disabled",
        "webhook.test",
    }


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("message.sent", ("message.sent",)),
        ("reaction.*", ("reaction.added", "reaction.removed")),
        ("*", tuple(name for name in SUBSCRIBABLE if name != "source.received")),
        ("typing.*", ()),
        ("nonsense", ()),
    ],
)
def test_patterns_stand_for_types(pattern: str, expected: tuple[str, ...]) -> None:
    """A whole type, a family, everything; live events never."""
    assert expand_pattern(pattern) == expected


@pytest.mark.parametrize(
    "pattern",
    ["*", "bulk.*", "chat.*", "line.*", "message.*", "reaction.*", "source.*", "webhook.*", *SUBSCRIBABLE],
)
def test_valid_patterns_are_kept_as_written(pattern: str) -> None:
    """Everything the registry offers can be asked for."""
    assert validate_pattern(pattern) == pattern


@pytest.mark.parametrize(
    ("text", "why", "fix"),
    [
        ("message.recieved", "no event type has that name", "Did you mean message.received"),
        ("Message.Sent", "no event type has that name", "Did you mean message.sent"),
        ("messages.*", "a star stands alone", "Did you mean message.*"),
        ("message", "it is a family of event types", "Write message.* for all of them"),
        ("message.re*", "a star stands alone", "Did you mean message.*"),
        ("**", "a star stands alone", "Did you mean *"),
        ("*.added", "a star stands alone", "Choose among"),
        ("typing.started", "such events are live only", "Choose among *, bulk.*"),
        ("typing.*", "such events are live only", "Choose among *, bulk.*"),
        ("receipt.read", "such events are live only", "Choose among *, bulk.*"),
        ("", "no event type has that name", "Choose among"),
        (" *", "a star stands alone", "Did you mean *"),
    ],
)
def test_invalid_patterns_are_explained(text: str, why: str, fix: str) -> None:
    """A typo is refused with what was probably meant: it would be a webhook that never fires."""
    problem = validate_pattern(text)

    assert isinstance(problem, Problem)
    assert problem.why.startswith(why)
    assert problem.fix.startswith(fix)


def test_a_problem_reads_as_sentences() -> None:
    """What the API and the command line print."""
    assert str(validate_pattern("mesage.sent")) == (
        "'mesage.sent' cannot be subscribed to: no event type has that name. Did you mean message.sent?"
    )


@given(st.text(max_size=300))
def test_any_text_is_valid_or_explained(text: str) -> None:
    """Foreign text neither raises nor floods the answer."""
    result = validate_pattern(text)

    assert result == text if isinstance(result, str) else len(str(result)) < 2000
    assert bool(expand_pattern(text)) == isinstance(result, str)
    assert all(name in EVENT_TYPES_BY_NAME for name in expand_pattern(text))
