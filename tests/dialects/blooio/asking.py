"""Sends and lists as several tests ask for them."""

from __future__ import annotations

from typing import Any

from tests.support.asgi import Answered, Caller


async def sent(api: Caller, chat: str = "+15551234567", **body: Any) -> Answered:
    answered = await api.post(f"/v2/api/chats/{chat}/messages", {"text": "Hello", **body})
    assert answered.status == 202, answered.body
    return answered


async def listed(api: Caller, chat: str, query: str = "") -> list[dict[str, Any]]:
    answered = await api.get(f"/v2/api/chats/{chat}/messages{query}")
    assert answered.status == 200, answered.body
    messages: list[dict[str, Any]] = answered.json["messages"]
    return messages
