"""MsgBubbles: its REST v1 on the paths of the native surface; the key decides (contracts: msgbubbles)."""

from __future__ import annotations

from typing import Final

from hub.api.dialect import Dialect, RateLimit
from hub.dialects.msgbubbles import attachments, chats, hooks, message_actions, messages, numbers
from hub.dialects.msgbubbles.errors import error_answer
from hub.dialects.msgbubbles.webhooks import FORM

DIALECT: Final = Dialect(
    name=FORM.name,
    vendor="MsgBubbles",
    key_prefix="sk_live_",
    scopes=frozenset(
        {
            "chats:read",
            "chats:write",
            "contacts:read",
            "files:read",
            "files:write",
            "lines:read",
            "messages:read",
            "messages:write",
            "reactions:write",
            "receipts:write",
            "typing:write",
            "webhooks:read",
            "webhooks:write",
        }
    ),
    paths=(),
    endpoints=(
        *attachments.ENDPOINTS,
        *chats.ENDPOINTS,
        *hooks.ENDPOINTS,
        *message_actions.ENDPOINTS,
        *messages.ENDPOINTS,
        *numbers.ENDPOINTS,
    ),
    errors=error_answer,
    webhook_form=FORM,
    rate_limit=RateLimit(requests=120, seconds=60),
)
