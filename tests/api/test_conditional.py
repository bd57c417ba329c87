"""Entity tags: 304 while nothing changed, 412 once something did, and of two changes at once only one."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from hub.api.conditional import is_tagged, takes_if_match
from hub.api.openapi import described
from hub.api.surface import ENDPOINTS
from hub.flow.turns import LEASE_MS, Turns
from tests.support.hub_world import HubWorld

TAG = re.compile(r'"[0-9a-f]{24}"')


@pytest.mark.parametrize("path", ["/v1/lines", "/v1/webhooks?from=*", "/v1/messages", "/v1/queue"])
async def test_what_has_not_changed_is_not_sent_again(world: HubWorld, path: str) -> None:
    first = await world.api.get(path)
    again = await world.api.get(path, headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})

    assert TAG.fullmatch(first.headers["etag"])
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-length" not in again.headers
    assert "content-type" not in again.headers
    assert "x-ratelimit-remaining" in again.headers


async def test_what_has_changed_is_sent_with_another_tag(world: HubWorld) -> None:
    before = await world.api.get("/v1/messages")
    await world.say("Hello")
    after = await world.api.get("/v1/messages", headers={"If-None-Match": before.headers["etag"]})

    assert after.status == 200
    assert after.headers["etag"] != before.headers["etag"]


async def test_a_star_stands_for_whatever_is_there(world: HubWorld) -> None:
    assert (await world.api.get("/v1/lines", headers={"If-None-Match": "*"})).status == 304


async def test_head_tells_the_tag(world: HubWorld) -> None:
    read = await world.api.get("/v1/lines")
    head = await world.api.request("HEAD", "/v1/lines")

    assert (head.headers["etag"], head.body) == (read.headers["etag"], b"")


async def test_errors_and_writes_have_no_tag(world: HubWorld) -> None:
    missing = await world.api.get("/v1/webhooks/wh_0000000000000")
    made = await world.api.post("/v1/contact-groups", {"name": "g"})

    assert "etag" not in {*missing.headers, *made.headers}


async def test_a_change_of_what_one_has_seen(world: HubWorld) -> None:
    path = f"/v1/webhooks/{(await world.webhook())['id']}"
    tag = (await world.api.get(path)).headers["etag"]
    changed = await world.api.patch(path, {"description": "mine"}, headers={"If-Match": tag})
    refused = await world.api.patch(path, {"description": "theirs"}, headers={"If-Match": tag})
    shown = await world.api.get(path)

    assert changed.status == 200
    assert (refused.status, refused.code, refused.param) == (412, "precondition_failed", "If-Match")
    assert shown.json["description"] == "mine"


async def test_a_deletion_of_what_one_has_seen(world: HubWorld) -> None:
    path = f"/v1/webhooks/{(await world.webhook())['id']}"
    refused = await world.api.delete(path, headers={"If-Match": '"000000000000000000000000"'})
    weak = await world.api.delete(
        path, headers={"If-Match": f"W/{(await world.api.get(path)).headers['etag']}"}
    )
    done = await world.api.delete(path, headers={"If-Match": (await world.api.get(path)).headers["etag"]})

    assert (refused.status, weak.status, done.status) == (412, 412, 200)


async def test_a_star_changes_whatever_is_there_and_nothing_that_is_not(world: HubWorld) -> None:
    path = f"/v1/webhooks/{(await world.webhook())['id']}"
    changed = await world.api.patch(path, {"description": "x"}, headers={"If-Match": "*"})
    missing = await world.api.patch(
        "/v1/webhooks/wh_0000000000000", {"description": "x"}, headers={"If-Match": "*"}
    )

    assert (changed.status, missing.code) == (200, "webhook_not_found")


async def test_of_changes_of_the_same_at_once_one_is_made(world: HubWorld) -> None:
    path = f"/v1/webhooks/{(await world.webhook())['id']}"
    tag = (await world.api.get(path)).headers["etag"]
    answers = await asyncio.gather(
        *(world.api.patch(path, {"description": str(n)}, headers={"If-Match": tag}) for n in range(20))
    )

    assert sorted(answer.status for answer in answers) == [200, *[412] * 19]


async def test_the_turn_of_a_process_that_died_is_over_when_its_lease_is(world: HubWorld) -> None:
    turns = Turns(world.store.repeats, world.clock)
    died: Any = turns.of("/v1/webhooks/wh_1")
    await died.__aenter__()
    with pytest.raises(Exception, match="being changed"):
        async with turns.of("/v1/webhooks/wh_1"):
            raise AssertionError
    world.clock.advance(LEASE_MS)

    async with turns.of("/v1/webhooks/wh_1"):
        pass


async def test_a_tag_of_what_came_compressed_is_as_good(world: HubWorld) -> None:
    gzipped = {"Accept-Encoding": "gzip"}
    hook = await world.webhook(url="https://receiver.example/" + "x" * 1000)
    path = f"/v1/webhooks/{hook['id']}"
    tag = (await world.api.get(path, headers=gzipped)).headers["etag"]
    same = await world.api.get(path, headers={**gzipped, "If-None-Match": tag})
    changed = await world.api.patch(path, {"description": "mine"}, headers={"If-Match": tag})

    assert tag.endswith('.gz"')
    assert (same.status, changed.status) == (304, 200)


async def test_no_change_is_bound_to_another_view_of_the_thing(world: HubWorld) -> None:
    await world.say("Hello")
    path = f"/v1/chats/{(await world.api.get('/v1/chats')).json['data'][0]['id']}"
    plain = (await world.api.get(path)).headers["etag"]
    counted = (await world.api.get(f"{path}?include=counts")).headers["etag"]
    again = await world.api.get(f"{path}?include=counts", headers={"If-None-Match": counted})
    refused = await world.api.patch(path, {"name": "Us"}, headers={"If-Match": counted})

    assert (plain[0], counted[:3]) == ('"', 'W/"')
    assert (again.status, refused.status) == (304, 412)
    assert "without query parameters" in refused.json["error"]["message"]


def test_whatever_takes_if_match_can_be_read() -> None:
    readable = {each.path: each for each in ENDPOINTS if is_tagged(each)}
    bound = [each for each in described() if takes_if_match(each)]

    assert {each.path for each in bound} <= readable.keys()
    for each in bound:
        readable[each.path].query()  # raises where a parameter must be given
    assert len(bound) >= 12
