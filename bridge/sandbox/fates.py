"""What becomes of a message in the simulated network: documented numbers that fail as a real network fails.

docs/sandbox.md shows this table; a test holds the two together. All numbers are in the range kept for fiction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: A line that is offline is back this long after the send was asked for.
OFFLINE_MS: Final = 3_000
#: How late the slow network accepts.
SLOW_MS: Final = 3_000
#: After its read mark, how long a contact types before it answers.
ANSWER_MS: Final = 500


class Answer(StrEnum):
    """What `perform` comes to."""

    ACCEPTED = "accepted"
    ACCEPTED_LATE = "accepted_late"
    #: Refused before anything was sent.
    REFUSED = "refused"
    #: The phone made the message, and the network refused it.
    REFUSED_AFTER_SENDING = "refused_after_sending"
    #: No answer, yet the network has it.
    TIMEOUT_SENT = "timeout_sent"
    #: No answer, no trace.
    TIMEOUT_UNSENT = "timeout_unsent"
    #: Certainly not begun, until the line is back.
    OFFLINE = "offline"
    #: Refused, unless it may go out as an SMS.
    SMS_ONLY = "sms_only"
    #: Of several parts the first goes out and the second is refused.
    PART_FAILS = "part_fails"


class Step(StrEnum):
    """One piece of evidence, in the order that the network shows them."""

    SENT = "sent"
    DOWNGRADED = "downgraded"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    ANSWERED = "answered"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delays:
    """How long after sending each piece of evidence shows, in milliseconds."""

    delivered_after_ms: int
    read_after_ms: int

    def of(self, step: Step) -> int:
        """Give the step's distance from the sending."""
        match step:
            case Step.SENT | Step.DOWNGRADED:
                return 0
            case Step.DELIVERED | Step.FAILED:
                return self.delivered_after_ms
            case Step.READ:
                return max(self.delivered_after_ms, self.read_after_ms)
            case Step.ANSWERED:
                return max(self.delivered_after_ms, self.read_after_ms) + ANSWER_MS


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """One way that a send can go."""

    name: str
    #: The number that brings it about; None for everybody else.
    number: str | None
    #: For people, as docs/sandbox.md tells it.
    story: str
    answer: Answer = Answer.ACCEPTED
    #: The network's code for a failure.
    code: str | None = None
    steps: tuple[Step, ...] = ()

    @property
    def is_sms(self) -> bool:
        return Step.DOWNGRADED in self.steps

    def fails_between(self, parts: Sequence[object], parts_done: int) -> bool:
        """Tell whether the network takes only the first of these parts."""
        return self.answer is Answer.PART_FAILS and parts_done == 0 and len(parts) > 1


_ALL_WELL: Final = (Step.SENT, Step.DELIVERED, Step.READ)

ORDINARY: Final = Fate(name="ordinary", number=None, story="Sent, delivered and read.", steps=_ALL_WELL)

FATES: Final = (
    Fate(
        name="fails_after_sending",
        number="+15550100004",
        story="Accepted and sent; then fails with the network's error 4 (timeout).",
        code="4",
        steps=(Step.SENT, Step.FAILED),
    ),
    Fate(
        name="error_22",
        number="+15550100022",
        story="Refused with error 22 (not an iMessage address) after the phone made the message.",
        answer=Answer.REFUSED_AFTER_SENDING,
        code="22",
        steps=(Step.FAILED,),
    ),
    Fate(
        name="echoes",
        number="+15550100200",
        story="Delivered and read; the contact answers with the same words.",
        steps=(*_ALL_WELL, Step.ANSWERED),
    ),
    Fate(
        name="slow",
        number="+15550100202",
        story="Accepted 3 seconds late; then delivered and read.",
        answer=Answer.ACCEPTED_LATE,
        steps=_ALL_WELL,
    ),
    Fate(
        name="never_read",
        number="+15550100204",
        story="Delivered, never read.",
        steps=(Step.SENT, Step.DELIVERED),
    ),
    Fate(
        name="part_fails",
        number="+15550100206",
        story="Of a message in several parts the first goes out and the second fails; a retry sends the rest.",
        answer=Answer.PART_FAILS,
        code="part_failed",
        steps=_ALL_WELL,
    ),
    Fate(
        name="downgraded",
        number="+15550100302",
        story="Not on iMessage: refused, but with `allow_sms_fallback` it goes out as an SMS; delivered, never read.",
        answer=Answer.SMS_ONLY,
        code="sms_only",
        steps=(Step.SENT, Step.DOWNGRADED, Step.DELIVERED),
    ),
    Fate(
        name="not_reachable",
        number="+15550100404",
        story="Refused: not reachable on iMessage. Nothing is sent.",
        answer=Answer.REFUSED,
        code="not_reachable",
    ),
    Fate(
        name="timeout_then_success",
        number="+15550100408",
        story="The bridge times out, but the network has the message: looked up, found, delivered and read.",
        answer=Answer.TIMEOUT_SENT,
        code="timeout",
        steps=_ALL_WELL,
    ),
    Fate(
        name="replies_stop",
        number="+15550100410",
        story="Delivered and read; the contact answers STOP.",
        steps=(*_ALL_WELL, Step.ANSWERED),
    ),
    Fate(
        name="line_offline",
        number="+15550100503",
        story="The line is offline: certainly not sent, so it is tried again; back 3 seconds after the request.",
        answer=Answer.OFFLINE,
        code="line_offline",
        steps=_ALL_WELL,
    ),
    Fate(
        name="timeout_never_sent",
        number="+15550100504",
        story="The bridge times out and the network shows no trace: ends as `delivery_unknown`, never sent again.",
        answer=Answer.TIMEOUT_UNSENT,
        code="timeout",
    ),
)

_BY_NUMBER: Final = {fate.number: fate for fate in FATES}
_BY_NAME: Final = {fate.name: fate for fate in FATES}


def fate_of(recipient: str) -> Fate:
    """Give what becomes of a message to a handle (normalised)."""
    return _BY_NUMBER.get(recipient, ORDINARY)


def fate_named(name: str) -> Fate:
    """Give the fate that was recorded with a send; a name we no longer know is an ordinary one."""
    return _BY_NAME.get(name, ORDINARY)
