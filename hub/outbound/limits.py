"""Every bound of the outbound client in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboundLimits:
    """Bounds of one client; defaults fit a process that may open 1,024 files."""

    #: For all addresses of one name together, with the TLS handshake, within the call's total time.
    connect_timeout_seconds: float = 10.0
    #: Kept-alive connections, in use or idle, of the whole client; the longest idle one makes room.
    max_connections: int = 900
    #: Idle connections kept to one scheme, host, port and address.
    max_idle_per_pool: int = 32
    #: An idle connection is closed after this long, or a second before the receiver said it would close it.
    idle_seconds: float = 75.0
    #: A connection is not used again when it is older, so that a moved name or a changed guard takes hold.
    max_age_seconds: float = 600.0
    #: Status line and headers of one answer together, with interim (1xx) answers and trailers.
    max_header_bytes: int = 32_768
    #: Answers of the resolver are believed this long; failures shorter.
    dns_ttl_seconds: float = 30.0
    dns_failure_ttl_seconds: float = 3.0
    #: How late a deadline may be noticed.
    deadline_tick_seconds: float = 0.25
    #: How often idle connections are looked through.
    idle_sweep_seconds: float = 5.0
    #: Names and TLS sessions remembered; a session holds the certificate, some 10 KB.
    max_names: int = 20_000
    max_tls_sessions: int = 1_000
    #: On a Python that leaks 5 KB for each TLS session it learns, learn no more than this in all (20 MB).
    max_leaky_session_reads: int = 4_000
    user_agent: str = "Hub"
