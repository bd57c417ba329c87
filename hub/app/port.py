"""The port of the web service: free, and known before anybody is told of it."""

from __future__ import annotations

import errno
import socket
from dataclasses import replace

from hub.config.settings import Settings
from hub.model.errors import HubError

#: What to do about the usual reasons why a port cannot be had.
_ADVICE = {
    errno.EADDRINUSE: "Stop what listens there, or choose another one: HUB_WEB__PORT=8081",
    errno.EACCES: "Ports below 1024 need rights: choose another one, HUB_WEB__PORT=8080",
    errno.EADDRNOTAVAIL: "No interface of this machine has that address: correct web.host",
}


class CannotStart(HubError):
    """Something outside the hub stands against it."""


def with_free_port(settings: Settings) -> Settings:
    """Fail with a sentence, not with a child that dies again and again; put a free port in place of 0."""
    family = socket.AF_INET6 if ":" in settings.web.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.web.host, settings.web.port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            number = getattr(error, "errno", None) or 0
            reason = getattr(error, "strerror", None) or str(error)
            raise CannotStart(
                f"Port {settings.web.port} on {settings.web.host} cannot be used: {reason}. "
                + _ADVICE.get(number, "Correct web.host or web.port.")
            ) from None
        port = int(probe.getsockname()[1])
    return replace(settings, web=replace(settings.web, port=port))
