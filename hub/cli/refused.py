"""What bridges brought and could not be taken in, as `hub bridges refused` prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hub.cli.history import shown_time

if TYPE_CHECKING:
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
