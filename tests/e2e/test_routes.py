"""Routes on a hub as people run it: files are followed, events start runs, a killed worker doubles nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.rest import LINE, Rest
from tests.e2e.running import RunningHub, wait_for

REPLY = """version: 1
routes:
  - id: echo
    trigger: message.received
    when: { direction: inbound, text: { starts_with: hello, normalize: casefold } }
    steps:
      - id: pause
        delay: 1s
      - use: message.reply
        with: { text: "You said {{ event.text }}", metadata: { of: "{{ event.message_id }}" } }
"""
HOOK = """version: 1
routes:
  - id: hook
    trigger: { webhook: a-long-and-odd-word }
    steps:
      - use: message.send
        with: { from: "%s", to: "{{ event.phone }}", text: "Order {{ event.order }} is paid" }
"""


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    (tmp_path / "routes").mkdir()
    hub = RunningHub(tmp_path, HUB_ROUTES__FOLDER=str(tmp_path / "routes"), HUB_ROUTES__RELOAD_SECONDS="0.2")
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture
def rest(hub: RunningHub) -> Rest:
    return Rest(hub.port, hub.key)


def install(hub: RunningHub, name: str, text: str) -> None:
    (hub.folder / "routes" / name).write_text(text)
    wait_for(lambda: "routes.installed" in hub.process.output)


def say(rest: Rest, text: str, contact: str) -> None:
    rest.post("/v1/sandbox/say", {"contact": contact, "text": text})


def sent(rest: Rest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = rest.get("/v1/messages", limit=100, direction="outbound")["data"]
    return found


def worker_of(hub: RunningHub) -> psutil.Process | None:
    """The child that is neither Valkey nor the one that listens at the port; none while it is being started again."""
    for child in hub.process.family()[1:]:
        with contextlib.suppress(psutil.NoSuchProcess):
            listens = [one for one in child.net_connections() if one.status == "LISTEN"]
            is_web = any(one.laddr.port == hub.port for one in listens)
            if not is_web and "valkey" not in " ".join(child.cmdline()):
                return child
    return None


def test_a_file_in_the_folder_answers_messages(hub: RunningHub, rest: Rest) -> None:
    install(hub, "reply.yaml", REPLY)
    say(rest, "Hello there", "+15550100001")
    say(rest, "Something else", "+15550100002")
    (message,) = wait_for(lambda: sent(rest))

    assert message["text"] == "You said Hello there"
    assert message["metadata"]["hub_route"] == "echo"


def test_a_mistake_is_told_and_what_ran_goes_on_running(hub: RunningHub, rest: Rest) -> None:
    install(hub, "reply.yaml", REPLY)
    (hub.folder / "routes" / "reply.yaml").write_text(REPLY.replace("message.reply", "message.rely"))
    wait_for(lambda: "routes.refused" in hub.process.output)
    say(rest, "Hello", "+15550100001")
    (message,) = wait_for(lambda: sent(rest))

    assert message["text"] == "You said Hello"
    assert "reply.yaml:9:14" in hub.process.output
    assert "Did you mean message.reply" in hub.process.output


def test_a_path_of_a_route_is_open_as_soon_as_it_stands(hub: RunningHub, rest: Rest) -> None:
    assert rest.ask("POST", "/hooks/a-long-and-odd-word", {}).status == 404
    install(hub, "hook.yaml", HOOK % LINE)
    say(rest, "So that we may write", "+15550100001")
    paid = {"phone": "+15550100001", "order": 7}
    wait_for(lambda: rest.ask("POST", "/hooks/a-long-and-odd-word", paid).status != 404)

    assert "Order 7 is paid" in {message["text"] for message in wait_for(lambda: sent(rest))}


def test_a_killed_worker_loses_no_run_and_answers_nobody_twice(hub: RunningHub, rest: Rest) -> None:
    install(hub, "reply.yaml", REPLY)
    contacts = [f"+1555010{number:04}" for number in range(40)]
    for place, contact in enumerate(contacts):
        say(rest, f"Hello {place}", contact)
        if place in {10, 25}:
            wait_for(lambda: worker_of(hub)).kill()
            time.sleep(0.2)  # between what is begun and what is done
    wait_for(lambda: len(sent(rest)) >= len(contacts), seconds=60)
    answered = sorted(message["text"] for message in sent(rest))

    assert answered == sorted(f"You said Hello {place}" for place in range(len(contacts)))
