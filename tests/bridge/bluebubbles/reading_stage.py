"""A Mac, and what a row of it shows."""

from __future__ import annotations

from bridge.bluebubbles.reading import Read, View, read_message
from hub.model.observation import Observation
from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.bridge.bluebubbles.mac import Mac, Row

NOW = 1_800_000_000_000
ADA = "+15550100001"
VIEW = View(lines=("+15550100000",), now_ms=NOW)


def shown(mac: Mac, row: Row) -> Row:
    return {**row, "chats": [mac.chats[mac.places[row["guid"]]]]}


def read(mac: Mac, row: Row, view: View = VIEW) -> Read:
    return read_message(shown(mac, row), view)


def one(mac: Mac, row: Row, view: View = VIEW) -> Observation:
    (observation,) = read(mac, row, view).observations
    assert validate(observation, now_ms=NOW) is None
    return observation


def facts(read: Read) -> set[str]:
    return {fact.type for each in read.observations for fact in facts_of(each, 7)}
