"""What every bridge must do, whatever its network. Subclass it in the bridge's tests and give the fixture `harness`."""

from __future__ import annotations

import asyncio
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from hub.flow.ports import BridgeAdapter
from hub.model.capability import CAPABILITIES
from hub.model.errors import AttachmentGone
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationKind
from hub.rules.capabilities import needs_of
from hub.rules.facts import facts_of, is_own
from hub.rules.refusals import validate
from tests.bridge.any_day import require_the_same

LINE_ID = 7
_NOT_DONE = {Disposition.REJECTED, Disposition.NOT_STARTED}


class BridgeHarness(ABC):
    """A bridge with a network behind it that a test can steer."""

    @property
    @abstractmethod
    def adapter(self) -> BridgeAdapter:
        """The bridge under test."""

    @abstractmethod
    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        """Make an operation towards a contact for whom all goes well; each has an outbox id of its own."""

    @abstractmethod
    def timing_out(self) -> tuple[Operation, ...]:
        """Make sends that the bridge cannot answer in time."""

    @abstractmethod
    def arrived(self, operation: Operation) -> int:
        """Count how often the network has the operation."""

    @abstractmethod
    async def seen(self) -> list[Observation]:
        """Give all that the bridge tells until its network is quiet, from the beginning if it must repeat."""

    async def hear(self) -> list[Observation]:
        """Let a contact write; give what is told of it only now, if there is such a thing as a webhook."""
        return []

    def restarted(self) -> BridgeAdapter:
        """Give the bridge as it is after a crash: it remembers nothing of what it did."""
        return self.adapter

    @property
    def shown_as(self) -> str | None:
        """What names this harness in a process, where each shows the same; None where one differs from the next."""
        return None

    @property
    def can_be_asked(self) -> bool:
        """Whether the network can be asked what became of a send; where it cannot, only evidence tells."""
        return True

    async def group(self) -> str:
        """Give the key of a group that the line is in, with the contact and one more."""
        made = await self.adapter.perform(self.operation(OperationKind.GROUP_CREATE, participants=MEMBERS))
        return str((made.result or {}).get("chat_key", "no-group"))


MEMBERS = ("+15550100001", "+15550100002")
NEWCOMER = "+15550100003"

Asking = Callable[[BridgeHarness], Awaitable[Operation]]


def _says(kind: OperationKind, **payload: object) -> Asking:
    """An operation that needs nothing before it."""

    async def ask(harness: BridgeHarness) -> Operation:
        return harness.operation(kind, **payload)

    return ask


def _on_message(kind: OperationKind, **payload: object) -> Asking:
    """An operation on a message that the line has sent."""

    async def ask(harness: BridgeHarness) -> Operation:
        sent = await harness.adapter.perform(harness.operation(OperationKind.SEND, text="helo"))
        return harness.operation(kind, message_guid=sent.provider_id, **payload)

    return ask


def _in_group(kind: OperationKind, **payload: object) -> Asking:
    """An operation in a group that the line is in."""

    async def ask(harness: BridgeHarness) -> Operation:
        return harness.operation(kind, chat_key=await harness.group(), **payload)

    return ask


