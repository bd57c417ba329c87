"""What bridges brought and could not be taken in, as `hub bridges refused` prints it, and takes it in again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import click

from hub.cli.bridge_settings import known
from hub.cli.console import run
from hub.cli.history import shown_time
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.flow.refused_desk import RefusedDesk, TakenAgain
    from hub.model.line import Bridge
    from hub.model.refused import RefusedPayload


def refused_id(text: str) -> int:
    """Read the id of a payload.

    Raises:
        click.UsageError: It is none.
    """
    from hub.model.ids import InvalidId, Prefix, parse_id  # noqa: PLC0415

    try:
        return parse_id(Prefix.REFUSED, text)
    except InvalidId:
        raise click.UsageError(f"'{text}' is no id of a payload; they begin with rfd_.") from None


def refused_rows(payload: RefusedPayload, *, is_whole: bool) -> list[str]:
    """Write one payload: its outline, or all that is kept of it."""
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415
    from hub.rules.sources.masking import masked_body  # noqa: PLC0415

    said = payload.refused
    name = id_text(Prefix.REFUSED, payload.id)
    times = f"{payload.count} times" if payload.count > 1 else "once"
    event = f" {said.event}" if said.event else ""
    shown = said.raw.decode("utf-8", "replace") if is_whole else masked_body(said.raw)
    what = f"{said.code.value}  {said.origin.value}{event}  {said.size} bytes  {times}"
    return [
        f"{name}  {shown_time(payload.last_at)}  {what}",
        f"  {said.reason}",
        *([f"  {shown}"] if shown else []),
    ]


def take_in_again(settings: Settings, name: str, chosen: str | None) -> bool:
    """Take one payload in again, or all that can be read; print what became of each, and tell whether none is refused.

    Args:
        settings: Of the hub.
        name: The bridge's.
        chosen: The payload's id; None for all.
    """
    return run(settings, lambda console: _take_in(console, known(console, name), chosen))


async def _take_in(console: Console, bridge: Bridge, chosen: str | None) -> bool:
    from hub.app.command_bridges import open_refused  # noqa: PLC0415
    from hub.flow.refused_desk import can_be_read  # noqa: PLC0415
    from hub.model.errors import InvalidRequest  # noqa: PLC0415

    counts: Counter[str] = Counter()
    async with open_refused(console) as desk:
        if chosen is None:
            kept = await _all_of(desk, bridge.id)
            # The oldest first, as they happened.
            payload_ids = [each.id for each in reversed(kept) if can_be_read(each.refused)]
            counts["unreadable"] = len(kept) - len(payload_ids)
        else:
            payload_ids = [refused_id(chosen)]
        for payload_id in payload_ids:
            try:
                taken = await desk.take_in_again(bridge, payload_id)
            except InvalidRequest as error:
                if chosen is not None:
                    raise click.UsageError(f"{chosen} of {bridge.name}: {error.message}") from None
                continue  # somebody else took it in meanwhile, or it is no longer kept
            counts[taken.status] += 1
            click.echo(taken_row(payload_id, taken))
    if chosen is None:
        click.echo(taken_summary(counts))
    return not counts["refused"]


async def _all_of(desk: RefusedDesk, bridge_id: int) -> list[RefusedPayload]:
    found: list[RefusedPayload] = []
    while page := await desk.page(bridge_id, after=found[-1].id if found else None, limit=100):
        found += page
    return found


def taken_row(payload_id: int, taken: TakenAgain) -> str:
    """Say what became of a payload that was read again."""
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    return f"{id_text(Prefix.REFUSED, payload_id)}  {_BECAME[taken.status].format(reason=taken.reason)}"


def taken_summary(counts: Mapping[str, int]) -> str:
    """Say how many became what."""
    told = [f"{counts[name]} {words}" for name, words in _SUMMARY.items() if counts.get(name)]
    return f"{', '.join(told)}." if told else "There is nothing to take in again."


_BECAME: Final = {
    "recorded": "Taken in; it is kept here no more.",
    "duplicate": "It was known already, so nothing is told twice; it is kept here no more.",
    "refused": "Still refused, and kept: {reason}",
}
_SUMMARY: Final = {
    "recorded": "taken in",
    "duplicate": "known already",
    "refused": "still refused",
    "unreadable": "only to look at: nothing reads such a payload again",
}
