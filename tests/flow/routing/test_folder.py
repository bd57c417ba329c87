"""The folder of routes, followed: what is sound stands, a mistake changes nothing, what has not changed is not read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from hub.app.route_folder import RouteFolder
from hub.config.route_files import read_route_files
from hub.flow.routing.installing import ToInstall
from tests.support.hub_world import HubWorld
from tests.support.route_world import RecordingActions, RouteWorld

ECHO = """version: 1
routes:
  - id: {name}
    trigger: message.received
    steps:
      - use: do.safe
        with: {{ text: "{{{{ event.text }}}}" }}
"""


class FewerActions(RecordingActions):
    """Actions of which some can be taken away."""

    def specs(self) -> Mapping[str, object]:  # type: ignore[override]  # the values are the same
        return {name: spec for name, spec in super().specs().items() if name not in self.gone}

    gone: frozenset[str] = frozenset()


@pytest.fixture
def actions() -> FewerActions:
    return FewerActions()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    folder = tmp_path / "routes"
    folder.mkdir()
    return folder


@pytest.fixture
def folder(world: HubWorld, place: Path, actions: FewerActions) -> RouteFolder:
    return RouteFolder(
        place,
        blueprints=place.parent / "blueprints",
        actions=actions,  # type: ignore[arg-type]  # as above
        installing=RouteWorld(world).installing,
        clock=world.clock,
        on_installed=world.wake_ups.routes_changed,
    )


async def standing(world: HubWorld) -> dict[str, str | None]:
    return {route.id: route.file for route in await world.store.routes.current()}


async def test_what_is_written_stands_and_follows_the_files(
    world: HubWorld, folder: RouteFolder, place: Path
) -> None:
    (place / "a.yaml").write_text(ECHO.format(name="a"))
    (place / "deeper").mkdir()
    (place / "deeper" / "b.yml").write_text(ECHO.format(name="b"))
    (place / "c.test.yaml").write_text("tests: []")
    (place / ".hidden.yaml").write_text("nonsense: [")
    first = await folder.look()
    (place / "a.yaml").unlink()
    second = await folder.look()

    assert first is not None
    assert (first.added, first.retired) == (("a", "b"), ())
    assert second is not None
    assert (second.retired, second.unchanged) == (("a",), 1)
    assert await standing(world) == {"b": str(place / "deeper" / "b.yml")}
    assert world.wake_ups.routes == 2
    assert await folder.look() is None


async def test_a_mistake_in_any_file_changes_nothing_until_it_is_mended(
    world: HubWorld, folder: RouteFolder, place: Path
) -> None:
    (place / "a.yaml").write_text(ECHO.format(name="a"))
    await folder.look()
    (place / "a.yaml").write_text(ECHO.format(name="renamed"))
    (place / "b.yaml").write_text(ECHO.format(name="b").replace("do.safe", "do.saef"))
    await folder.look()

    assert await standing(world) == {"a": str(place / "a.yaml")}
    (told,) = folder.status.problems
    assert told.startswith(f"{place / 'b.yaml'}:6:14: routes[0].steps[0].use: there is no action do.saef")
    assert "Did you mean do.safe" in told

    (place / "b.yaml").write_text(ECHO.format(name="b"))
    await folder.look()
    assert (sorted(await standing(world)), folder.status.problems) == (["b", "renamed"], ())


async def test_each_reading_is_told(world: HubWorld, place: Path, actions: FewerActions) -> None:
    counts: list[int] = []
    folder = RouteFolder(
        place,
        blueprints=place.parent / "blueprints",
        actions=actions,  # type: ignore[arg-type]  # as above
        installing=RouteWorld(world).installing,
        clock=world.clock,
        on_installed=world.wake_ups.routes_changed,
        on_read=lambda status: counts.append(len(status.problems)),
    )
    for name in ("do.saef", "do.safe"):
        (place / "a.yaml").write_text(ECHO.format(name="a").replace("do.safe", name))
        await folder.look()

    assert counts == [1, 0]


async def test_two_files_cannot_have_the_same_route(folder: RouteFolder, place: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (place / name).write_text(ECHO.format(name="same"))
    await folder.look()

    (told,) = folder.status.problems
    assert f"the other one is in {place / 'a.yaml'}:3" in told


async def test_routes_of_another_origin_are_not_taken_over(
    world: HubWorld, folder: RouteFolder, place: Path
) -> None:
    found = read_route_files(place)
    assert found.routes == ()
    (place / "a.yaml").write_text(ECHO.format(name="a"))
    (written,) = read_route_files(place).routes
    await RouteWorld(world).installing.install("coop", [ToInstall(id="a", source=written.source)])
    await folder.look()

    assert folder.status.problems == ("a: a route of this id was made by coop; give yours another id",)


def test_what_has_not_changed_is_not_read_again(place: Path) -> None:
    for name in ("a", "b"):
        (place / f"{name}.yaml").write_text(ECHO.format(name=name))
    first = read_route_files(place)
    (place / "b.yaml").write_text(ECHO.format(name="c"))
    second = read_route_files(place, known=first.known)

    assert second.routes[0] is first.routes[0]
    assert [each.route.id for each in second.routes] == ["a", "c"]


async def test_what_was_sound_is_asked_again_for_what_it_uses(
    folder: RouteFolder, place: Path, actions: FewerActions
) -> None:
    (place / "a.yaml").write_text(ECHO.format(name="a"))
    await folder.look()
    actions.gone = frozenset({"do.safe"})
    (place / "b.yaml").write_text(ECHO.format(name="b").replace("do.safe", "do.keyed"))
    await folder.look()

    assert [each.splitlines()[0].rpartition(": ")[2] for each in folder.status.problems] == [
        "there is no action do.safe"
    ]


BLUEPRINT = """version: 1
blueprint: Echo
inputs:
  word: { type: text, description: What to hear, example: a }
