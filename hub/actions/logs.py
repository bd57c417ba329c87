"""`log`: a line in the hub's log, in the words of a route's author."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
import structlog
from msgspec import Meta

from hub.actions.built_in import BuiltIn, Output
from hub.actions.content import placed, quoted
from hub.actions.desk import Desk
from hub.model.actions import ActionCall, ActionFailed

log = structlog.get_logger("routes")

MOST_BYTES: Final = 8192


class LogInputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be logged."""

    message: Annotated[
        str,
        Meta(
            title="Message",
            description="What happened.",
            min_length=1,
            max_length=2000,
            examples=["New lead"],
        ),
    ]
    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(title="Level", description="How grave it is.", examples=["info"]),
    ] = "info"
    fields: Annotated[
        dict[str, Any],
        Meta(title="Fields", description="Values beside the message, at most 8 KB.", examples=[{"score": 7}]),
    ] = {}


async def _log(desk: Desk, call: ActionCall, inputs: LogInputs) -> Output:
    if len(msgspec.json.encode(inputs.fields)) > MOST_BYTES:
        raise ActionFailed("invalid", f"'fields' is larger than {MOST_BYTES} bytes of JSON.")
    write = getattr(log, inputs.level)
    write("route.logged", message=inputs.message, route=call.route, run=call.run, fields=inputs.fields)
    return {"level": inputs.level, "message": inputs.message}


def _preview(call: ActionCall, inputs: LogInputs) -> str:
    return placed(call, f"{inputs.level}: {quoted(inputs.message)}", {})


LOG: Final = BuiltIn(
    name="log",
    title="Write into the hub's log",
    description=(
        "As `route.logged`, with the ids of route and run. The words are yours: keep secrets and texts of people out."
    ),
    kind="write",
    repetition="safe",
    inputs=LogInputs,
    example={"message": "New lead", "fields": {"score": 7}},
    sample={"level": "info", "message": "New lead"},
    run=_log,
    preview=_preview,
)
