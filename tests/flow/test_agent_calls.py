"""What is asked of agents, and what they answer, goes through JSON and comes out the same."""

from __future__ import annotations

from dataclasses import fields

from hub.flow.agent_calls import ToldOutcome, read_operation, read_outcome, write_operation, write_outcome
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome

WHOLE = OperationOutcome(
    disposition=Disposition.ACCEPTED,
    provider_id="A1",
    code="ok",
    detail="done",
    is_retry_safe=True,
    parts_done=2,
    result={"url": "https://facetime.example/x"},
    retry_after_ms=5,
    is_certain=True,
)
OPERATION = Operation(
    outbox_id=9, line_handle="+15550100010", kind=OperationKind.SEND, payload={"text": "hé"}, dispatched_at=7
)


def test_everything_that_adapters_say_can_be_told() -> None:
    assert {each.name for each in fields(OperationOutcome)} == set(ToldOutcome.__struct_fields__)
    assert read_outcome(write_outcome(WHOLE)) == WHOLE


def test_an_operation_comes_out_as_it_went_in() -> None:
    asked = read_operation(write_operation(OPERATION, asked_of=3))

    assert (asked.operation(), asked.asked_of) == (OPERATION, 3)


def test_what_an_adapter_says_at_length_is_cut() -> None:
    told = OperationOutcome(disposition=Disposition.REJECTED, code="c" * 999, detail="d" * 9999)
    read = read_outcome(write_outcome(told))

    assert (len(read.code or ""), len(read.detail or "")) == (128, 2000)
