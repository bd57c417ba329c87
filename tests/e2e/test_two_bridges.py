"""A line with two bridges, before a Mac and an SMS provider: iMessage first, SMS where it is allowed, and a move.

The conversation stays one chat throughout, and nothing in it is lost or doubled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.bridge.bluebubbles.mac import Mac, Row
from tests.bridge.bluebubbles.server import BlueBubblesServer
from tests.bridge.bluebubbles.server import serving as serving_mac
from tests.bridge.bluebubbles.telling import PASSWORD
from tests.bridge.networks import serving
from tests.bridge.twilio.fake_twilio import ACCOUNT, TOKEN, FakeTwilio
from tests.e2e.rest import Rest
from tests.e2e.running import RunningHub, wait_for
from tests.support.manual_time import ManualClock

pytestmark = pytest.mark.slow

LINE = "+15550100700"


class Office:
    """A hub with a line on a Mac, before which two servers stand, and on an SMS account."""

    def __init__(
        self,
        folder: Path,
        portal: BlockingPortal,
        servers: list[BlueBubblesServer],
        twilio: FakeTwilio,
        url: str,
    ) -> None:
        self.portal, self.twilio, self.url = portal, twilio, url
        self.servers = servers
        self.mac = servers[0].mac
        self.hub = RunningHub(folder)
        self.hub.env["HUB_WEB__BASE_URL"] = f"http://127.0.0.1:{self.hub.port}"
        self.bridges: dict[str, Any] = {}
        self.line: dict[str, Any] = {}

    @property
    def rest(self) -> Rest:
        return Rest(self.hub.port, self.hub.key)

    def open(self) -> None:
        """Start the hub, and set the line up."""
        self.hub.start()
        account = {"account_sid": ACCOUNT, "auth_token": TOKEN, "api_url": self.url, "poll_seconds": 0}
        self._add("sms", "twilio", account)
        self.twilio.sms_url = self.bridges["sms"]["hook_url"]
        for name, server in zip(("old", "new"), self.servers, strict=True):
            self._add(name, "bluebubbles", {"url": server.url, "password": PASSWORD})
        self.line = self.rest.post(
            "/v1/lines",
            {
                "handle": LINE,
                "bridge_id": self.bridges["old"]["id"],
                "fallback_bridge_id": self.bridges["sms"]["id"],
                "is_contact_first": False,
            },
        )
        wait_for(lambda: self.servers[0].sockets)

    def _add(self, name: str, kind: str, settings: dict[str, Any]) -> None:
        self.bridges[name] = self.rest.post("/v1/bridges", {"name": name, "kind": kind, "settings": settings})

    def send(self, to: str, text: str, **more: object) -> str:
        """Ask for a message; give its path."""
        self.mac.direct(to)
        sent = self.rest.post("/v1/messages", {"from": LINE, "to": to, "text": text, **more})
        return f"/v1/messages/{sent['message_id']}"

    def becomes(self, path: str, status: str) -> dict[str, Any]:
        """Wait until a message stands so."""
        return self.rest.until(path, lambda it: it["status"] == status)

    def row(self, words: str) -> Row:
        """Wait for what the Mac wrote."""
        return wait_for(lambda: next((row for row in self.mac.rows if row["text"] == words), None))

    def changed(self, row: Row, **fields: Any) -> None:
        """Let the Mac change a row, and its servers tell of it."""
        row |= fields
        for server in self.servers:
            self.portal.call(server.updated_message, row)

    def writes(self, contact: str, words: str) -> None:
        """Let a contact write by iMessage, and every server tell of it, twice."""
        row = self.mac.write(self.mac.direct(contact), words, author=contact)
        for server in (*self.servers, *self.servers):
            self.portal.call(server.new_message, row)

    def texts(self, contact: str, words: str) -> None:
        """Let a contact write by SMS."""
        url = self.twilio.sms_url
        assert self.hub.hear(self.twilio.receive(words, sender=contact, to=LINE, url=url)) == 200

    def sms(self, to: str) -> list[dict[str, Any]]:
        return [each for each in self.twilio.messages if each["to"] == to]

    def said_in(self, contact: str) -> list[str]:
        """What contacts wrote in the one chat with this contact, in order."""
        (chat,) = [
            each for each in self.rest.get("/v1/chats", **{"from": LINE})["data"] if contact in str(each)
        ]
        query = {"from": LINE, "to": chat["id"], "direction": "inbound", "limit": 100, "sort": "oldest"}
        return [each["text"] for each in self.rest.get("/v1/messages", **query)["data"]]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    twilio = FakeTwilio(ManualClock(), numbers={LINE})
    mac = Mac(now_ms=lambda: time.time_ns() // 1_000_000, line=LINE)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(twilio.app)) as url,
        portal.wrap_async_context_manager(serving_mac(mac)) as old,
        portal.wrap_async_context_manager(serving_mac(mac)) as new,
    ):
        old.faults.by_words["Not here"] = "error22"
        office = Office(tmp_path_factory.mktemp("office"), portal, [old, new], twilio, url)
        try:
            office.open()
            yield office
        finally:
            office.hub.stop()


def test_imessage_comes_first(office: Office) -> None:
    contact = "+15550100001"
    path = office.send(contact, "Hello", allow_sms_fallback=True)
    office.changed(office.row("Hello"), dateDelivered=office.mac.now_ms(), isDelivered=True)
    message = office.becomes(path, "delivered")

    assert (message["was_downgraded"], office.sms(contact)) == (False, [])


def test_who_has_no_imessage_gets_an_sms_and_answers_in_the_same_chat(office: Office) -> None:
    contact = "+15550100002"
    office.writes(contact, "By iMessage")
    path = office.send(contact, "Not here", allow_sms_fallback=True)
    (out,) = wait_for(lambda: office.sms(contact))
    assert office.hub.hear(office.twilio.progress(out["sid"], "delivered")) == 200
    message = office.becomes(path, "delivered")
    office.texts(contact, "By SMS")

    assert (message["was_downgraded"], out["body"], len(office.sms(contact))) == (True, "Not here", 1)
    wait_for(lambda: len(office.said_in(contact)) == 2)
    assert office.said_in(contact) == ["By iMessage", "By SMS"]


def test_without_leave_there_is_no_sms(office: Office) -> None:
    contact = "+15550100003"
    message = office.becomes(office.send(contact, "Not here"), "failed")

    assert "22" in str(message["error"])
    assert office.sms(contact) == []


def test_what_the_mac_calls_undeliverable_later_goes_as_sms_once(office: Office) -> None:
    contact = "+15550100004"
    path = office.send(contact, "Are you there?", allow_sms_fallback=True)
    office.becomes(path, "sent")
    row = office.row("Are you there?")
    office.changed(row, error=22)
    office.rest.until(path, lambda it: it["was_downgraded"])
    for _ in range(3):
        office.changed(row, error=22)
    (out,) = office.sms(contact)
    office.hub.hear(office.twilio.progress(out["sid"], "delivered"))
    office.becomes(path, "delivered")
    told = [each["state"] for each in office.rest.get(f"{path}/timeline")["entries"]]

    assert len(office.sms(contact)) == 1
    assert "failed" not in told
    assert {"downgraded", "delivered"} <= set(told)
    assert told.count("attempt") == 2


def test_a_line_moves_while_messages_come_in_through_both(office: Office) -> None:
    contact, words = "+15550100005", [f"Number {number}" for number in range(40)]
    for number, each in enumerate(words):
        if number == 20:
            moved = {"bridge_id": office.bridges["new"]["id"]}
            assert office.rest.ask("PATCH", f"/v1/lines/{office.line['id']}", moved).status == 200
        office.writes(contact, each)
        if number % 10 == 5:
            office.texts(contact, f"SMS {number}")
    wait_for(lambda: len(office.said_in(contact)) >= 44)

    assert sorted(office.said_in(contact)) == sorted(
        [*words, *(f"SMS {number}" for number in (5, 15, 25, 35))]
    )
    path = office.send(contact, "From the new one", allow_sms_fallback=True)
    assert office.becomes(path, "sent")["was_downgraded"] is False
    assert "From the new one" in [row["text"] for row in office.mac.rows]
