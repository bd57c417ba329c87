"""Clients of servers on this machine.

They trust no authority: reading the system's, as a process of the hub does once, takes longer than most tests.
"""

from __future__ import annotations

import ssl
from typing import Any, Final

from hub.outbound.client import OutboundClient
from hub.outbound.tls import ResumingContext
from hub.rules.egress import EgressPolicy

THIS_MACHINE: Final = EgressPolicy(allow_hosts=frozenset({"127.0.0.1"}))


def trusting_nobody() -> ssl.SSLContext:
    """Give a context in which no certificate is good."""
    return ResumingContext(ssl.PROTOCOL_TLS_CLIENT)


def local_client(policy: EgressPolicy = THIS_MACHINE, **more: Any) -> OutboundClient:
    """Make a client; who has it closes it."""
    return OutboundClient(policy, tls=trusting_nobody(), **more)
