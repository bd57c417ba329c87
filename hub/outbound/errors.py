"""Why an outbound call gave no answer.

An answer with any status (404, 500, a redirect) is a `Response`, never an error. Details are written for the
customer who gave the URL: they name the URL's own host, never what our resolver or network said about it.
"""

from __future__ import annotations

from enum import StrEnum

from hub.model.errors import HubError


class OutboundCode(StrEnum):
    """What went wrong, in the order in which a call meets it."""

    URL_REFUSED = "url_refused"
    HEADER_REFUSED = "header_refused"
    CLIENT_CLOSED = "client_closed"
    DNS_FAILED = "dns_failed"
    ADDRESS_REFUSED = "address_refused"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    CONNECT_FAILED = "connect_failed"
    #: No connection (with TLS, where used) within the connect or the total time.
    CONNECT_TIMEOUT = "connect_timeout"
    TLS_FAILED = "tls_failed"
    PROXY_FAILED = "proxy_failed"
    #: What was to be sent while it was read has another length than was announced.
    BODY_BROKEN = "body_broken"
    #: The total time ran out after the request was sent.
    TIMEOUT = "timeout"
    #: The answer was not HTTP.
    PROTOCOL_ERROR = "protocol_error"
    HEADERS_TOO_LARGE = "headers_too_large"
    #: A streamed body is longer than the caller takes.
    BODY_TOO_LARGE = "body_too_large"
    #: Closed or reset before the answer was complete.
    CONNECTION_LOST = "connection_lost"


class OutboundError(HubError):
    """An outbound call gave no answer; the receiver may or may not have acted on it."""

    def __init__(self, code: OutboundCode, detail: str, *, is_ours: bool = False, status: int | None = None):
        super().__init__(f"{code}: {detail}")
        self.code = code
        #: One sentence, safe to show to the customer who gave the URL.
        self.detail = detail
        #: The fault is Hub's or its operator's network, not the receiver's: do not hold it against them.
        self.is_ours = is_ours
        #: The end of the request's body was never handed to the network: the receiver cannot have had it whole.
        self.is_unfinished = False
        #: The status line, when one arrived before the answer broke off.
        self.status = status
        #: The address that was dialled, None when it did not come to that.
        self.address: str | None = None
        #: From the start of the call; 0 when it was refused before it started.
        self.duration_ms = 0.0


def client_closed() -> OutboundError:
    """Say that nothing is called any more."""
    return OutboundError(OutboundCode.CLIENT_CLOSED, "Hub is shutting down", is_ours=True)
