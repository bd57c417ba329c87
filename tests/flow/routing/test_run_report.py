"""What runs do is counted, with labels of which there cannot be too many."""

from __future__ import annotations

from hub.app.run_report import MOST_ROUTES, OTHERS, RunReport
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from hub.model.run import RunState
from hub.observe.metrics import Metrics
from tests.store.test_runs import a_run
from tests.support.hub_world import HubWorld
from tests.support.route_world import RouteWorld

ROUTE = """
version: 1
routes:
  - id: one
    trigger: message.received
    steps: [{ use: do.safe, with: { text: "{{ event.text }}" }, retry: { attempts: 2, first: 1s } }]
"""


def value_of(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def test_attempts_and_ends_are_counted(world: HubWorld) -> None:
    metrics, routes = Metrics(), RouteWorld(world)
    report = RunReport(metrics)
    routes.driver.on_attempted, routes.driver.on_ended = report.attempted, report.ended
    routes.triages.on_triaged = report.decided

    def answer(call: ActionCall) -> ActionDone | ActionFailed:
        is_well = call.inputs["text"] == "well" and call.attempt == 2
        return ActionDone(output={}) if is_well else ActionFailed("retryable", "Down", status=503)

    routes.actions.answer = answer
    await routes.install(ROUTE)
    await world.say("well")
    await world.say("wrong")
    for _ in range(4):
        await routes.work()
        world.clock.advance(2_000)

    assert value_of(metrics, "hub_step_attempts_total", connector="do", outcome="completed") == 1
    assert value_of(metrics, "hub_step_attempts_total", connector="do", outcome="retryable") == 3
    assert value_of(metrics, "hub_step_seconds_count") == 4
    assert value_of(metrics, "hub_runs_ended_total", outcome="completed") == 1
    assert value_of(metrics, "hub_runs_ended_total", outcome="failed") == 1
    assert value_of(metrics, "hub_runs_failed_total", route="one") == 1
    assert value_of(metrics, "hub_triage_delay_seconds_count") == 2


def test_many_routes_are_counted_together() -> None:
    metrics = Metrics()
    report = RunReport(metrics)
    for number in range(MOST_ROUTES + 2):
        report.ended(a_run(route_id=f"route-{number}", state=RunState.FAILED))
    report.ended(a_run(route_id="route-0", state=RunState.FAILED))

    assert value_of(metrics, "hub_runs_failed_total", route=OTHERS) == 2
    assert value_of(metrics, "hub_runs_failed_total", route="route-0") == 2
