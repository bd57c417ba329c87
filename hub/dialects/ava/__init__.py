"""The wire of AVA by Buzzed Tech: four endpoints under `/api/` (contracts: ava). README.md here tells our choices."""

from __future__ import annotations

from typing import Final

from hub.api.dialect import Dialect
from hub.dialects.ava import drafts, messages
from hub.dialects.ava.errors import told
from hub.dialects.ava.names import DIALECT_NAME, KEY_PREFIX

DIALECT: Final = Dialect(
    name=DIALECT_NAME,
    vendor="AVA",
    key_prefix=KEY_PREFIX,
    scopes=frozenset({"drafts:write", "messages:read", "messages:write"}),
    # Not all of /api/: Coop has /api/v1.
    paths=("/api/generate", "/api/messages/", "/api/send"),
    endpoints=(*drafts.ENDPOINTS, *messages.ENDPOINTS),
    errors=told,
    webhook_form=None,
)
