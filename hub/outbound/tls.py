"""TLS for the outbound client: one context for all calls, which resumes sessions by host name.

asyncio and uvloop build their TLS layer through `SSLContext.wrap_bio`, and neither lets a caller pass a session
there, so the context looks it up itself. A session is only ever offered to the name it was verified for: resuming
skips the certificate, and two names on one address must not vouch for each other.
"""

from __future__ import annotations

import math
import ssl
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: A remembered session is offered this long. Servers grant hours to days; a certificate that was revoked or has
#: expired since must be looked at again some time.
SESSION_SECONDS = 7200.0
#: CPython loses 5 KB each time a session is read out of a connection (python/cpython#116810, mended in 3.12.8 and
#: 3.13.1, never in 3.11; measured on 3.11.7, 2026-11). May go with the support of those versions.
IS_READING_LEAKY = sys.version_info < (3, 12, 8) or (3, 13, 0) <= sys.version_info < (3, 13, 1)


class TlsSessions:
    """Sessions by host name, the least recently made ones dropped first."""

    def __init__(self, *, clock: Callable[[], float], max_sessions: int, max_leaky_reads: int) -> None:
        self._clock = clock
        self._reads_left = max_leaky_reads if IS_READING_LEAKY else math.inf
        self._max_sessions = max_sessions
        # None marks a server that gives no sessions: asking each time costs as much as a session saves.
        self._by_host: OrderedDict[str, tuple[ssl.SSLSession | None, float]] = OrderedDict()

    def get(self, host: str) -> ssl.SSLSession | None:
        """Return the session to offer to a host, None when there is none."""
        known = self._by_host.get(host)
        if known is None:
            return None
        session, until = known
        if until < self._clock():
            del self._by_host[host]
            return None
        return session

    def learn(self, host: str, connection: ssl.SSLObject) -> None:
        """Remember a connection's session, once it has read something (TLS 1.3 tickets come after the handshake).

        Reading a session out costs a fifth of a millisecond, so it is not done for one that was itself resumed:
        the same ticket is offered again until the server stops taking it.
        """
        if connection.session_reused:
            return
        known = self._by_host.get(host)
        if known is not None and known[0] is None and known[1] >= self._clock():
            return
        if self._reads_left <= 0:
            return
        self._reads_left -= 1
        session = connection.session
        is_useful = session is not None and (session.has_ticket or connection.version() != "TLSv1.3")
        self._by_host[host] = (session if is_useful else None, self._clock() + SESSION_SECONDS)
        self._by_host.move_to_end(host)
        if len(self._by_host) > self._max_sessions:
            self._by_host.popitem(last=False)

    def forget(self, host: str) -> None:
        """Do not offer a host's session again, after a handshake with it failed."""
        self._by_host.pop(host, None)


class ResumingContext(ssl.SSLContext):
    """A client context that offers the session remembered for the name it connects to."""

    #: Set by the client that owns the context; sessions belong to one context.
    sessions: TlsSessions | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Make the TLS object of one connection."""
        if session is None and self.sessions is not None and isinstance(server_hostname, str):
            session = self.sessions.get(server_hostname)
        return super().wrap_bio(
            incoming, outgoing, server_side=server_side, server_hostname=server_hostname, session=session
        )


def client_context(*, ca_file: Path | None = None) -> ResumingContext:
    """Make the context for user-supplied URLs: certificate and name are always verified.

    Args:
        ca_file: Extra authorities (PEM), for receivers with a private one; the system's stay trusted.
    """
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def mail_context() -> ssl.SSLContext:
    """Make the context for mail servers: verified alike, without the words of HTTP and without kept sessions."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def explain(error: ssl.SSLError) -> str:
    """Say in one phrase, safe to show, what is wrong with the receiver's TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        reason: Any = error.verify_message
        return f"the receiver's certificate was not accepted: {reason}"
    return f"the TLS handshake failed ({(error.reason or 'unknown reason').lower().replace('_', ' ')})"
