"""A run becomes a test: it passes, it expects what came of the run, and it has nothing of anybody in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.app.offline import OfflineActions, offline_actions
from hub.app.recording import NotRecorded, record
from hub.app.trials import run_trials
from hub.config.settings import load_settings
from hub.model.run import Run
from tests.support.hub_world import HubWorld
from tests.support.route_world import RouteWorld

ROUTE = """version: 1
routes:
  - id: question
    trigger: message.received
    when: { direction: inbound, text: { matches: "\\\\?\\\\s*$" } }
    vars:
      loud: "{{ event.text | upper }}"
    steps:
      - id: said
        use: log
        with: { message: "{{ vars.loud }} by {{ event.from }}" }
      - switch:
          - if: "'refund' in event.text | lower"
            steps:
              - { use: log, with: { message: money } }
          - else: true
            steps:
              - { use: log, with: { message: other } }
      - id: answer
        wait_for: { trigger: message.received, timeout: 1h, on_timeout: [{ stop: silence }] }
      - if: "steps.answer.output.event.text == 'Yes'"
        use: log
        with: { message: agreed }
"""


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> OfflineActions:
    nowhere = tmp_path_factory.mktemp("nowhere")
    named = {"HUB_CONNECTIONS_FILE": str(nowhere / "c.yaml"), "HUB_CONNECTORS_FOLDER": str(nowhere)}
    return offline_actions(load_settings(None, named))


async def only_run(routes: RouteWorld) -> Run:
    (run,) = await routes.runs()
    return run


@pytest.fixture
async def routes(world: HubWorld) -> RouteWorld:
    routes = RouteWorld(world)
    await routes.install(ROUTE)
    await routes.book.refresh()
    return routes


async def played(text: str, place: Path, offline: OfflineActions) -> int:
    """Play what was written as `hub test` does; give how many tests passed."""
    (place / "question.yaml").write_text(ROUTE)
    (place / "question.test.yaml").write_text(text)
    trials = run_trials([place / "question.test.yaml"], offline)
    assert (trials.problems, trials.failed) == (0, 0), trials.files
    return trials.passed


@pytest.mark.parametrize("answer", ["Yes", "Never ever, says Adalbert"])
async def test_a_conversation_is_recorded(
    answer: str, world: HubWorld, routes: RouteWorld, offline: OfflineActions, tmp_path: Path
) -> None:
    await world.say(
        "Dear Grimhilde, ada@lovelace.example wants her REFUND, +4915112345678?", contact="+14155550177"
    )
    await routes.work()
    world.clock.advance(60_000)
    await world.say(answer, contact="+14155550177")
    await routes.work()
    run = await only_run(routes)
    found = await record(world.store, routes.book, run.id, offline)

    assert run.state.name == "COMPLETED"
    for each in ("Grimhilde", "lovelace", "15112345678", "4155550177", "GRIMHILDE", "Adalbert"):
        assert each not in found.text
    assert ("text: 'Yes'" in found.text or "text: Yes" in found.text) is (answer == "Yes")
    assert found.differences == ()
    assert "REFUND" in found.text  # the route asks for it
    assert len(found.text.splitlines()) < 60
    assert await played(found.text, tmp_path, offline) == 1


async def test_silence_is_recorded(
    world: HubWorld, routes: RouteWorld, offline: OfflineActions, tmp_path: Path
) -> None:
    await world.say("Is anybody there?")
    await routes.work()
    world.clock.advance(3_700_000)
    await routes.work()
    found = await record(world.store, routes.book, (await only_run(routes)).id, offline)

    assert found.differences == ()
    assert "Xx xxxxxxx xxxxx?" in found.text
    assert await played(found.text, tmp_path, offline) == 1


async def test_what_cannot_be_recorded_is_told(
    world: HubWorld, routes: RouteWorld, offline: OfflineActions
) -> None:
    await world.say("Is anybody there?")
    await routes.triage()
    run = await only_run(routes)

    with pytest.raises(NotRecorded, match="there is no such run"):
        await record(world.store, routes.book, run.id + 1, offline)