#: An operation, the capability that it needs beside those of its preparation, and what its result tells.
OPERATIONS: tuple[tuple[str, Asking, frozenset[str]], ...] = (
    ("attachments", _says(OperationKind.SEND, attachments=["file_0000000000001"]), frozenset()),
    ("audio", _says(OperationKind.SEND, audio_message="file_0000000000002"), frozenset()),
    ("availability", _says(OperationKind.CHECK, handle=MEMBERS[0]), frozenset({"handle", "imessage", "sms"})),
    ("availability", _says(OperationKind.CHECK, handles=MEMBERS), frozenset({"handles"})),
    (
        "background",
        _says(OperationKind.BACKGROUND, file_id="file_0000000000003"),
        frozenset({"has_background", "background_id", "version"}),
    ),
    *(
        (
            capability,
            _says(OperationKind.CONTACT_CARD, action="set", card={"first_name": "Ada"}),
            frozenset({"card"}),
        )
        for capability in ("contact_card", "contact_card_own")
    ),
    ("edit", _on_message(OperationKind.EDIT, text="hello"), frozenset()),
    ("effects", _says(OperationKind.SEND, text="hi", effect="confetti"), frozenset()),
    ("facetime", _says(OperationKind.FACETIME), frozenset({"url"})),
    (
        "group_create",
        _says(OperationKind.GROUP_CREATE, participants=MEMBERS, text="hi all"),
        frozenset({"chat_key"}),
    ),
    ("group_empty", _says(OperationKind.GROUP_CREATE, participants=MEMBERS), frozenset({"chat_key"})),
    ("group_icon", _in_group(OperationKind.GROUP_ICON, file_id="file_0000000000004"), frozenset()),
    ("group_leave", _in_group(OperationKind.GROUP_LEAVE), frozenset()),
    ("group_members", _in_group(OperationKind.GROUP_ADD, handle=NEWCOMER), frozenset()),
    ("group_members", _in_group(OperationKind.GROUP_REMOVE, handle=MEMBERS[1]), frozenset()),
    ("group_rename", _in_group(OperationKind.GROUP_RENAME, name="Trip"), frozenset()),
    (
        "link_preview",
        _says(OperationKind.SEND, text="https://hub.example", link_preview={"title": "Hub"}),
        frozenset(),
    ),
    ("location", _says(OperationKind.LOCATION), frozenset({"places"})),
    (
        "mentions",
        _says(OperationKind.SEND, parts=[{"type": "text", "text": "hi", "mention": MEMBERS[0]}]),
        frozenset(),
    ),
    (
        "polls",
        _says(OperationKind.POLL, title="Lunch?", options=["Soup", "Salad"]),
        frozenset({"poll_guid", "options"}),
    ),
    ("react_emoji", _says(OperationKind.REACT, message_guid="TARGET-GUID", type="🎉"), frozenset()),
    ("react_std", _says(OperationKind.REACT, message_guid="TARGET-GUID", type="love"), frozenset()),
    (
        "react_std",
        _says(OperationKind.REACT, message_guid="TARGET-GUID", type="love", remove=True),
        frozenset(),
    ),
    ("read_out", _says(OperationKind.READ), frozenset()),
    ("reply", _says(OperationKind.SEND, text="yes", reply_to_guid="PARENT-GUID"), frozenset()),
    ("subject", _says(OperationKind.SEND, text="hi", subject="News"), frozenset()),
    (
        "templates",
        _says(OperationKind.SEND, template={"name": "shipped", "language": "en_US", "values": ["Ada"]}),
        frozenset(),
    ),
    ("text", _says(OperationKind.SEND, text="hello"), frozenset()),
    ("typing_out", _says(OperationKind.TYPING, state="on"), frozenset()),
    ("unread_out", _says(OperationKind.UNREAD), frozenset()),
    ("unsend", _on_message(OperationKind.UNSEND), frozenset()),
)
#: Capabilities that show in evidence, in how a send is repeated, or which network it goes by, and in no operation of
#: their own.
SHOWN_OTHERWISE = frozenset(
    {
        "delivered",
        "focus",
        "history",
        "idempotent_send",
        "react_many",
        "read_in",
        "sms_fallback",
        "typing_in",
        "whatsapp",
    }
)


