"""The code in docs/migrating-from-blooio.md works as it stands; its commands run in tests/e2e/test_examples.py."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from blooio import Blooio

import hub
from hub.dialects.blooio.webhook_form import TYPES, WRITERS, BlooioForm
from hub.model.delivery import DeliveryState
from tests.api.test_deliveries import finish
from tests.dialects.blooio.test_official_client import do
from tests.dialects.blooio.test_official_webhooks import posted, registered
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld
from tests.support.served import served

PAGE = (Path(hub.__file__).parent.parent / "docs" / "migrating-from-blooio.md").read_text("utf-8")


def code(name: str) -> Callable[..., Any]:
    """Give a function of the page."""
    (block,) = [
        each for each in re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL) if f"def {name}(" in each
    ]
    names: dict[str, Callable[..., Any]] = {}
    exec(block, names)
    return names[name]


@pytest.fixture
async def client(world: HubWorld, api: Caller) -> AsyncIterator[Blooio]:
    async with served(world) as serving:
        with Blooio(base_url=f"{serving.url}/v2/api", api_key=api.token or "", max_retries=0) as made:
            yield made


async def test_the_receiver_of_the_page_verifies(world: HubWorld, client: Blooio) -> None:
    verify = code("verify")
    _, secret = await registered(client)
    await world.say("Hello")
    headers, _, body = await posted(world)
    header, now = headers["X-Blooio-Signature"], world.clock.now_ms() / 1000

    assert verify(secret, header, body, now)
    assert verify(secret, header, body, now + 299)
    assert not verify(secret, header, body, now + 302)
    assert not verify(secret, header, body, now - 302)
    assert not verify(secret, header, body + b" ", now)
    assert not verify(f"{secret}x", header, body, now)
    for bad in ("", "t=1", "t=,v1=", "t=²,v1=", "v1=x,t=1", f"t={now:.0f},v1=ü"):
        assert not verify(secret, bad, body, now)


async def test_what_was_refused_is_sent_again(world: HubWorld, client: Blooio) -> None:
    webhook_id, _ = await registered(client)
    await world.say("Hello")
    await finish(world, DeliveryState.DEAD)
    ids = [each.event_id for each in (await do(lambda: client.webhooks.logs.list(webhook_id))).logs or []]
    replay = code("replay_refused")

    async def refuse(seconds: float) -> None:
        await finish(world, DeliveryState.DEAD, number=2, status=500)

    world.naps.meanwhile = refuse
    assert await do(lambda: replay(client, webhook_id)) == ids

    async def accept(seconds: float) -> None:
        await finish(world, DeliveryState.SUCCEEDED, number=3, status=200)

    world.naps.meanwhile = accept
    assert await do(lambda: replay(client, webhook_id)) == []


def test_the_table_of_events_is_true() -> None:
    head, rows = re.search(r"^\| event \|(.+)\n\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE).groups()  # type: ignore[union-attr]
    types = re.findall(r"`(\w+)`", head)
    told: dict[str, set[str]] = {kind: set() for kind in types}
    for row in rows.splitlines():
        events, *marks = (cell.strip() for cell in row.strip("|").split("|"))
        for kind, mark in zip(types, marks, strict=True):
            if mark == "yes":
                told[kind] |= set(re.findall(r"`(\w+\.\w+)`", events))
    expected = {kind: {WRITERS[each][0] for each in events} for kind, events in TYPES.items()}

    assert {kind: names - {"poll.received"} for kind, names in told.items()} == expected
    assert {kind for kind, names in told.items() if "poll.received" in names} == {"poll", "all"}


def test_a_secret_of_the_vendor_can_be_kept() -> None:
    """40 hex digits are base64, too."""
    BlooioForm().check_secret("whsec_" + "0123456789abcdef0123456789abcdef01234567")
