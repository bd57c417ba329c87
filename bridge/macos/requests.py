"""What an operation is about, read from its payload (docs/bridges.md): the chat, and the parts still to be sent."""

from __future__ import annotations

from bridge.quotes import kept_parts
from hub.flow.sent_parts import sent_parts
from hub.model.observation import Part
from hub.model.outbox import Operation
from hub.rules.chatkeys import direct_chat_key, normalize_chat_key


def chat_key_of(operation: Operation) -> str | None:
    """Give the key of the chat that the operation names; None if it names none."""
    chat_key, to = text_of(operation, "chat_key"), text_of(operation, "to") or text_of(operation, "handle")
    if chat_key is not None:
        return normalize_chat_key(chat_key, is_group=True)
    return None if to is None else direct_chat_key(to)


def parts_of(operation: Operation) -> list[tuple[int, Part]]:
    """Give the parts that the network does not have yet, each with its place from 1."""
    done = operation.payload.get("parts_done")
    places = list(enumerate(sent_parts(operation.payload), start=1))
    kept = kept_parts(operation.payload)
    left = places[done if isinstance(done, int) and done > 0 else 0 :]
    return [(place, part) for place, part in left if place - 1 not in kept]


def text_of(operation: Operation, name: str) -> str | None:
    value = operation.payload.get(name)
    return value if isinstance(value, str) and value else None


def texts_of(operation: Operation, name: str) -> tuple[str, ...]:
    value = operation.payload.get(name)
    return tuple(str(each) for each in value) if isinstance(value, list | tuple) else ()
