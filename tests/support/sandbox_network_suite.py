"""What every SandboxNetwork must do. Subclass it beside an implementation and give the fixture `network`."""

from __future__ import annotations

from typing import Any

from hub.flow.repositories import SandboxNetwork


def a_send(attempt_id: str, *, next_evidence_at: int | None = 1_000) -> dict[str, Any]:
    """Give a row of sandbox_sends."""
    return {
        "attempt_id": attempt_id,
        "line_handle": "+15550100000",
        "guid": f"GUID-{attempt_id}",
        "recipient": "dm:+15550100001",
        "fate": "ordinary",
        "told_count": 0,
        "next_evidence_at": next_evidence_at,
        "accepted_at": 1_000,
        "content": '{"text":"hello"}',
    }


class SandboxNetworkSuite:
    """The conformance suite."""

    async def test_accepted_send_is_found_by_its_attempt(self, network: SandboxNetwork) -> None:
        assert await network.accept(a_send("a")) is True

        assert await network.by_attempt("a") == a_send("a")

    async def test_unknown_attempt_is_not_found(self, network: SandboxNetwork) -> None:
        assert await network.by_attempt("a") is None

    async def test_same_attempt_is_accepted_once_and_stays_as_it_was(self, network: SandboxNetwork) -> None:
        await network.accept(a_send("a"))

        assert await network.accept(a_send("a") | {"guid": "OTHER"}) is False
        assert await network.by_attempt("a") == a_send("a")

    async def test_due_are_those_at_or_before_now_oldest_first(self, network: SandboxNetwork) -> None:
        for attempt_id, at in (("late", 3_000), ("second", 2_000), ("first", 1_000), ("never", None)):
            await network.accept(a_send(attempt_id, next_evidence_at=at))

        due = await network.due(now=2_000, limit=10)

        assert [row["attempt_id"] for row in due] == ["first", "second"]

    async def test_due_gives_no_more_than_the_limit(self, network: SandboxNetwork) -> None:
        for attempt_id, at in (("first", 1_000), ("second", 2_000)):
            await network.accept(a_send(attempt_id, next_evidence_at=at))

        assert [row["attempt_id"] for row in await network.due(now=9_000, limit=1)] == ["first"]

    async def test_next_due_is_the_earliest(self, network: SandboxNetwork) -> None:
        for attempt_id, at in (("b", 2_000), ("a", 1_000), ("never", None)):
            await network.accept(a_send(attempt_id, next_evidence_at=at))

        assert await network.next_due_at() == 1_000

    async def test_nothing_is_due_in_an_empty_network(self, network: SandboxNetwork) -> None:
        assert await network.next_due_at() is None
        assert await network.due(now=9_000, limit=10) == []

    async def test_told_moves_the_send_on(self, network: SandboxNetwork) -> None:
        await network.accept(a_send("a"))

        await network.told("a", told_count=1, next_evidence_at=5_000)

        assert await network.by_attempt("a") == a_send("a") | {"told_count": 1, "next_evidence_at": 5_000}
        assert await network.due(now=4_999, limit=10) == []

    async def test_told_to_the_end_is_never_due(self, network: SandboxNetwork) -> None:
        await network.accept(a_send("a"))

        await network.told("a", told_count=3, next_evidence_at=None)

        assert await network.next_due_at() is None

    async def test_a_send_is_found_by_the_networks_id(self, network: SandboxNetwork) -> None:
        await network.accept(a_send("a"))

        assert await network.by_guid("GUID-a") == a_send("a")
        assert await network.by_guid("GUID-b") is None

    async def test_what_is_remembered_is_recalled_line_by_line(self, network: SandboxNetwork) -> None:
        await network.remember("+1", "chat1", "old")
        await network.remember("+1", "chat1", "new")
        await network.remember("+2", "chat1", "other")

        assert await network.recall("+1", "chat1") == "new"
        assert await network.recall("+2", "chat1") == "other"
        assert await network.recall("+1", "chat2") is None
