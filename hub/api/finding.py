"""Find the message that a request names, on any line that its key may see: such a request names no line."""

from __future__ import annotations

from typing import Any

from hub.api.calls import Call, not_found
from hub.flow.rows import MessageRow
from hub.model.ids import InvalidId, Prefix, parse_id
from hub.model.line import Line


async def find_readable_message(
    call: Call[Any, Any], text: str, *, param: str | None = None
) -> tuple[Line, MessageRow]:
    """Find a message by its `msg_` id or by its network's GUID, with its line.

    Raises:
        InvalidRequest: message_not_found, or line_not_accessible for the id of another line's message.
    """
    message = await _by_id(call, text) if text.startswith("msg_") else await _by_guid(call, text)
    if message is None:
        raise not_found("message", param=param)
    call.uses.lines.require(call.key, message.line_id, param=param)
    line = await call.uses.lines.get(message.line_id)
    if line is None:
        raise not_found("message", param=param)
    return line, message


async def _by_id(call: Call[Any, Any], text: str) -> MessageRow | None:
    try:
        return await call.uses.store.messages.get(parse_id(Prefix.MESSAGE, text))
    except InvalidId:
        return None


async def _by_guid(call: Call[Any, Any], text: str) -> MessageRow | None:
    lines = await call.uses.lines.visible(call.key)
    return await call.uses.store.messages.by_guid_on([line.id for line in lines], text)
