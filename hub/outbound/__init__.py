"""The guarded outbound client: the only way in which Hub calls a URL that a user supplied."""

from hub.outbound.client import OutboundClient
from hub.outbound.errors import OutboundCode, OutboundError
from hub.outbound.limits import OutboundLimits
from hub.outbound.messages import Request, Response, StreamedResponse, Target
from hub.outbound.request_head import header_lines
from hub.outbound.resolver import NameNotResolvedError, Resolver, SystemResolver
from hub.outbound.tls import client_context

__all__ = [
    "NameNotResolvedError",
    "OutboundClient",
    "OutboundCode",
    "OutboundError",
    "OutboundLimits",
    "Request",
    "Resolver",
    "Response",
    "StreamedResponse",
    "SystemResolver",
    "Target",
    "client_context",
    "header_lines",
]
