"""Play a golden file: over HTTP by the file's own answers, and on a Mac by its fake programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from bridge.registry import KINDS
from hub.flow.bridge_kinds import Surroundings
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationOutcome
from tests.bridge.chatdb.harness import ChatDbHarness
from tests.bridge.goldens.accounts import ACCOUNTS, ASKED, HookAccount
from tests.bridge.goldens.cases import OUTBOX_ID, Case, Exchange, shown_observation, shown_outcome
from tests.bridge.goldens.wire import ScriptedWire
from tests.bridge.imsg.harness import ImsgHarness
from tests.bridge.macos.fast_time import START_MS
from tests.bridge.networks import CONTACT, HOOK_URL, LINE, Links, Shelf
from tests.support.manual_time import EndOfTime, ManualClock

Play = Callable[[str, Case, Path], Awaitable[Case]]


@dataclass(frozen=True, kw_only=True)
class _Happened:
    """What came of playing one file."""

    wire: Sequence[Any]
    told: Sequence[Observation] | None = None
    outcome: OperationOutcome | None = None
    status: int | None = None
    reason: str | None = None


async def play(kind: str, case: Case, place: Path) -> Case:
    """Give the file as it should be, by what happened."""
    happened = await _PLAYS.get(kind, _play_http)(kind, case, place)
    answers = [each.answered for each in case.wire]
    answers += [None] * (len(happened.wire) - len(answers))
    wire = [
        Exchange(asked=asked, answered=answer) for asked, answer in zip(happened.wire, answers, strict=False)
    ]
    wire += case.wire[len(happened.wire) :]  # nobody asked for these: the file differs
    told = None if happened.told is None else tuple(map(shown_observation, happened.told))
    return msgspec.structs.replace(
        case,
        wire=tuple(wire),
        status=happened.status,
        reason=happened.reason,
        outcome=None if happened.outcome is None else shown_outcome(happened.outcome),
        observations=told,
    )


def operation_of(case: Case, *, now_ms: int) -> Operation:
    """Give what the hub asks."""
    assert case.asked is not None
    payload = {"from": LINE, "to": CONTACT, **case.asked.payload}
    return Operation(
        outbox_id=OUTBOX_ID,
        line_handle=LINE,
        kind=case.asked.kind,
        payload={name: value for name, value in payload.items() if value is not None},
        dispatched_at=now_ms,
    )


async def _play_http(kind: str, case: Case, place: Path) -> _Happened:
    clock, wire = ManualClock(), ScriptedWire([each.answered for each in case.wire])
    around = surroundings(clock, wire)
    account = ACCOUNTS.get(kind)
    given = dict(account.settings if account is not None else ASKED[kind]) | case.settings
    settings = msgspec.convert(given, KINDS[kind].settings)
    if case.asked is not None:
        adapter = KINDS[kind].open(settings, around)
        outcome = await adapter.perform(operation_of(case, now_ms=clock.now_ms()))
        return _Happened(wire=wire.asked, outcome=outcome)
    if "listed" in case.told:
        told = await _listened(KINDS[kind].open(settings, around).events(str(case.told["listed"])))
        return _Happened(wire=wire.asked, told=told)
    assert account is not None
    make = KINDS[kind].open_hooks
    assert make is not None
    reply = await make(settings, around).receive(_request(case.told, account, clock.now_ms()))
    return _Happened(wire=wire.asked, told=reply.observations, status=reply.status, reason=reply.reason)


def _request(told: Mapping[str, Any], account: HookAccount, now_ms: int) -> Any:
    return account.request(body_of(told), now_ms, headers=told.get("headers"))


def body_of(told: Mapping[str, Any]) -> bytes:
    """Give the bytes of a webhook that a file tells."""
    return msgspec.json.encode(told["json"]) if "json" in told else urlencode(told["form"]).encode()


async def _listened(events: Any) -> list[Observation]:
    """Give what is told in one round."""
    told: list[Observation] = []
    try:
        async for each in events:
            told += each if isinstance(each, tuple) else (each,)
    except EndOfTime:
        return told
    raise AssertionError("the events of a bridge never end")


def surroundings(clock: ManualClock, wire: ScriptedWire, *, lines: Sequence[str] = (LINE,)) -> Surroundings:
    """Give what an adapter needs, with this way out; whoever waits long waits for ever."""

    async def sleep(seconds: float) -> None:
        clock.advance(round(seconds * 1000))
        if seconds > 8:
            raise EndOfTime

    return Surroundings(
        clock=clock,
        sleep=sleep,
        caller=wire,
        sockets=wire,
        files=Shelf(),
        links=Links(),
        lines=lambda: tuple(lines),
        draw=lambda: 0.5,
        hook_url=HOOK_URL,
    )


async def _play_chatdb(kind: str, case: Case, place: Path) -> _Happened:
    """`told` are rows as tests.bridge.chatdb.builder writes them; the wire is what the script was asked to send."""
    mac = ChatDbHarness(place)
    if case.asked is not None:
        outcome = await mac.adapter.perform(operation_of(case, now_ms=mac.time.now_ms()))
        calls = [dict(zip(_SCRIPT, call, strict=True)) for call in mac.calls()]
        return _Happened(wire=calls, outcome=outcome)
    for row in case.told:
        chat = mac.builder.chat(**{"identifier": CONTACT, **row.get("chat", {})})
        mac.builder.message(chat, **{name: value for name, value in row.items() if name != "chat"})
    return _Happened(wire=(), told=list(map(_undated, mac.told_at_once())))


async def _play_imsg(kind: str, case: Case, place: Path) -> _Happened:
    """`told` is a message as imsg shows it; the wire are its methods with their parameters."""
    mac = ImsgHarness(place, **case.settings)
    try:
        if case.asked is not None:
            outcome = await mac.adapter.perform(operation_of(case, now_ms=mac.time.now_ms()))
            path = place / "calls.jsonl"
            calls = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
            wire = [
                {"method": method, "params": params}
                for method, params in calls
                if method not in _ABOUT_ITSELF
            ]
            return _Happened(wire=wire, outcome=outcome)
        mac.network.add(at_ms=START_MS, **case.told)
        return _Happened(wire=(), told=[_undated(each) for each in await mac.told('{"at":1}')])
    finally:
        await mac.aclose()


def _undated(observation: Observation) -> Observation:
    """Leave out when the bridge saw it: time goes on by itself on a fake Mac."""
    return msgspec.structs.replace(observation, observed_at=None)


_SCRIPT: Final = ("route", "target", "service", "kind", "content")
_ABOUT_ITSELF: Final = frozenset({"initialize", "status", "watch.subscribe"})
_PLAYS: Final[Mapping[str, Callable[[str, Case, Path], Awaitable[_Happened]]]] = {
    "chatdb": _play_chatdb,
    "imsg": _play_imsg,
}
