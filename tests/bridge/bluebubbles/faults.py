"""What goes wrong at the fake server, as switches."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Faults:
    """What goes wrong, as it does in the wild."""

    #: Own sends are told twice as new, the first time with their tempGuid.
    double_new_message: bool = True
    is_private_api: bool = True
    is_helper_connected: bool = True
    os_version: str = "14.5"
    server_version: str = "1.9.9"
    #: Words → how a send of them ends.
    #: `error22`, `hang_sent`, `hang_unsent`, `lost`, `timeout`, `refused`.
    by_words: dict[str, str] = field(default_factory=dict)
    #: Guids whose presence makes a whole page fail.
    poison: set[str] = field(default_factory=set)
    #: Path beginnings → status answered in place of the server, as a tunnel does.
    broken: dict[str, int] = field(default_factory=dict)
    #: Path beginnings → status, headers and body of somebody else's page.
    pages: dict[str, tuple[int, dict[str, str], str]] = field(default_factory=dict)
    #: Nothing of `where` is understood.
    no_where: bool = False
    socket_refuses: bool = False
    ping_interval_ms: int = 25_000