routes:
  - id: echo
    trigger: message.received
    if: "event.text == input.word"
    steps:
      - use: do.safe
        with: { text: "{{ input.word }}, %s" }
"""
USE = "version: 1\nroutes: [{ use_blueprint: echo, id: mine, inputs: { word: ping } }]\n"


async def test_a_changed_blueprint_changes_the_routes_that_use_it(
    world: HubWorld, folder: RouteFolder, place: Path, actions: FewerActions
) -> None:
    blueprint = place.parent / "blueprints" / "echo.yaml"
    blueprint.parent.mkdir()
    blueprint.write_text(BLUEPRINT % "one")
    (place / "a.yaml").write_text(USE)
    first = await folder.look()
    blueprint.write_text(BLUEPRINT % "second")
    second = await folder.look()
    blueprint.write_text((BLUEPRINT % "third").replace("do.safe", "do.saef"))
    await folder.look()

    assert first is not None
    assert second is not None
    assert (first.added, second.changed) == (("mine-echo",), ("mine-echo",))
    (told,) = folder.status.problems
    assert told.startswith(f"{place / 'a.yaml'}:2:27: routes[0].use_blueprint: there is no action do.saef")
    assert f"  blueprint: {blueprint}:10:14" in told
    (kept,) = await world.store.routes.current()
    assert "second" in kept.source


async def test_a_use_of_a_blueprint_runs(
    world: HubWorld, folder: RouteFolder, place: Path, actions: FewerActions
) -> None:
    blueprint = place.parent / "blueprints" / "echo.yaml"
    blueprint.parent.mkdir()
    blueprint.write_text(BLUEPRINT % "{{ input.word | upper }}")
    (place / "a.yaml").write_text(USE)
    await folder.look()
    routes = RouteWorld(world, actions)
    await routes.book.refresh()
    for text in ("ping", "pong"):
        await world.say(text)
    await routes.work()

    assert routes.inputs == [{"text": "ping, PING"}]


async def test_a_text_beside_routes_is_followed(world: HubWorld, folder: RouteFolder, place: Path) -> None:
    text = place / "text.md"
    (place / "a.yaml").write_text(ECHO.format(name="a").replace('"{{ event.text }}"', "{ file: text.md }"))
    await folder.look()
    missing = folder.status.problems
    text.write_text("one")
    first = await folder.look()
    quiet = await folder.look()
    text.write_text("another")
    second = await folder.look()

    assert len(missing) == 1
    assert first is not None
    assert second is not None
    assert (first.added, quiet, second.changed) == (("a",), None, ("a",))
    (kept,) = await world.store.routes.current()
    assert "another" in kept.source
