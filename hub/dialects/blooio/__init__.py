"""Blooio's API, version 2 (contracts: blooio): paths under `/v2/api/`, keys `bl_live_…`, errors in its envelope.

README.md lists every endpoint. What a chat, a message or a number is called there stands in `identifiers`.
"""

from __future__ import annotations

from typing import Final

from hub.api.dialect import Dialect
from hub.dialects.blooio import (
    account,
    backgrounds,
    chats,
    contacts,
    errors,
    group_members,
    groups,
    lookups,
    messages,
    polls,
    reactions,
    sends,
    signs,
    webhook_logs,
    webhooks,
)
from hub.dialects.blooio.webhook_form import BlooioForm
from hub.model.key import SCOPES

#: The vendor's keys have no scopes: each may do all that its endpoints do.
KEY_SCOPES: Final = frozenset(SCOPES) - {"admin", "sandbox:write"}

#: What the vendor's clients, made by Stainless, send from a browser; some browsers ask for the first, too.
CLIENT_HEADERS: Final = (
    "User-Agent",
    "X-Stainless-Arch",
    "X-Stainless-Lang",
    "X-Stainless-OS",
    "X-Stainless-Package-Version",
    "X-Stainless-Retry-Count",
    "X-Stainless-Runtime",
    "X-Stainless-Runtime-Version",
    "X-Stainless-Timeout",
)

DIALECT: Final = Dialect(
    name="blooio",
    vendor="Blooio",
    key_prefix="bl_live_",
    scopes=KEY_SCOPES,
    paths=("/v2/api/",),
    endpoints=(
        *account.ENDPOINTS,
        *backgrounds.ENDPOINTS,
        *chats.ENDPOINTS,
        *contacts.ENDPOINTS,
        *group_members.ENDPOINTS,
        *groups.ENDPOINTS,
        *lookups.ENDPOINTS,
        *messages.ENDPOINTS,
        *polls.ENDPOINTS,
        *reactions.ENDPOINTS,
        *sends.ENDPOINTS,
        *signs.ENDPOINTS,
        *webhook_logs.ENDPOINTS,
        *webhooks.ENDPOINTS,
    ),
    errors=errors.told,
    webhook_form=BlooioForm(),
    client_headers=CLIENT_HEADERS,
    answer_headers=(errors.RETRY_HEADER,),
)
