"""What a BlueBubbles bridge is told by its owner. Not here: how long things may take (bridge.bluebubbles.wire)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

SECRET_SETTINGS: Final = frozenset({"password"})

Method = Literal["auto", "private-api", "apple-script"]


class BlueBubblesSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the server is, and how it is used."""

    #: The server's address, without a path: https://mac.example, or http://192.0.2.7:1234 (listed in outbound.allow).
    url: Annotated[str, Meta(min_length=8, max_length=1024)]
    #: The server's password.
    password: Annotated[str, Meta(min_length=1, max_length=512)]
    #: How messages are sent. `auto`: by the Private API where its helper is connected, else by AppleScript.
    method: Method = "auto"
    #: How news comes: over a socket that the hub opens, or by webhooks that the server sends (the hub registers itself,
    #: and needs an address that the Mac can reach: web.base_url).
    feed: Literal["socket", "webhook"] = "socket"
    #: Of several lines the one that a message belongs to where the Mac does not say; the first one otherwise.
    default_line: Annotated[str, Meta(max_length=320)] | None = None
    #: How often the history is read even if nothing was told.
    poll_seconds: Annotated[int, Meta(ge=15, le=86_400)] = 300
    #: How much of the past is told when the bridge is connected for the first time.
    history_days: Annotated[int, Meta(ge=0, le=3650)] = 0
    #: A send of which no trace is found after three quiet minutes: it is `never` sent again (and fails as
    #: delivery_unknown), or `after_quiet`. The server has no key that drops a repeat, so a person may get it twice.
    resend: Literal["never", "after_quiet"] = "never"
    #: Hosts that the bridge may follow to when the server says that its address has changed.
    follow_hosts: Annotated[tuple[Annotated[str, Meta(max_length=255)], ...], Meta(max_length=16)] = ()
    #: The longest file that is sent; it is held in memory while it is.
    most_file_bytes: Annotated[int, Meta(ge=1_048_576, le=1_073_741_824)] = 104_857_600

    def __post_init__(self) -> None:
        """Refuse what is no address at all, before it is kept."""
        if not self.url.strip().lower().startswith(("https://", "http://")):
            raise ValueError("`url` begins with https://, or with http:// in your own network")

    def __repr__(self) -> str:
        """Name the server, not the password."""
        return f"BlueBubblesSettings(url={self.url!r}, method={self.method!r}, feed={self.feed!r})"

    __str__ = __repr__
