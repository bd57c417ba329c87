"""How commands reach the store: opened for one command, beside a hub that may be running. They need no API key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from hub.config.settings import Settings
from hub.model.ids import InvalidId, Prefix, id_text, parse_id

if TYPE_CHECKING:
    from hub.app.console import Console

T = TypeVar("T")

#: How one id of each kind looks, for messages.
_EXAMPLE = 0x0F2_4D41_1D00_0001


def run(settings: Settings, use: Callable[[Console], Awaitable[T]]) -> T:
    """Open the store, use it, close it."""
    from hub.app.console import open_console  # noqa: PLC0415 - heavy; commands that need no store start without
    from hub.observe.logs import configure_logs  # noqa: PLC0415

    # A command says itself what its reader must know; Redis being away is told by those whom it concerns.
    configure_logs(level="error", form="text", process="console")

    async def inside() -> T:
        async with open_console(settings) as console:
            return await use(console)

    return asyncio.run(inside())


def parsed_id(prefix: Prefix, text: str, *, listed_by: str) -> int:
    """Read an id that a person typed.

    Args:
        prefix: The kind of id.
        text: As typed.
        listed_by: The command that shows the ids there are.
    """
    try:
        return parse_id(prefix, text)
    except InvalidId:
        raise click.UsageError(
            f"'{text}' is no such id: one looks like {id_text(prefix, _EXAMPLE)}. `{listed_by}` shows them."
        ) from None
