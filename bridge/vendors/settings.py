"""Kinds of values in the settings of all vendors."""

from __future__ import annotations

from typing import Annotated, Final

from msgspec import Meta

#: An API key, or what webhooks are signed with; visible ASCII, since it goes into a header.
Key = Annotated[str, Meta(min_length=8, max_length=512, pattern=r"^[\x21-\x7e]+$")]
Address = Annotated[str, Meta(max_length=512, pattern="^https?://")]
#: Seconds; 0 for never.
Poll = Annotated[int, Meta(ge=0, le=86_400)]
SECRETS: Final = frozenset({"api_key", "webhook_secret"})
