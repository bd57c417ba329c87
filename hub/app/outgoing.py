"""The outbound client and its policy, from the settings."""

from __future__ import annotations

import resource

from hub.config.settings import Settings
from hub.flow.receivers import USER_AGENT
from hub.outbound import OutboundClient, OutboundLimits
from hub.rules.egress import EgressPolicy, read_allow_list

#: An idle TLS connection costs some 50 KB.
MOST_CONNECTIONS = 4000
#: Files that the process needs beside connections to receivers.
OTHER_FILES = 200


def egress_policy(settings: Settings) -> EgressPolicy:
    """Who may be reached: the public internet, and what the operator allows beside it."""
    return read_allow_list(settings.outbound.allow)


def raise_file_limit() -> int:
    """Take as many open files as the system gives; return the limit. Each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(soft, wanted)


def outbound_client(settings: Settings) -> OutboundClient:
    """The one client for URLs that users give."""
    limits = OutboundLimits(
        connect_timeout_seconds=settings.outbound.connect_timeout_seconds,
        idle_seconds=settings.outbound.keep_alive_seconds,
        max_connections=min(MOST_CONNECTIONS, max(64, raise_file_limit() - OTHER_FILES)),
        user_agent=USER_AGENT,
    )
    return OutboundClient(egress_policy(settings), limits=limits, proxy=settings.outbound.proxy or None)
