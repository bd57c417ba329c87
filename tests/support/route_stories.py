"""Routes of tests over the REST surface, and what tests ask about their runs."""

from __future__ import annotations

from typing import Any

from hub.model.actions import ActionCall, ActionDone, ActionFailed
from tests.support.hub_world import HubWorld
from tests.support.route_world import RouteWorld


def written(*routes: str) -> str:
    indented = ["\n".join(f"    {line}" for line in route.strip().split("\n")) for route in routes]
    return "version: 1\nroutes:\n" + "\n".join(f"  -{each[3:]}" for each in indented) + "\n"


ECHO = """
id: echo
trigger: message.received
steps:
  - id: told
    use: do.safe
    with: { text: "{{ event.text }}" }
"""
TWO = """
id: two
trigger: message.received
steps:
  - id: first
    use: do.keyed
    with: { text: "{{ event.text }}" }
  - id: second
    use: do.keyed
    with: { got: "{{ steps.first.output.got.text }}" }
on_error:
  - use: do.safe
    with: { failed: "{{ error.step }}" }
"""
BY_HAND = """
id: by-hand
trigger: { manual: true }
vars: { greeting: "Hello" }
steps:
  - use: do.safe
    with: { text: "{{ vars.greeting }} {{ event.name }}", type: "{{ event.type }}" }
"""


async def said(world: HubWorld, text: str = "Hello", **who: Any) -> str:
    """A contact writes; give the event's id."""
    await world.say(text, **who)
    (event,) = (await world.api.get("/v1/events?type=message.received&limit=1")).json["data"]
    number: str = event["id"]
    return number


async def only_run(world: HubWorld) -> dict[str, Any]:
    (run,) = (await world.api.get("/v1/runs")).json["data"]
    found: dict[str, Any] = (await world.api.get(f"/v1/runs/{run['id']}")).json
    return found


def failing(routes: RouteWorld, key: str) -> None:
    """Let actions that are given something under a key fail for good."""

    def answer(call: ActionCall) -> ActionDone | ActionFailed:
        if key in call.inputs:
            return ActionFailed("permission", "Missing scope", status=403, requests=("POST https://x 403",))
        return ActionDone(output={"got": dict(call.inputs)})

    routes.actions.answer = answer


async def why(world: HubWorld, event_id: str) -> dict[str, str]:
    answered = await world.api.get(f"/v1/events/{event_id}/routes")
    assert answered.status == 200, answered.body
    return {each["route_id"]: each["why"] for each in answered.json["data"]}
