"""An API key: who may do what, on which lines."""

from __future__ import annotations

from dataclasses import dataclass

from hub.model.dialect import NATIVE

#: The scopes of the wire (contracts: messages.dev §1) and ours for what that API lacks.
SCOPES: tuple[str, ...] = (
    "admin",
    "chats:read",
    "chats:write",
    "consents:read",
    "consents:write",
    "contacts:read",
    "contacts:write",
    "deliveries:read",
    "deliveries:write",
    "drafts:write",
    "events:read",
    "facetime:write",
    "files:read",
    "files:write",
    "lines:read",
    "lines:write",
    "locations:read",
    "locations:write",
    "messages:read",
    "messages:write",
    "outbox:read",
    "polls:read",
    "polls:write",
    "reactions:read",
    "reactions:write",
    "receipts:read",
    "receipts:write",
    "routes:read",
    "routes:write",
    "sandbox:write",
    "typing:read",
    "typing:write",
    "webhooks:read",
    "webhooks:write",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """A key as we keep it: never the key itself."""

    id: int
    name: str
    #: First characters, so that a person recognises it.
    hint: str
    scopes: frozenset[str]
    #: None for every line.
    line_ids: frozenset[int] | None
    requests_per_hour: int | None
    created_at: int
    expires_at: int | None
    revoked_at: int | None
    #: Which wire its owner's client speaks where a path is that of several (hub.model.dialect).
    dialect: str = NATIVE

    def may(self, scope: str) -> bool:
        """Tell whether the key carries the scope; `admin` carries all."""
        return scope in self.scopes or "admin" in self.scopes

    def may_use_line(self, line_id: int) -> bool:
        return self.line_ids is None or line_id in self.line_ids
