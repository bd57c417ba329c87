"""A message that its network carries as several is one in the hub's history; on both databases."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.flow.message_pages import MessageFilter
from hub.flow.payloads import status_of
from hub.flow.piece_ports import PieceRow
from hub.flow.repositories import Store
from hub.flow.rows import MessageRow
from hub.model.observation import Observation, ObservationKind, ObservedError, ObservedReaction
from hub.model.outbox import (
    Disposition,
    Operation,
    OperationKind,
    OperationOutcome,
    OutboxState,
    SentPiece,
    attempt_id,
)
from hub.rules.message_status import MessageStatus
from tests.support.sent_story import UNSURE, Stage, a_stage
from tests.support.sightings import AT, CONTACT, a_message, seen

ACCEPTED = OperationOutcome(disposition=Disposition.ACCEPTED)
REFUSED = OperationOutcome(disposition=Disposition.REJECTED, code="22", detail="no such address")
PARTS = [{"type": "text", "text": "Look"}, {"type": "text", "text": "at"}, {"type": "text", "text": "this"}]
_numbers = itertools.count(1)


@pytest.fixture
async def stage(store: Store) -> Stage:
    return await a_stage(store)


async def asked(stage: Stage) -> tuple[int, int]:
    """Ask for a message of three parts; its item and its id."""
    accepted = await stage.ask("", parts=PARTS)
    return accepted.outbox_id, accepted.message_id or 0


def shown(kind: Any, guid: str, outbox_id: int | None, part: int | None = None, **fields: Any) -> Observation:
    """What a network shows of one piece; with the attempt, if an item is given."""
    quote: dict[str, Any] = {}
    if outbox_id is not None:
        quote = {"attempt_id": attempt_id(outbox_id), "part": part, "part_count": 1}
    message = a_message(guid, is_from_me=True, **quote, **fields)
    error = fields.get("error")
    return seen(kind, message=message, error=error, at=fields.get("sent_at", AT))


def pieces(*guids: str, first: int = 0) -> tuple[SentPiece, ...]:
    return tuple(SentPiece(guid=guid, part=place, part_count=1) for place, guid in enumerate(guids, first))


async def listed(stage: Stage) -> list[MessageRow]:
    """All messages that are listed."""
    wanted = MessageFilter(line_ids=(stage.line.id,))
    return list((await stage.store.messages.page(wanted, after=None, limit=100)).messages)


@pytest.mark.parametrize("quotes", [True, False])
async def test_echoes_of_each_part_are_of_one_message(stage: Stage, quotes: bool) -> None:
    """By what quotes the attempt, or by the guids of the answer."""
    outbox_id, message_id = await asked(stage)
    item = outbox_id if quotes else None
    echoes = [
        shown("message.sent", f"G{part}", item, part, text=PARTS[part]["text"], sent_at=AT + part)
        for part in range(3)
    ]
    stage.bridge.outcome = replace(ACCEPTED, provider_id="G0", parts_done=3, pieces=pieces("G0", "G1", "G2"))
    if quotes:
        stage.bridge.meanwhile = [partial(stage.tell, echo) for echo in echoes]
    await stage.end(outbox_id)
    await stage.tell(*echoes)

    [message] = await listed(stage)
    assert (message.id, message.guid, status_of(message)) == (message_id, "G0", "sent")
    assert message.text == "Look\nat\nthis"
    assert await stage.told(message_id) == ["message.queued", "message.sent"]
    assert not await stage.visible("G1", "G2")


async def test_it_is_sent_when_all_of_it_is(stage: Stage) -> None:
    outbox_id, message_id = await asked(stage)
    statuses = []
    await stage.hand_over_and_crash(outbox_id)
    for part in (2, 0, 1):
        await stage.tell(shown("message.sent", f"G{part}", outbox_id, part, sent_at=AT + part))
        statuses.append(str(status_of(await stage.message(message_id))))

    assert statuses == ["queued", "queued", "sent"]


async def test_receipts_count_when_each_part_has_them(stage: Stage) -> None:
    outbox_id, message_id = await asked(stage)
    stage.bridge.outcome = replace(ACCEPTED, provider_id="G0", parts_done=3, pieces=pieces("G0", "G1", "G2"))
    await stage.end(outbox_id)
    statuses = []
    told_in_turn: list[tuple[ObservationKind, str]] = [
        ("status.delivered", "G0"),
        ("status.delivered", "G2"),
        ("status.delivered", "G1"),
        ("status.read", "G1"),
        ("status.read", "G2"),
    ]
    for kind, guid in told_in_turn:
        await stage.tell(seen(kind, target=guid, chat=None, at=AT + 9))
        statuses.append(str(status_of(await stage.message(message_id))))

    assert statuses == ["sent", "sent", "delivered", "delivered", "read"]
    told = await stage.told(message_id)
    assert sorted(told) == ["message.delivered", "message.queued", "message.read", "message.sent"]


async def test_a_part_that_fails_fails_the_message_and_is_named(stage: Stage) -> None:
    outbox_id, message_id = await asked(stage)
    stage.bridge.outcome = replace(ACCEPTED, provider_id="G0", parts_done=3, pieces=pieces("G0", "G1", "G2"))
    await stage.end(outbox_id)
    failed = shown("status.failed", "G1", None, error=ObservedError(code="22", raw="no such address"))
    await stage.tell(failed, shown("status.delivered", "G0", None, delivered_at=AT + 5))
    message = await stage.message(message_id)

    assert status_of(message) == "failed"
    assert msgspec.json.decode(message.error or "") == {"code": "22", "raw": "part 2 of 3: no such address"}
    assert (await stage.told(message_id)).count("message.failed") == 1


async def test_a_retry_sends_the_parts_that_are_not_there(stage: Stage) -> None:
    """The second of three failed after all had been accepted: it alone is sent again, and then all is there."""
    outbox_id, message_id = await asked(stage)
    stage.bridge.outcome = replace(ACCEPTED, provider_id="G0", parts_done=3, pieces=pieces("G0", "G1", "G2"))
    await stage.end(outbox_id)
    await stage.tell(shown("status.failed", "G1", outbox_id, 1, error=ObservedError(code="22")))
    again = await stage.retry(message_id)
    stage.bridge.outcome = replace(ACCEPTED, provider_id="N1", parts_done=3, pieces=pieces("N1", first=1))
    await stage.end(again.outbox_id)
    await stage.tell(
        shown("status.delivered", "N1", again.outbox_id, 1, delivered_at=AT + 20),
        shown("status.delivered", "G0", outbox_id, 0, delivered_at=AT + 21),
        shown("status.delivered", "G1", outbox_id, 1, delivered_at=AT + 22),
        seen("status.delivered", target="G2", chat=None, at=AT + 23),
    )
    [message] = await listed(stage)

    first, second = (operation.payload for operation in stage.bridge.asked)
    assert (second.get("parts_done"), second.get("parts_kept")) == (1, [2])
    assert "parts_kept" not in first
    assert (message.id, status_of(message), message.delivered_at) == (message_id, "delivered", AT + 23)


async def test_what_nobody_knows_of_one_part_ends_as_such_and_says_which(stage: Stage) -> None:
    outbox_id, message_id = await asked(stage)
    doubt = replace(UNSURE, parts_done=1, part=1, pieces=pieces("G0"))
    stage.bridge.outcome = stage.bridge.found = doubt
    item = await stage.end(outbox_id)
    message = await stage.message(message_id)

    assert (item.state, item.parts_done, status_of(message)) == (OutboxState.FAILED, 1, "failed")
    assert msgspec.json.decode(message.error or "")["code"] == "delivery_unknown"
    assert "part 2 of 3: " in msgspec.json.decode(message.error or "")["raw"]
    assert await stage.told(message_id) == ["message.queued", "message.failed"]

    again = await stage.retry(message_id)
    await stage.step(again.outbox_id)
    assert stage.bridge.asked[-1].payload["parts_done"] == 1


async def test_late_proof_of_the_last_part_overrules_that_nobody_knew(stage: Stage) -> None:
    outbox_id, message_id = await asked(stage)
    stage.bridge.outcome = replace(UNSURE, parts_done=2, part=2, pieces=pieces("G0", "G1"))
    stage.bridge.found = stage.bridge.outcome
    await stage.end(outbox_id)
    await stage.tell(shown("message.sent", "G2", outbox_id, 2))
    item, message = await stage.item(outbox_id), await stage.message(message_id)

    assert (item.state, item.error, status_of(message)) == (OutboxState.SENT, None, "sent")


@pytest.mark.parametrize("known", [0, 1, 2, 3])
async def test_evidence_of_parts_proves_them(stage: Stage, known: int) -> None:
    """All of them prove the send; the first that is missing is the one in doubt."""
    outbox_id, _ = await asked(stage)
    for part in range(known):
        echo = shown("message.sent", f"G{part}", outbox_id, part)
        stage.bridge.meanwhile.append(partial(stage.tell, echo))
    item = await stage.end(outbox_id)

    assert item.state is (OutboxState.SENT if known == 3 else OutboxState.FAILED)
    if 0 < known < 3:
        assert f"part {known + 1} of 3" in (item.error or "")
        assert item.parts_done == known


async def test_a_look_up_asks_for_what_is_missing_and_names_what_it_is_not(stage: Stage) -> None:
    """Another send of the same words that is known is no proof, though whoever sent it has forgotten all."""
    stage.bridge.outcome = replace(ACCEPTED, provider_id="OTHER")
    other = await stage.ask("at")
    await stage.end(other.outbox_id)
    outbox_id, _ = await asked(stage)
    stage.bridge.outcome = UNSURE
    stage.bridge.meanwhile = [partial(stage.tell, shown("message.sent", "G0", outbox_id, 0))]
    looked: list[Operation] = []

    async def lookup(operation: Operation) -> OperationOutcome:
        looked.append(operation)
        return UNSURE

    stage.bridge.lookup = lookup  # type: ignore[method-assign]  # what it is asked is what matters
    await stage.end(outbox_id)

    assert looked[0].payload["parts_done"] == 1
    assert looked[0].taken == {"OTHER", "G0"}


async def test_one_message_of_all_parts_proves_the_send(stage: Stage) -> None:
    """As networks have it that take words and files in one."""
    outbox_id, message_id = await asked(stage)
    whole = a_message("G", is_from_me=True, attempt_id=attempt_id(outbox_id), part=0)
    stage.bridge.meanwhile = [partial(stage.tell, seen("status.delivered", message=whole))]
    item = await stage.end(outbox_id)
    message = await stage.message(message_id)

    assert (item.state, message.guid, status_of(message)) == (OutboxState.SENT, "G", "delivered")


async def test_what_was_told_before_anybody_knew_what_it_is_goes_out_of_sight(stage: Stage) -> None:
    outbox_id, message_id = await asked(stage)
    stray = shown("message.sent", "G1", None, delivered_at=AT + 3)
    stage.bridge.meanwhile = [partial(stage.tell, stray)]
    stage.bridge.outcome = replace(ACCEPTED, provider_id="G0", parts_done=3, pieces=pieces("G0", "G1", "G2"))
    await stage.end(outbox_id)
    await stage.tell(
        seen("status.delivered", target="G0", chat=None, at=AT + 4),
        seen("status.delivered", target="G2", chat=None, at=AT + 5),
    )
    [message] = await listed(stage)

    assert (message.id, status_of(message)) == (message_id, "delivered")


async def test_what_is_done_to_a_part_is_done_to_the_message(stage: Stage) -> None:
    outbox_id, message_id = await asked(stage)
    stage.bridge.outcome = replace(ACCEPTED, provider_id="G0", parts_done=3, pieces=pieces("G0", "G1", "G2"))
    await stage.end(outbox_id)
    await stage.tell(
        seen("reaction.added", target="G2", actor=CONTACT, reaction=ObservedReaction(type="love")),
        seen("message.received", actor=CONTACT, message=a_message("R", reply_to="G1", is_from_me=False)),
        shown("message.edited", "G1", None, text="AT", edited_at=AT + 7),
    )
    [reply] = (await stage.visible("R")).values()
    [reaction] = await stage.store.messages.reactions(stage.line.id, "G0")

    assert (await stage.message(message_id)).text == "Look\nAT\nthis"
    assert reply.reply_to_guid == "G0"
    assert (reaction.type, reaction.slot) == ("love", "2")


async def test_it_is_taken_back_when_all_of_it_is(stage: Stage) -> None:
    outbox_id, message_id = await asked(stage)
    stage.bridge.outcome = replace(ACCEPTED, provider_id="G0", parts_done=3, pieces=pieces("G0", "G1", "G2"))
    await stage.end(outbox_id)
    statuses = []
    for part in range(3):
        await stage.tell(shown("message.unsent", f"G{part}", None, text=None, unsent_at=AT + 30))
        statuses.append(str(status_of(await stage.message(message_id))))

    assert statuses == ["sent", "sent", "unsent"]
    assert (await stage.told(message_id)).count("message.unsent") == 1


async def test_a_part_that_arrived_after_all_is_no_failure_before_the_others_are_known(stage: Stage) -> None:
    outbox_id, message_id = await asked(stage)
    stage.bridge.meanwhile = [
        partial(stage.tell, shown("status.failed", "G0", outbox_id, 0, error=ObservedError(code="22"))),
        partial(stage.tell, shown("status.delivered", "G0", outbox_id, 0, delivered_at=AT + 50)),
    ]
    stage.bridge.outcome = replace(ACCEPTED, provider_id="G0", parts_done=3, pieces=pieces("G0", "G1", "G2"))
    await stage.end(outbox_id)
    message = await stage.message(message_id)

    assert (status_of(message), message.error) == (MessageStatus.SENT, None)


# ---- any order

#: What may be shown of a piece: its kind, and what it says.
_SHOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "sent": ("message.sent", {}),
    "delivered": ("status.delivered", {"delivered_at": AT + 50}),
    "read": ("status.read", {"read_at": AT + 60}),
    "failed": ("status.failed", {"error": ObservedError(code="22")}),
}
evidence = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(_SHOWN)), st.booleans()), max_size=9)


def _expected(told: Sequence[tuple[int, str, bool]]) -> MessageStatus:
    """By a plain model: each part alone, and then the least of them."""
    by_part = [{name for part, name, _ in told if part == place} for place in range(3)]
    if any("failed" in names and not names & {"delivered", "read"} for names in by_part):
        return MessageStatus.FAILED
    read = [
        "read" in names or ("delivered" in names and any("read" in later for later in by_part[place:]))
        for place, names in enumerate(by_part)
    ]
    if all(read):
        return MessageStatus.READ
    is_there = ["delivered" in names or "read" in names for names in by_part]
    return MessageStatus.DELIVERED if all(is_there) else MessageStatus.SENT


@pytest.mark.slow
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(told=evidence, data=st.data(), cut=st.integers(0, 9))
async def test_any_order_of_evidence_ends_the_same(
    stage: Stage, told: list[tuple[int, str, bool]], data: st.DataObject, cut: int
) -> None:
    """Repeated, shuffled, before the answer and after it: one message, each event once, and the status of the model."""
    shuffled = data.draw(st.permutations(told + told[:2]))
    number = next(_numbers)
    names = [f"G{number}-{part}" for part in range(3)]
    outbox_id, message_id = await asked(stage)
    echoes = [
        shown(
            _SHOWN[name][0],
            names[part],
            outbox_id if quotes or place < cut else None,
            part,
            **_SHOWN[name][1],
        )
        for place, (part, name, quotes) in enumerate(shuffled)
    ]
    stage.bridge.outcome = replace(ACCEPTED, provider_id=names[0], parts_done=3, pieces=pieces(*names))
    stage.bridge.meanwhile = [partial(stage.tell, echo) for echo in echoes[:cut]]
    await stage.end(outbox_id)
    stage.bridge.meanwhile = []
    for echo in echoes[cut:]:
        await stage.tell(echo)
    message = await stage.message(message_id)

    assert status_of(message) is _expected(told)
    assert len(await stage.visible(*names, attempt_id(outbox_id))) == 1
    events = await stage.told(message_id, message.id)
    assert all(events.count(each) == 1 for each in set(events)), events


# ---- the statements


async def test_pieces_merge_and_are_found(store: Store) -> None:
    one = PieceRow(1, "G1", 7, 9, 0, 1, sent_at=5)
    two = PieceRow(1, "G2", 7, 9, 1, 0)
    other = PieceRow(2, "G1", 8, 9, 0, 1)

    async def work(tx: Any) -> None:
        await tx.pieces.merge([two, one, other])
        await tx.pieces.merge(
            [one._replace(message_id=99, sent_at=3, delivered_at=8), one._replace(sent_at=None)]
        )
        assert await tx.pieces.by_guid([(1, "G1"), (1, "G3")]) == [one._replace(sent_at=3, delivered_at=8)]
        assert [row.guid for row in await tx.pieces.of([7, 8])] in (["G1", "G1", "G2"], ["G1", "G2", "G1"])
        await tx.pieces.move([(7, 70)])
        await tx.pieces.forget([(1, "G2"), (1, "nothing")])
        assert [row.message_id for row in await tx.pieces.of([7, 70])] == [70]
        assert await tx.pieces.by_guid([]) == await tx.pieces.of([]) == await tx.pieces.hide([]) == []

    await store.hot.write(work)


async def test_a_change_asks_for_the_message_by_its_first_name(stage: Stage) -> None:
    """Bridges know what they sent by their own names for it."""
    outbox_id, message_id = await asked(stage)
    stage.bridge.outcome = replace(ACCEPTED, provider_id="G0", parts_done=3, pieces=pieces("G0", "G1", "G2"))
    await stage.end(outbox_id)
    item = await stage.change(OperationKind.EDIT, await stage.message(message_id), text="x")

    assert (await stage.item(item)).payload["message_guid"] == "G0"
