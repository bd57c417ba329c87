"""What `server/info` says, and what a line can do by it. Pure.

Evidence: interfaces/serverInterface.ts, middleware/privateApiMiddleware.ts of bluebubbles-server 1.9.9.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bridge.bluebubbles.settings import Method
from bridge.bluebubbles.shapes import JSON, cut, number

#: By AppleScript and what chat.db shows.
_PLAIN: Final = frozenset({"attachments", "delivered", "history", "read_in", "text"})
#: With the helper of the Private API.
_PRIVATE: Final = frozenset(
    {
        "audio",
        "availability",
        "contact_card",
        "effects",
        "group_create",
        "group_icon",
        "group_leave",
        "group_members",
        "group_rename",
        "mentions",
        "react_std",
        "read_out",
        "reply",
        "subject",
        "typing_in",
        "typing_out",
        "unread_out",
    }
)
#: With the helper, from macOS 13 (Ventura) on.
_VENTURA: Final = frozenset({"edit", "unsend"})
#: The last release whose DELETE …/typing starts typing (routers/chatRouter.ts; mended on its branch `development`).
_LAST_WITHOUT_STOP: Final = (1, 9, 9)
#: So far off, dates cannot be compared.
MOST_SKEW_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerInfo:
    """The server and its Mac."""

    os_version: str = ""
    server_version: str = ""
    is_private_api: bool = False
    is_helper_connected: bool = False
    #: The Apple accounts of the Mac: the one of iMessage.
    account: str | None = None
    #: Seconds that its clock is off, where it knows.
    skew_seconds: float | None = None

    @property
    def macos(self) -> int:
        """The first number of macOS; 0 if unknown. 10.15 is 10."""
        return (_numbers(self.os_version) or (0,))[0]

    @property
    def has_private_api(self) -> bool:
        return self.is_private_api and self.is_helper_connected

    @property
    def can_stop_typing(self) -> bool:
        return _numbers(self.server_version) > _LAST_WITHOUT_STOP

    @property
    def is_older_than_read(self) -> bool:
        """Whether the server is older than the one whose source was read; False where it does not say."""
        return () < _numbers(self.server_version) < _LAST_WITHOUT_STOP


def read_info(data: JSON) -> ServerInfo:
    """Read the `data` of `server/info`."""
    skew = data.get("macos_time_sync")
    return ServerInfo(
        os_version=cut(data, "os_version", most=32) or "",
        server_version=cut(data, "server_version", most=32) or "",
        is_private_api=data.get("private_api") is True,
        is_helper_connected=data.get("helper_connected") is True,
        account=cut(data, "detected_imessage", most=320),
        skew_seconds=float(skew)
        if isinstance(skew, int | float)
        else float(number(data, "macos_time_sync") or 0)
        if skew is not None
        else None,
    )


def capabilities_of(info: ServerInfo, method: Method) -> frozenset[str]:
    """Say what a line can do now."""
    if not info.has_private_api:
        return _PLAIN
    able = _PLAIN | _PRIVATE | (_VENTURA if info.macos >= 13 else frozenset())
    # Effects, replies and the like force the Private API; who asked for AppleScript does not want that for sends.
    return able - _OF_SENDS if method == "apple-script" else able


_OF_SENDS: Final = frozenset({"audio", "effects", "mentions", "reply", "subject"})


def method_for(info: ServerInfo, method: Method) -> str:
    """Choose how a message is sent: always said, for the server's own default is AppleScript."""
    if method != "auto":
        return method
    return "private-api" if info.has_private_api else "apple-script"


def health_of(info: ServerInfo, method: Method) -> tuple[str, str | None]:
    """Judge a server that answers."""
    if info.is_private_api and not info.is_helper_connected:
        return "degraded", "the Private API is on, but its helper is not connected: open Messages on the Mac"
    if method == "private-api" and not info.is_private_api:
        return "degraded", "`method` is private-api, but the Private API is off on the server"
    if info.skew_seconds is not None and abs(info.skew_seconds) > MOST_SKEW_SECONDS:
        return (
            "degraded",
            f"the Mac's clock is {abs(info.skew_seconds):.0f} s off: let it set the time itself",
        )
    if info.macos >= 26 and method_for(info, method) == "apple-script":
        return "degraded", "AppleScript cannot send on macOS 26 (server issue 777): set up the Private API"
    return "online", None


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d{1,4}(?:\.\d{1,4}){0,3})", version)
    return tuple(map(int, found[1].split("."))) if found else ()