class BridgeConformance:
    """The conformance suite."""

    async def test_capabilities_are_names_of_the_list(self, harness: BridgeHarness) -> None:
        assert await harness.adapter.capabilities() <= CAPABILITIES.keys()

    @pytest.mark.parametrize(("capability", "ask", "tells"), OPERATIONS, ids=[each[0] for each in OPERATIONS])
    async def test_capability_is_honoured_or_the_operation_refused(
        self, harness: BridgeHarness, capability: str, ask: Asking, tells: frozenset[str]
    ) -> None:
        operation = await ask(harness)
        can = needs_of(operation.kind, operation.payload) <= await harness.adapter.capabilities()

        outcome = await harness.adapter.perform(operation)

        assert capability in needs_of(operation.kind, operation.payload)
        assert outcome.disposition is (Disposition.ACCEPTED if can else Disposition.REJECTED)
        assert can or outcome.code == "unsupported"
        assert not can or tells <= (outcome.result or {}).keys()

    async def test_what_was_refused_leaves_no_trace(self, harness: BridgeHarness) -> None:
        able = await harness.adapter.capabilities()
        for _, ask, _ in OPERATIONS:
            operation = await ask(harness)
            if not needs_of(operation.kind, operation.payload) <= able:
                await harness.adapter.perform(operation)

                assert harness.arrived(operation) == 0

    async def test_health_is_one_of_three_states(self, harness: BridgeHarness) -> None:
        assert (await harness.adapter.health())[0] in {"online", "degraded", "offline"}

    async def test_an_attachment_that_nobody_has_is_gone(self, harness: BridgeHarness) -> None:
        with pytest.raises(AttachmentGone):
            await anext(harness.adapter.open_attachment("no such attachment"))

    async def test_accepted_send_has_the_networks_id(self, harness: BridgeHarness) -> None:
        outcome = await harness.adapter.perform(harness.operation(OperationKind.SEND, text="hello"))

        assert outcome.provider_id

    async def test_repeated_attempt_arrives_once_where_that_is_claimed(self, harness: BridgeHarness) -> None:
        operation = harness.operation(OperationKind.SEND, text="hello")
        if "idempotent_send" not in await harness.adapter.capabilities():
            return

        outcomes = [await harness.adapter.perform(operation) for _ in range(3)]

        assert len(set(outcomes)) == 1
        assert harness.arrived(operation) == 1

    async def test_timeout_is_an_outcome_and_never_raises(self, harness: BridgeHarness) -> None:
        for operation in harness.timing_out():
            outcome = await harness.adapter.perform(operation)

            assert outcome.disposition is Disposition.MAY_HAVE_COMPLETED
            assert not outcome.is_retry_safe

    async def test_lookup_finds_what_happened(self, harness: BridgeHarness) -> None:
        operation = harness.operation(OperationKind.SEND, text="hello")
        performed = await harness.adapter.perform(operation)

        found = await harness.adapter.lookup(operation)

        if not harness.can_be_asked:
            assert found.disposition is Disposition.MAY_HAVE_COMPLETED
            return
        assert found.disposition is Disposition.ACCEPTED
        assert found.provider_id == performed.provider_id

    async def test_another_send_of_the_same_words_proves_nothing(self, harness: BridgeHarness) -> None:
        performed = await harness.adapter.perform(harness.operation(OperationKind.SEND, text="hello"))
        lost = replace(
            harness.operation(OperationKind.SEND, text="hello"),
            taken=frozenset({performed.provider_id or ""}),
        )

        found = await harness.restarted().lookup(lost)

        assert found.disposition is not Disposition.ACCEPTED
        assert found.provider_id is None

    async def test_of_two_sends_of_the_same_words_each_is_found(self, harness: BridgeHarness) -> None:
        first, second = (harness.operation(OperationKind.SEND, text="hello") for _ in range(2))
        performed = [await harness.adapter.perform(each) for each in (first, second)]
        taken = frozenset({performed[0].provider_id or ""})

        found = await harness.restarted().lookup(replace(second, taken=taken))

        assert found.provider_id == (performed[1].provider_id if harness.can_be_asked else None)

    async def test_lookup_never_claims_what_did_not_happen(self, harness: BridgeHarness) -> None:
        found = await harness.adapter.lookup(harness.operation(OperationKind.SEND, text="hello"))

        assert found.disposition is not Disposition.ACCEPTED
        assert found.provider_id is None

    async def test_lookup_after_a_timeout_tells_the_truth(self, harness: BridgeHarness) -> None:
        for operation in harness.timing_out():
            await harness.adapter.perform(operation)

            found = await harness.adapter.lookup(operation)

            can_know = harness.can_be_asked and harness.arrived(operation) == 1
            assert (found.disposition is Disposition.ACCEPTED) == can_know
            assert harness.arrived(operation) or found.disposition not in _NOT_DONE

    async def test_evidence_can_be_taken_in(self, harness: BridgeHarness) -> None:
        seen = await _evidence(harness)

        assert seen
        assert [validate(each, now_ms=each.at) for each in seen] == [None] * len(seen)

    async def test_evidence_of_a_send_leads_to_its_facts(self, harness: BridgeHarness) -> None:
        operation = harness.operation(OperationKind.SEND, text="hello")
        outcome = await harness.adapter.perform(operation)

        seen = [each for each in await harness.seen() if _is_about(each, outcome.provider_id)]
        types = {fact.type for each in seen for fact in facts_of(each, LINE_ID)}

        assert "message.sent" in types
        assert "message.received" not in types
        assert all(is_own(each) for each in seen)
        assert operation.attempt_id in {each.message.attempt_id for each in seen if each.message}

    async def test_statuses_never_contradict(self, harness: BridgeHarness) -> None:
        """A message fails or arrives, and what was shown of it is never taken back."""
        types: dict[str, set[str]] = {}

        for each in await _evidence(harness):
            if each.message is not None:
                known = types.setdefault(each.message.provider_id, set())
                now = {fact.type for fact in facts_of(each, LINE_ID)}
                assert "message.delivered" not in known or each.message.delivered_at is not None
                known |= now
                assert not {"message.failed", "message.delivered"} <= known

    async def test_shuffled_and_repeated_evidence_gives_the_same_events(self, harness: BridgeHarness) -> None:
        seen = await _evidence(harness)
        expected = {fact.dedupe_key for each in seen for fact in facts_of(each, LINE_ID)}

        for seed in range(20):
            told = seen * 2
            random.Random(seed).shuffle(told)

            assert {fact.dedupe_key for each in told for fact in facts_of(each, LINE_ID)} == expected

    @pytest.mark.slow
    async def test_whatever_a_day_was_like_the_store_ends_the_same(self, harness: BridgeHarness) -> None:
        """Shuffled, repeated, late, and lost where the bridge tells of the past."""
        await _perform_all(harness)
        live = [*await harness.hear(), *await harness.seen()]
        harness.restarted()
        past = await harness.seen()

        await asyncio.to_thread(require_the_same, live, past)


async def _evidence(harness: BridgeHarness) -> list[Observation]:
    """Give what is told after all operations; it takes long, so those that look at it look at the same, if they may."""
    kept = _KEPT.get(harness.shown_as) if harness.shown_as else None
    if kept is None:
        await _perform_all(harness)
        kept = await harness.seen()
    if harness.shown_as:
        _KEPT[harness.shown_as] = kept
    return list(kept)


_KEPT: dict[str, list[Observation]] = {}


async def _perform_all(harness: BridgeHarness) -> None:
    for _, ask, _ in OPERATIONS:
        await harness.adapter.perform(await ask(harness))
    for operation in harness.timing_out():
        await harness.adapter.perform(operation)


def _is_about(observation: Observation, guid: str | None) -> bool:
    return observation.message is not None and observation.message.provider_id == guid
