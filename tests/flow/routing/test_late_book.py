"""The book of routes, opened with the first route."""

from __future__ import annotations

from hub.flow.routing.late_book import LateBook
from tests.support.hub_world import HubWorld
from tests.support.route_world import RouteWorld

PATH = "a-long-and-odd-word"
HOOK = f"""version: 1
routes:
  - id: hook
    trigger: {{ webhook: {PATH} }}
    steps: [{{ use: do.safe, with: {{}} }}]
"""


async def test_a_route_is_known_from_the_refresh_after_it_was_installed(world: HubWorld) -> None:
    late = LateBook(world.store.routes)
    await late.refresh()
    before = late.has_hook(PATH)
    await RouteWorld(world).install(HOOK)
    await late.refresh()

    assert (before, late.has_hook(PATH)) == (False, True)


async def test_whoever_asks_for_the_book_gets_it_though_there_is_no_route(world: HubWorld) -> None:
    late = LateBook(world.store.routes)

    assert late.book.types == frozenset()
    assert late.book is late.book
