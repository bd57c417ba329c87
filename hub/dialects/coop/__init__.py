"""The wire of Coop: `/api/v1/…` (contracts: coop). README.md here tells what each endpoint does."""

from __future__ import annotations

from typing import Final

from hub.api.dialect import Dialect
from hub.dialects.coop import (
    automations,
    bulk,
    contact_files,
    contact_groups,
    contacts,
    conversations,
    messages,
    relays,
    webhooks,
)
from hub.dialects.coop.errors import told
from hub.dialects.coop.names import DIALECT_NAME, KEY_PREFIX
from hub.dialects.coop.webhook_form import CoopForm

DIALECT: Final = Dialect(
    name=DIALECT_NAME,
    vendor="Coop",
    key_prefix=KEY_PREFIX,
    # A key of the vendor has the rights of whoever made it; relays and their tokens are the owner's.
    scopes=frozenset({"admin"}),
    paths=("/api/v1",),
    endpoints=(
        # What has a name of its own comes before the ids that would match it.
        *bulk.ENDPOINTS,
        *messages.ENDPOINTS,
        *conversations.ENDPOINTS,
        *contact_files.ENDPOINTS,
        *contacts.ENDPOINTS,
        *contact_groups.ENDPOINTS,
        *relays.ENDPOINTS,
        *webhooks.ENDPOINTS,
        *automations.ENDPOINTS,
    ),
    errors=told,
    webhook_form=CoopForm(),
)
