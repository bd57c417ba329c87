"""Dialects: the wire forms of the vendors whose clients work here unchanged (docs/decisions/0018).

The native dialect is Hub's own surface, which is also that of messages.dev. Which others there are stands in
hub.dialects.registry alone; everything below it knows them by name only.
"""

from __future__ import annotations

from typing import Final

#: The wire of /v1, of the native webhooks and of keys that were made for nothing else.
NATIVE: Final = "native"
