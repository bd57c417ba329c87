"""Bodies that a network signs and that no network should send, at every bridge that is called: answered, and explained.

Seeds are the golden files; what is replaced in them is drawn. The vendor that is asked about a body answers as badly.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.registry import KINDS
from hub.flow.bridge_kinds import HookReply
from hub.flow.calling import Reply
from hub.model.observation import Observation
from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.bridge.goldens.accounts import ACCOUNTS
from tests.bridge.goldens.cases import FOLDER, read_case
from tests.bridge.goldens.playing import body_of, surroundings
from tests.bridge.goldens.wire import ScriptedWire
from tests.support.manual_time import ManualClock

LINE_ID = 7
#: Whose forms are no JSON.
FORMS = {"twilio"}
SEEDS = {
    kind: [case for path in sorted((FOLDER / kind).glob("told_*.json")) if (case := read_case(path)).told]
    for kind in ACCOUNTS
}
_HOSTILE: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**70), 10**40, 1.5, 1e308, "", " ", "0", "\0", "\0\0\0",
    "\ud800", "a\udfffb", "\U0001f600" * 40, "x" * 70_000, "+" * 400, "../../etc/passwd", "' OR 1=1 --", "<script>",
    "%00%0d%0aX: y", "dm:", "dm:+15550100001", "iMessage;-;", "9999-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59", "2027-01-15", "NaN", [], {}, [[]], [None], [{}], {"": ""}, {"id": {"id": []}},
    [1] * 300, [{"url": "file:///etc/passwd"}, {"url": "javascript:1"}, {"url": 7}, {"url": "https://" + "a" * 5_000}],
]  # fmt: skip
_ODD = st.sampled_from(_HOSTILE) | st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_fuzzed = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


class Asked(ScriptedWire):
    """A vendor that answers what is asked about a body, and to all further questions that there is no such thing."""

    def __init__(self, answers: Sequence[tuple[int, Any]]) -> None:
        super().__init__()
        self._said = list(answers)

    async def send(self, call: Any) -> Reply:
        status, answer = self._said.pop(0) if self._said else (404, _NONE)
        return Reply(status=status, headers=(), body=json.dumps(answer).encode(), is_cut=False)


#: As BlueBubbles says it; of the others only the status is read.
_NONE = {
    "status": 404,
    "message": "There is none",
    "error": {"type": "Database Error", "message": "There is none"},
}


async def receive(kind: str, body: bytes, answers: Sequence[tuple[int, Any]] = ()) -> HookReply:
    """Give what becomes of signed bytes."""
    clock, account, make = ManualClock(), ACCOUNTS[kind], KINDS[kind].open_hooks
    assert make is not None
    given = msgspec.convert(dict(account.settings), KINDS[kind].settings)
    request = account.request(body, clock.now_ms())
    return await make(given, surroundings(clock, Asked(answers))).receive(request)


def sound(reply: HookReply, now_ms: int, *, may_come_again: bool = False) -> None:
    """Hold what every answer to signed bytes must be.

    Args:
        reply: The answer.
        now_ms: Unix ms.
        may_come_again: The vendor, asked about it, spoke no sense: then it is to be told again.
    """
    assert reply.status < 500 or (may_come_again and reply.status == 503)
    assert reply.observations or reply.reason
    assert reply.status == 200 or not reply.observations
    (reply.reason or "").encode()
    for each in reply.observations:
        assert validate(each, now_ms=now_ms) is None, each
        assert msgspec.json.decode(msgspec.json.encode(each), type=Observation) == each
        assert len({fact.dedupe_key for fact in facts_of(each, LINE_ID)}) <= 8


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of every value inside a body."""
    if path:
        yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from places(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copied = dict(value) if isinstance(value, dict) else list(value)
    copied[path[0]] = replaced(copied[path[0]], path[1:], by)
    return copied


@pytest.mark.parametrize("kind", sorted(set(ACCOUNTS) - FORMS))
@_fuzzed
@given(data=st.data())
async def test_any_value_anywhere_is_answered(kind: str, data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(SEEDS[kind]))
    body = case.told["json"]
    answers = [(each.answered["status"], each.answered["json"]) for each in case.wire if each.answered]
    for _ in range(data.draw(st.integers(0, 3))):
        body = replaced(body, data.draw(st.sampled_from(list(places(body)))), data.draw(_ODD))
        if not isinstance(body, dict) or not body:
            break
    speaks_no_sense = bool(answers) and data.draw(st.booleans())
    if speaks_no_sense:
        status, answer = answers[0]
        path = data.draw(st.sampled_from([(), *places(answer)]))
        answers[0] = (status, replaced(answer, path, data.draw(_ODD)))
    reply = await receive(kind, json.dumps(body).encode(), answers)

    sound(reply, ManualClock().now_ms(), may_come_again=speaks_no_sense)


@pytest.mark.parametrize("kind", sorted(ACCOUNTS))
@_fuzzed
@given(data=st.data())
async def test_any_bytes_are_answered(kind: str, data: st.DataObject) -> None:
    """Truncated, changed in the middle, or of no sense at all."""
    whole = body_of(data.draw(st.sampled_from(SEEDS[kind])).told)
    at, to = sorted((data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, len(whole)))))
    body = data.draw(
        st.sampled_from([whole[:at], whole[:at] + data.draw(st.binary(max_size=9)) + whole[to:]])
    )

    sound(await receive(kind, body), ManualClock().now_ms())


_BUILT = {
    "nothing": b"",
    "no JSON": b"<xml>",
    "not UTF-8": b'{"event":"\xff\xfe","type":"\xff"}',
    "a list": b"[]",
    "null": b"null",
    "a number": b"1e999",
    "bottomless list": b"[" * 200_000,
    "bottomless object": b'{"event":' * 50_000,
    "deep and whole": b'{"event":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    "endless digits": b'{"event":"message.received","timestamp":' + b"9" * 10_000 + b"}",
    "one name a thousand times": b'{"event":"message.received"' + b',"data":{}' * 1_000 + b"}",
    "many fields": b"{" + b",".join(b'"f%d":1' % number for number in range(20_000)) + b"}",
    "NaN": b'{"event":NaN,"timestamp":Infinity}',
    "two bodies": b'{"event":"message.received"}{"event":"message.received"}',
    "byte order mark": b'\xef\xbb\xbf{"event":"message.received"}',
    "wide letters": '{"event":"message.received"}'.encode("utf-16"),
}


@pytest.mark.parametrize("kind", sorted(ACCOUNTS))
@pytest.mark.parametrize("name", _BUILT)
async def test_bodies_that_are_built_to_do_harm_tell_nothing(kind: str, name: str) -> None:
    reply = await receive(kind, _BUILT[name])

    sound(reply, ManualClock().now_ms())
    assert reply.observations == ()


@pytest.mark.parametrize("kind", sorted(ACCOUNTS))
async def test_what_is_larger_than_any_webhook_is_not_read(kind: str) -> None:
    reply = await receive(kind, b" " * 5_000_000)

    assert reply.status in {400, 413}
    assert reply.reason


_LISTED = {"blooio": {"events": [{"event": "message.received", "message_id": str(n), "external_id": "+15550100001",
                                  "sender": "+15550100001", "text": "x"} for n in range(5_000)]}}  # fmt: skip


async def test_a_batch_is_read_as_far_as_one_request_may_tell() -> None:
    reply = await receive("blooio", json.dumps(_LISTED["blooio"]).encode())

    sound(reply, ManualClock().now_ms())
    assert len(reply.observations) == 100
