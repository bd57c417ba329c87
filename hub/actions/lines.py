"""The line that an action works on: the one that is named, that of the event, or the one that the hub chooses."""

from __future__ import annotations

from collections.abc import Iterable

from hub.actions.desk import THE_HUB, Desk
from hub.actions.situation import line_in
from hub.flow.line_choice import serves
from hub.model.actions import ActionCall, ActionFailed
from hub.model.ids import InvalidId, Prefix, parse_id
from hub.model.line import Line
from hub.rules.chatkeys import normalize_handle
from hub.rules.problems import suggestion


async def find_line(desk: Desk, text: str, *, name: str = "from") -> Line:
    """Find a line by its `ln_` id, its handle or its label.

    Raises:
        ActionFailed: `not_found`, or `invalid` for a label that several lines bear.
    """
    directory = await desk.directory.refresh()
    if text.startswith(f"{Prefix.LINE}_"):
        try:
            line = directory.lines_by_id.get(parse_id(Prefix.LINE, text))
        except InvalidId:
            line = None
        return line or _unknown(text, directory.lines_by_id.values(), name)
    line = directory.lines_by_handle.get(normalize_handle(text))
    if line is not None:
        return line
    labelled = [
        each for each in directory.lines_by_id.values() if (each.label or "").casefold() == text.casefold()
    ]
    if len(labelled) > 1:
        handles = ", ".join(sorted(each.handle for each in labelled))
        raise ActionFailed("invalid", f"'{name}': {handles} are all called '{text}'; name one by its handle.")
    return labelled[0] if labelled else _unknown(text, directory.lines_by_id.values(), name)


def _unknown(text: str, lines: Iterable[Line], name: str) -> Line:
    words = {word for line in lines for word in (line.handle, line.label) if word}
    near = suggestion(text, words)
    fix = f"Did you mean '{near}'?" if near else "GET /v1/lines and `hub lines` list all."
    raise ActionFailed("not_found", f"'{name}': there is no line '{text}'. {fix}")


async def line_of_event(desk: Desk, call: ActionCall) -> Line | None:
    """Give the line on which the event happened; None for an event without one."""
    named = line_in(call.event)
    return None if named is None else await find_line(desk, named, name="event")


async def sending_line(
    desk: Desk, call: ActionCall, *, named: str | None, to: str, service: str | None
) -> Line:
    """Give the line of a send: `from`; else that of the chat, or of the event; else the hub chooses.

    Raises:
        ActionFailed: There is no such line, or it does not serve the channel.
        InvalidRequest: chat_not_found, or line_not_found where no line can send.
    """
    if named is not None:
        line = await find_line(desk, named)
        if service is not None and not serves(line, service):
            raise ActionFailed(
                "invalid",
                f"The line {line.handle} is of the service '{line.service}', not '{service}'. Leave out 'from', and "
                "the hub chooses a line of that service.",
            )
        return line
    line_of_this = None if to.startswith(f"{Prefix.CHAT}_") else await line_of_event(desk, call)
    if line_of_this is not None and (service is None or serves(line_of_this, service)):
        return line_of_this
    return await desk.line_choice.choose(THE_HUB, to, service=service)
