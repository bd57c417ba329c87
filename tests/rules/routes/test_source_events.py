"""Which events of a source a trigger means."""

from __future__ import annotations

import pytest

from hub.rules.fixtures.examples import example
from hub.rules.routes.model import Route, SourceTrigger
from hub.rules.routes.reading import RouteDocument, read_routes
from hub.rules.runs.wishing import fits


def read(event: object) -> Route | list[str]:
    trigger = {"source": "shop", "event": event}
    found = read_routes(
        {"version": 1, "routes": [{"id": "a", "trigger": trigger, "steps": [{"stop": "done"}]}]}
    )
    return found.routes[0] if isinstance(found, RouteDocument) else [str(each) for each in found]


@pytest.mark.parametrize(
    ("wanted", "told", "is_meant"),
    [
        ("invoice.paid", "invoice.paid", True),
        ("invoice.paid", "invoice.paid.late", False),
        ("invoice.*", "invoice.paid", True),
        ("invoice.*", "invoice.payment.failed", True),
        ("invoice.*", "invoice", False),
        ("invoice.*", "invoices.paid", False),
        ("invoice.*", "Invoice.paid", False),
        ("orders/*", "orders/create", True),
        ("contact*", "contact.creation", True),
        (["a", "b.*"], "b.c", True),
        (["a", "b.*"], "c", False),
        ("b.*", None, False),
        ("b.*", 5, False),
        ("b.*", ["b.c"], False),
    ],
)
def test_a_beginning_means_whatever_follows(wanted: object, told: object, is_meant: bool) -> None:
    route = read(wanted)
    assert isinstance(route, Route)

    assert fits(route.triggers[0], "source.received", {"source": "shop", "event": told}) is is_meant
    assert not fits(route.triggers[0], "source.received", {"source": "other", "event": told})


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("*", "/routes/0/trigger/event: `event` is '*': a * stands at the end, for whatever follows. "
         "Take `event` away for all."),
        ("*.paid", "/routes/0/trigger/event: `event` is '*.paid': a * stands at the end, for whatever follows. "
         "Write it like invoice.*."),
        (["a", "a.**"], "/routes/0/trigger/event/1: `event` is 'a.**': a * stands at the end, for whatever "
         "follows. Write it like invoice.*."),
    ],
)  # fmt: skip
def test_a_star_elsewhere_is_refused(wanted: object, told: str) -> None:
    assert read(wanted) == [told]


def test_its_example_is_one_of_them() -> None:
    route = read("invoice.*")
    assert isinstance(route, Route)
    assert isinstance(route.triggers[0], SourceTrigger)

    assert example("source.received", route=route)["event"] == "invoice.example"
