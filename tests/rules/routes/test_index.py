"""Which listeners an event is for: the same as asking each, in the same order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.rules.routes.index import ListenerIndex
from hub.rules.routes.when import ALWAYS, When, compile_when


@dataclass(frozen=True)
class Route:
    name: str
    patterns: tuple[str, ...]
    when: When


def route(name: str, *patterns: str, **when: Any) -> Route:
    compiled = compile_when(when) if when else ALWAYS
    assert isinstance(compiled, When)
    return Route(name, patterns, compiled)


ROUTES = [
    route("all", "*"),
    route("sms", "message.received", channel="sms"),
    route("vip", "message.*", tags="vip"),
    route("either", "message.received", channel=["sms", "imessage"]),
    route("stop", "message.received", text={"any_of": ["STOP"], "normalize": "keyword"}),
    route("reactions", "reaction.added"),
]


def names(event_type: str, event: dict[str, Any]) -> list[str]:
    return [each.name for each in ListenerIndex(ROUTES).matching(event_type, event, 0)]


def test_types_families_and_everything() -> None:
    assert names("reaction.added", {}) == ["all", "reactions"]
    assert names("message.sent", {"tags": ["vip"]}) == ["all", "vip"]


def test_texts_are_looked_up_and_the_rest_is_asked() -> None:
    event = {"channel": "sms", "text": "stop.", "tags": ["vip", "vip"]}

    assert names("message.received", event) == ["all", "sms", "vip", "either", "stop"]
    assert names("message.received", {"channel": "whatsapp"}) == ["all"]


def test_what_all_demand_narrows_nothing() -> None:
    """Of several texts that a route demands the one is looked up that it shares with the fewest others."""
    asked: list[str] = []

    class Event(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            asked.append(key)
            return super().__getitem__(key)

    own = [route(f"r{n}", "message.received", direction="inbound", word=f"w{n}") for n in range(100)]
    index = ListenerIndex(own)
    event = Event(direction="inbound", word="w7")

    assert [each.name for each in index.matching("message.received", event, 0)] == ["r7"]
    assert len(asked) <= 4


def test_a_type_nobody_listens_to_costs_a_look_up() -> None:
    index = ListenerIndex(ROUTES[1:])

    assert not index.listens_to("line.offline")
    assert index.listens_to("message.sent")
    assert list(index.matching("line.offline", {}, 0)) == []


def test_explanations_get_all_of_a_type() -> None:
    assert [each.name for each in ListenerIndex(ROUTES).of_type("message.sent")] == ["all", "vip"]


CHOICES = st.sampled_from(["sms", "imessage", "x"])


@given(
    st.lists(
        st.builds(
            route,
            st.text(max_size=3),
            st.sampled_from(["message.received", "message.*", "*", "reaction.added"]),
            channel=CHOICES | st.lists(CHOICES, min_size=1, max_size=2),
        ),
        max_size=12,
    ),
    st.fixed_dictionaries({}, optional={"channel": CHOICES | st.lists(CHOICES, max_size=3) | st.none()}),
)
def test_it_finds_what_asking_each_would_find(routes: list[Route], event: dict[str, Any]) -> None:
    found = list(ListenerIndex(routes).matching("message.received", event, 0))
    wanted = {"message.received", "message.*", "*"}

    assert found == [each for each in routes if each.patterns[0] in wanted and each.when.holds(event, 0)]
