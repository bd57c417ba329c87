"""engine.io and socket.io: what the server says is read, and garbage is garbage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.bluebubbles.frames import (
    Connected,
    Event,
    Ignored,
    Opened,
    Ping,
    Refused,
    Unreadable,
    read_packet,
)

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            '0{"sid":"a","pingInterval":25000,"pingTimeout":20000}',
            Opened(interval_ms=25_000, timeout_ms=20_000),
        ),
        ('0{"pingInterval":-1,"pingTimeout":"soon"}', Opened(interval_ms=60_000, timeout_ms=60_000)),
        ('0{"pingInterval":1e99}', Opened(interval_ms=60_000, timeout_ms=60_000)),
        ("1", Refused()),
        ("2", Ping("3")),
        ("2probe", Ping("3probe")),
        ("3", Ignored()),
        ('40{"sid":"b"}', Connected()),
        ("41", Refused()),
        ('44{"message":"no"}', Refused()),
        ('42["new-message",{"guid":"A"}]', Event(name="new-message", data={"guid": "A"})),
        ('4217["hello-world"]', Event(name="hello-world", data=None)),
        ("43[]", Ignored()),
        ("6", Ignored()),
    ],
)
def test_packets_are_read(message: str, expected: object) -> None:
    assert read_packet(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        "",
        "9",
        "0",
        "0[]",
        "4",
        "49",
        "42",
        "42{}",
        "42[]",
        "42[1]",
        '42["a"',
        b"\x00",
        "2" + "x" * 65,
        '45-["x"]',
    ],
)
def test_what_is_no_packet_is_unreadable(message: str | bytes) -> None:
    assert isinstance(read_packet(message), Unreadable)


@given(st.text() | st.binary())
def test_garbage_never_raises(message: str | bytes) -> None:
    read_packet(message)


@given(st.sampled_from(["0", "40", "42", "42["]), st.text())
def test_garbage_behind_a_beginning_never_raises(beginning: str, rest: str) -> None:
    read_packet(beginning + rest)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=128), JSON_VALUES)
def test_every_event_comes_as_it_was_sent(name: str, data: Any) -> None:
    packet = read_packet("42" + json.dumps([name, data]))

    assert packet == Event(name=name, data=data)


def test_bottomless_nesting_is_unreadable() -> None:
    assert isinstance(read_packet("42" + '["a",' + "[" * 200_000), Unreadable)


def test_halves_of_surrogate_pairs_do_not_lose_an_event() -> None:
    packet = read_packet('42["new-message",{"guid":"A","text":"\\ud83d"}]')

    assert isinstance(packet, Event)
    assert packet.data["guid"] == "A"


def test_an_event_does_not_show_its_words() -> None:
    assert "secret words" not in repr(read_packet('42["new-message",{"text":"secret words"}]'))
