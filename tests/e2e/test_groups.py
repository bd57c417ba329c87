"""Groups and polls through real processes: asked over REST, done by the worker's bridge, told to a receiver."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.rest import LINE, Rest
from tests.e2e.running import RunningHub

pytestmark = pytest.mark.slow

CONTACT, SECOND, THIRD, ECHO = "+15550100001", "+15550100002", "+15550100003", "+15550100200"
WAIT = {"Prefer": "wait=20"}


def verdict(rest: Rest, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Ask, and wait for what the network says."""
    answer = rest.ask(method, path, body, **WAIT)
    assert answer.status in {201, 202}, answer
    document: dict[str, Any] = answer.document
    return document


@pytest.fixture(scope="module")
def group(rest: Rest, receiver: Receiver) -> str:
    """The chat of a group that the line made, and whose events are heard."""
    rest.register(receiver.url("/groups"), "chat.*")
    wish = {"from": LINE, "participants": [CONTACT, SECOND], "name": "Weekend", "text": "Hello both"}
    made = verdict(rest, "POST", "/v1/chats", wish)
    assert made["state"] == "sent", made
    return str(made["result"]["chat_id"])


def test_a_line_shows_what_its_bridge_can_do(rest: Rest) -> None:
    """Null for a moment after the start, until the bridge has told."""
    page = rest.until("/v1/lines", lambda page: page["data"][0]["capabilities"] is not None)
    line = page["data"][0]

    assert line["handle"] == LINE
    assert {"group_create", "polls", "edit", "text"} <= set(line["capabilities"])


def test_a_group_is_made_renamed_and_changed_with_an_event_each(
    rest: Rest, receiver: Receiver, group: str
) -> None:
    renamed = verdict(rest, "PATCH", f"/v1/chats/{group}", {"name": "Weekend in Rome"})
    added = verdict(rest, "POST", f"/v1/chats/{group}/participants", {"handle": THIRD})
    removed = verdict(rest, "DELETE", f"/v1/chats/{group}/participants/{SECOND}")
    told = receiver.wait("/groups", 6)
    chat = rest.until(f"/v1/chats/{group}", lambda chat: chat["name"] == "Weekend in Rome")

    assert [each["state"] for each in (renamed, added, removed)] == ["sent"] * 3
    assert Counter(each.type for each in told) == {
        "chat.member_added": 3,
        "chat.renamed": 2,
        "chat.member_removed": 1,
    }
    assert chat["participants"] == [CONTACT, THIRD]


def test_the_networks_refusal_is_the_answer(rest: Rest, group: str) -> None:
    refused = verdict(rest, "POST", f"/v1/chats/{group}/participants", {"handle": "+15550100404"})

    assert (refused["state"], refused["error"].partition(":")[0]) == ("failed", "not_reachable")


def test_a_contact_and_the_line_act_in_one_group(hub: RunningHub, rest: Rest, group: str) -> None:
    hub.command("sandbox", "rename", "Ours now", "--group", group)
    chat = rest.until(f"/v1/chats/{group}", lambda chat: chat["name"] == "Ours now")

    assert verdict(rest, "PATCH", f"/v1/chats/{group}", {"name": "Ours again"})["state"] == "sent"
    assert chat["is_group"] is True


def test_a_poll_is_voted_in(rest: Rest, receiver: Receiver, hub: RunningHub) -> None:
    rest.register(receiver.url("/polls"), "poll.*")
    wish = {"from": LINE, "to": ECHO, "title": "Lunch?", "options": ["Soup", "Salad"]}
    sent = verdict(rest, "POST", "/v1/polls", wish)
    told = receiver.wait("/polls", 2)
    path = f"/v1/polls/{sent['poll_id']}"
    hub.command("sandbox", "vote", sent["poll_id"], "salad")
    poll = rest.until(path, lambda poll: poll["options"][1]["votes"] == 1)

    assert {each.type for each in told} == {"poll.created", "poll.voted"}
    assert [each["votes"] for each in poll["options"]] == [0, 1]


def test_what_is_switched_off_is_refused_by_name_at_once(hub: RunningHub, rest: Rest, group: str) -> None:
    hub.command("lines", "capabilities", LINE, "--off", "group_rename")
    refused = rest.ask("PATCH", f"/v1/chats/{group}", {"name": "x"})
    hub.command("lines", "capabilities", LINE, "--on", "group_rename")
    again = rest.ask("PATCH", f"/v1/chats/{group}", {"name": "x"})

    assert (refused.status, refused.document["error"]["code"]) == (400, "advanced_features_required")
    assert "'group_rename'" in refused.document["error"]["message"]
    assert again.status == 202
