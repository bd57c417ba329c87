"""Who answers in the place of a server that does not, or why nobody does; in words that say what to do. Pure.

Tunnels, proxies, portals, redirects; connections that do not come about.
"""

from __future__ import annotations

from typing import Final

#: What proxies and tunnels say when nobody is behind them (52x and 530 are Cloudflare's).
_NOBODY_BEHIND: Final = frozenset({502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530})
#: What web servers say to http on a port that speaks https.
_NOT_TLS: Final = (
    b"plain http request was sent to https",
    b"http request to an https server",
    b"requires tls",
)


def stand_in(status: int, body: bytes, *, moved_to: str | None) -> str:
    """Say what an answer that is none of the server's means, and what to do.

    Args:
        status: Of HTTP.
        body: Its beginning.
        moved_to: Where a redirect leads, without path and query; None if nowhere else.
    """
    if 300 <= status < 400 and moved_to is not None:
        return f"the address leads on to {moved_to} ({status}): set `url` to the server's own address"
    if any(each in body.lower() for each in _NOT_TLS):
        return "the port speaks https: begin `url` with https://"
    return next((words for statuses, words in _WORDS if status in statuses), _OTHERS).format(status=status)


_OTHERS: Final = (
    "what answers ({status}) is no BlueBubbles server: another program, a tunnel's warning or a portal's page"
)
_WORDS: Final = (
    (
        range(300, 400),
        "something before the server sends callers to a page of its own ({status}), as a sign-in or a portal does",
    ),
    (
        frozenset({401, 403, 407, 511}),
        "something before the server wants a sign-in ({status}): let the hub past it",
    ),
    (
        _NOBODY_BEHIND,
        "a tunnel or proxy answers ({status}), and the Mac behind it does not: is BlueBubbles running there?",
    ),
    (
        frozenset({404}),
        "no BlueBubbles server is at this address (404): check host and port of `url`; "
        "a tunnel whose Mac is away may say so, too",
    ),
)


def advice_for(detail: str) -> str:
    """Say what to do where no connection came about.

    Args:
        detail: What hub.outbound said of it.
    """
    return next(
        (advice for words, advice in _ADVICE if words in detail), "Check `url`, and the way to the Mac."
    )


_ADVICE: Final = (
    ("wrong version number", "The port speaks http: begin `url` with http://."),
    ("TLS", "Is its certificate one that others trust, and for this name?"),
    (
        "refused the connection",
        "Nothing listens there: does BlueBubbles run, and is the port right (1234 at first)?",
    ),
    (
        "does not exist",
        "A tunnel's address changes when BlueBubbles starts anew: its window shows the one of now.",
    ),
    ("outbound.allow", "Or let an agent beside the Mac run the bridge (docs/agent.md)."),
    ("closed", "If BlueBubbles has a certificate of its own, begin `url` with https://."),
    ("in time", "Is the Mac awake, and in this network?"),
)
