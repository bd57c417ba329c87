"""The settings of a bridge of kind `chatdb`. Programs are no settings; paths are for the Mac's owner alone."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

_Path = Annotated[str, Meta(min_length=1, max_length=1024)]


class ChatDbSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Messages on this Mac, by its database and AppleScript."""

    #: Where Messages keeps its database.
    database: _Path = "~/Library/Messages/chat.db"
    #: Where Messages keeps files; nothing else is opened.
    attachments: _Path = "~/Library/Messages/Attachments"
    #: How much of the past the first start tells, in hours.
    history_hours: Annotated[float, Meta(ge=0, le=87_600)] = 24
    #: How many of the newest messages are watched for changes.
    watched_messages: Annotated[int, Meta(ge=1_000, le=200_000)] = 20_000
    #: How often the files of the database are looked at, in milliseconds.
    poll_ms: Annotated[int, Meta(ge=50, le=10_000)] = 250
    #: How long a new row is left alone, in milliseconds: Messages corrects it at first.
    settle_ms: Annotated[int, Meta(ge=0, le=10_000)] = 500
    #: Send by AppleScript; off, this bridge only listens.
    sends: bool = True
    #: An iPhone relays SMS for this Mac: what iMessage refuses may go out so, if a send allows it.
    sms_fallback: bool = False
    #: The largest file that is sent, in MiB.
    most_file_mb: Annotated[int, Meta(ge=1, le=2_048)] = 100
