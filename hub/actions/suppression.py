"""`contact.suppress`: nothing more is sent to an address. It goes into the log of consents, which is never changed.

The hub hears STOP by itself (docs/line-safety.md); this is for what was said elsewhere, or in other words.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.actions.built_in import BuiltIn, Output
from hub.actions.content import placed
from hub.actions.desk import Desk
from hub.actions.lines import find_line
from hub.actions.situation import person_in
from hub.flow.consent import ConsentWish, read_handle
from hub.flow.line_choice import serves
from hub.model.actions import ActionCall, ActionFailed
from hub.model.consent import ConsentAction, ConsentSource
from hub.model.line import Line
from hub.rules.consent import is_silenced

LONGEST_REASON: Final = 300


class SuppressInputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to be left alone, and where."""

    address: Annotated[
        str,
        Meta(
            title="Address",
            description="A phone number (E.164), an Apple ID or a short code. Absent: the event's other side.",
            min_length=1,
            max_length=320,
            examples=["+15550100001"],
        ),
    ] | None = None  # fmt: skip
    channel: Annotated[
        str,
        Meta(
            title="Channel",
            description="Only lines of this service that there are now. Absent: every line, also later ones.",
            max_length=64,
            examples=["imessage"],
        ),
    ] | None = None  # fmt: skip
    line: Annotated[
        str,
        Meta(
            title="Line",
            description="Only this one: its handle, label or `ln_` id.",
            min_length=1,
            max_length=320,
            examples=["sales-line"],
        ),
    ] | None = None  # fmt: skip
    reason: Annotated[
        str,
        Meta(
            title="Reason",
            description="Why, for who reads the log.",
            max_length=LONGEST_REASON,
            examples=["keyword"],
        ),
    ] | None = None  # fmt: skip


async def _suppress(desk: Desk, call: ActionCall, inputs: SuppressInputs) -> Output:
    text = inputs.address or person_in(call.event)
    if text is None:
        raise ActionFailed("invalid", "The event names nobody. Give 'address'.")
    handle, reason = read_handle(text, param="address"), _reason(call, inputs)
    lines = await _lines(desk, inputs)
    wishes = [
        ConsentWish(
            line=line,
            handle=handle,
            action=ConsentAction.OPTED_OUT,
            source=ConsentSource.API,
            reason=reason,
            once_as=f"run:{call.key}",
        )
        for line in lines
        if not is_silenced(await desk.consents.standing(line, handle))
    ]
    changed = await desk.consents.record(wishes)
    return {
        "address": handle,
        "scope": "hub" if lines == [None] else "lines",
        "lines": [line.handle for line in lines if line is not None],
        "changed": changed > 0,
    }


async def _lines(desk: Desk, inputs: SuppressInputs) -> list[Line | None]:
    """Give the lines for which it counts; None stands for all of them."""
    if inputs.line is not None:
        line = await find_line(desk, inputs.line, name="line")
        if inputs.channel is not None and not serves(line, inputs.channel):
            raise ActionFailed(
                "invalid",
                f"The line {line.handle} is of the service '{line.service}', not '{inputs.channel}'.",
            )
        return [line]
    if inputs.channel is None:
        return [None]
    directory = await desk.directory.refresh()
    lines = sorted(directory.lines_by_id.values(), key=lambda line: line.id)
    found: list[Line | None] = [line for line in lines if serves(line, inputs.channel)]
    if not found:
        services = ", ".join(sorted({line.service for line in lines}))
        raise ActionFailed(
            "not_found",
            f"No line is of the service '{inputs.channel}'; there are {services or 'no lines'}. Leave out "
            "'channel' for every line.",
        )
    return found


def _reason(call: ActionCall, inputs: SuppressInputs) -> str:
    route = f"route {call.route}" if call.route else "a route"
    return f"{route}: {inputs.reason}" if inputs.reason else route


def _preview(call: ActionCall, inputs: SuppressInputs) -> str:
    whom = inputs.address or person_in(call.event) or "nobody: the event names none"
    where = inputs.line or (f"lines of {inputs.channel}" if inputs.channel else "every line")
    return placed(call, f"{whom} on {where}", {})


SUPPRESS: Final = BuiltIn(
    name="contact.suppress",
    title="Opt a contact out",
    description=(
        "From now on nothing is sent to the address, whoever asks, until it says START or a consent is recorded. Who "
        "has opted out already stays so, and the log gets no further entry."
    ),
    kind="write",
    repetition="safe",
    inputs=SuppressInputs,
    example={"address": "+15550100001", "reason": "Asked us on the telephone"},
    sample={"address": "+15550100001", "scope": "hub", "lines": [], "changed": True},
    run=_suppress,
    preview=_preview,
)
