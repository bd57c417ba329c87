"""Noting payloads that could not be taken in: each once, masked, cut, and never a flood."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest

from hub.flow.refused import BURST, MOST_WAITING, RefusedBook
from hub.flow.refused_pushes import of_push
from hub.model.errors import InvalidRequest
from hub.model.refused import MOST_KEPT_BYTES, Form, Origin, RefusalCode, Refused, RefusedPayload
from tests.support.manual_time import ManualClock

BRIDGE = 7
SAID = Refused(code=RefusalCode.UNREADABLE, reason="no JSON", origin=Origin.FEED, raw=b"{")


class Desk:
    """A book whose writes and counts a test looks at."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.written: list[list[RefusedPayload]] = []
        self.counted: list[tuple[int, RefusalCode, int]] = []
        self.is_away = False
        self.book = RefusedBook(
            keep=self._keep,
            clock=self.clock,
            new_id=count(1).__next__,
            secrets_of=lambda bridge_id: ["hunter22", "abc"],
            count=lambda *said: self.counted.append(said),
            sleep=self.clock.sleep,
        )

    async def _keep(self, rows: Sequence[RefusedPayload]) -> None:
        if self.is_away:
            raise ConnectionError("the database is away")
        self.written.append(list(rows))


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_loop_of_one_payload_is_one_row_with_a_count(desk: Desk) -> None:
    for number in range(5):
        desk.book.note(BRIDGE, replace(SAID, reason=f"try {number}"))
    await desk.book.flush(BRIDGE)

    ((row,),) = desk.written
    assert (row.count, row.refused.raw, row.bridge_id) == (5, b"{", BRIDGE)


async def test_what_counts_as_the_same_is_one_whatever_its_bytes_are(desk: Desk) -> None:
    for raw in (b"1", b"2"):
        desk.book.note(BRIDGE, replace(SAID, raw=raw, same_as="+15550100099"))
    desk.book.note(BRIDGE, replace(SAID, raw=b"1", code=RefusalCode.UNKNOWN_TYPE))
    await desk.book.flush(BRIDGE)

    assert [row.count for row in desk.written[0]] == [2, 1]


async def test_what_is_known_and_of_no_use_is_counted_and_not_kept(desk: Desk) -> None:
    desk.book.note(BRIDGE, replace(SAID, code=RefusalCode.UNUSED), times=3)
    await desk.book.flush(BRIDGE)

    assert desk.counted == [(BRIDGE, RefusalCode.UNUSED, 3)]
    assert desk.written == []


async def test_secrets_are_masked_and_much_is_cut(desk: Desk) -> None:
    desk.book.note(BRIDGE, replace(SAID, raw=b'{"p": "hunter22", "q": "abc"}', reason="x\0" * 900))
    desk.book.note(BRIDGE, replace(SAID, raw=b"x" * (MOST_KEPT_BYTES + 1)))
    await desk.book.flush(BRIDGE)

    masked, cut = (row.refused for row in desk.written[0])
    assert masked.raw == b'{"p": "********", "q": "abc"}'
    assert (masked.is_whole, len(masked.reason), "\0" in masked.reason) == (True, 500, False)
    assert (len(cut.raw), cut.size, cut.is_whole) == (MOST_KEPT_BYTES, MOST_KEPT_BYTES + 1, False)


async def test_a_flood_is_written_seldom_and_in_part(desk: Desk) -> None:
    for number in range(BURST):
        desk.book.note(BRIDGE, replace(SAID, raw=b"%d" % number))
        await desk.book.flush(BRIDGE)
    for number in range(1_000):
        desk.book.note(BRIDGE, replace(SAID, raw=b"f%d" % number))
        await desk.book.flush(BRIDGE)
    at_once = len(desk.written)
    await desk.book.aclose()

    assert at_once == BURST
    assert len(desk.written) == BURST + 1
    assert len(desk.written[-1]) == MOST_WAITING
    assert len(desk.counted) == BURST + 1_000


async def test_other_bridges_do_not_wait_for_a_flood(desk: Desk) -> None:
    for number in range(BURST + 5):
        desk.book.note(BRIDGE, replace(SAID, raw=b"%d" % number))
        await desk.book.flush(BRIDGE)
    desk.book.note(8, SAID)
    await desk.book.flush(8)

    assert desk.written[-1][0].bridge_id == 8
    await desk.book.aclose()


async def test_what_a_thread_noted_is_written_by_the_next_flush(desk: Desk) -> None:
    await asyncio.to_thread(desk.book.note, BRIDGE, SAID)
    await desk.book.flush(BRIDGE)

    assert len(desk.written) == 1


async def test_a_store_that_is_away_stops_nobody(desk: Desk) -> None:
    desk.is_away = True
    desk.book.note(BRIDGE, SAID)
    await desk.book.flush(BRIDGE)
    desk.is_away = False
    desk.book.note(BRIDGE, SAID)
    await desk.book.flush(BRIDGE)

    assert [len(rows) for rows in desk.written] == [1]


EVENTS = b'{"events": [{"kind": "line.status"}, {"kind": "message.sung", "v": 1}]}'


@pytest.mark.parametrize(
    ("body", "param", "code", "raw", "event"),
    [
        (
            EVENTS,
            "events[1].kind",
            RefusalCode.UNKNOWN_TYPE,
            b'{"kind": "message.sung", "v": 1}',
            "message.sung",
        ),
        (EVENTS, "events[0].at", RefusalCode.UNSOUND, b'{"kind": "line.status"}', "line.status"),
        (EVENTS, "events[9]", RefusalCode.UNSOUND, EVENTS, None),
        (b"{", None, RefusalCode.UNREADABLE, b"{", None),
        (EVENTS, "events", RefusalCode.TOO_LARGE, b"", None),
    ],
    ids=["kind", "field", "gone", "no json", "too many"],
)
def test_of_a_push_the_event_at_fault_is_kept(
    body: bytes, param: str | None, code: RefusalCode, raw: bytes, event: str | None
) -> None:
    """A batch and its halves are the same payload."""
    kept = of_push(body, InvalidRequest("invalid_parameter_value", "No.", param=param), Origin.AGENT)

    assert (kept.code, kept.raw, kept.event) == (code, raw, event)
    assert kept.form is (Form.OBSERVATION if "[" in (param or "") else Form.OTHER)
