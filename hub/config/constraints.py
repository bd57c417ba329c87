"""What a value must satisfy beyond its type, each with the words that tell the reader how to mend it.

They stand in the annotations of the settings. None of them reads anything but the value.
"""

import base64
import binascii
import ipaddress
import math
import re
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from hub.rules.local_time import find_zone

_HOST_NAME = re.compile(
    r"(?=.{1,253}$)(\*\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)*"
    r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.?"
)
_ENCRYPTION_KEY_BYTES = 32
_MAX_PORT = 65535


@dataclass(frozen=True, kw_only=True, slots=True)
class Complaint:
    """Why a value is refused, and what to write instead."""

    why: str
    fix: str


class Constraint(Protocol):
    """Looks at one value of the annotated type."""

    def complaint(self, value: object, /) -> Complaint | None:
        """Return what is wrong with the value; None when nothing is."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number from low to high, both allowed."""

    low: float
    high: float

    def complaint(self, value: object, /) -> Complaint | None:
        if isinstance(value, int | float) and math.isfinite(value) and self.low <= value <= self.high:
            return None
        allowed = f"{self.low:g} to {self.high:.15g}"
        return Complaint(why=f"allowed is {allowed}", fix=f"write a number from {allowed}")


@dataclass(frozen=True, slots=True)
class LengthBetween:
    """A list of that many entries, both ends allowed."""

    low: int
    high: int

    def complaint(self, value: object, /) -> Complaint | None:
        if isinstance(value, tuple) and self.low <= len(value) <= self.high:
            return None
        return Complaint(
            why=f"{self.low} to {self.high} entries are allowed", fix="remove or add entries accordingly"
        )


@dataclass(frozen=True, slots=True)
class Matching:
    """A text of one form."""

    pattern: str
    #: What the form is, in words that follow "it must be".
    form: str
    example: str

    def complaint(self, value: object, /) -> Complaint | None:
        if isinstance(value, str) and re.fullmatch(self.pattern, value):
            return None
        return Complaint(why=f"it must be {self.form}", fix=f"write for instance {self.example}")


@dataclass(frozen=True, slots=True)
class Url:
    """A URL with a host, of one of some schemes; empty only where the setting says so."""

    schemes: tuple[str, ...]
    example: str
    may_be_empty: bool = False
    #: Such as a unix socket's, which names a path and no host.
    schemes_without_host: tuple[str, ...] = ()

    def complaint(self, value: object, /) -> Complaint | None:
        if value == "" and self.may_be_empty:
            return None
        parts = _split(str(value))
        if parts is None or not self._has_form(parts):
            known = " or ".join(f"{scheme}://" for scheme in (*self.schemes, *self.schemes_without_host))
            return Complaint(why=f"it must be a URL that starts with {known}", fix=f"write {self.example}")
        return None

    def _has_form(self, parts: SplitResult) -> bool:
        if parts.scheme in self.schemes_without_host:
            return parts.path.startswith("/")
        # PostgreSQL's socket folder is a query parameter: postgresql://user@/database?host=/run/postgresql
        has_socket = "host=/" in parts.query.replace("%2F", "/")
        return parts.scheme in self.schemes and (bool(parts.hostname) or has_socket)


@dataclass(frozen=True, slots=True)
class Origin:
    """A web origin, or `*` for all."""

    def complaint(self, value: object, /) -> Complaint | None:
        parts = _split(str(value))
        if value == "*" or (
            parts is not None
            and parts.scheme in ("http", "https")
            and parts.hostname
            and not (parts.path or parts.query or parts.fragment or parts.username)
        ):
            return None
        return Complaint(
            why="an origin is a scheme, a host and perhaps a port, without a path",
            fix='write https://app.example.com, or "*" for any origin',
        )


@dataclass(frozen=True, slots=True)
class HostAndPort:
    """Where to listen, as `host:port`; IPv6 in brackets; empty only where the setting says so."""

    may_be_empty: bool = False

    def complaint(self, value: object, /) -> Complaint | None:
        if value == "" and self.may_be_empty:
            return None
        host, colon, port = str(value).rpartition(":")
        if colon and _is_port(port) and _is_host(host):
            return None
        return Complaint(why="it must be a host and a port", fix="write 127.0.0.1:8081 or [::1]:8081")


@dataclass(frozen=True, slots=True)
class Host:
    """An IP address or host name to listen on."""

    def complaint(self, value: object, /) -> Complaint | None:
        if _is_address(str(value)) or (_is_host(str(value)) and not str(value).startswith("*")):
            return None
        return Complaint(
            why="it must be an IP address or a host name", fix="write 127.0.0.1, 0.0.0.0, :: or a name"
        )


@dataclass(frozen=True, slots=True)
class Destination:
    """Something outbound requests may reach: `loopback`, a host name, an address or a CIDR block."""

    def complaint(self, value: object, /) -> Complaint | None:
        text = str(value)
        if _is_network(text):
            return None
        if "/" in text or ":" in text or _looks_like_address(text):
            return Complaint(
                why="it is neither an IP address nor a CIDR block with its host bits zero, nor a host name",
                fix="write loopback, 10.0.0.0/8, fd00::/8, 192.168.1.20 or receiver.internal, "
                "without scheme, port or path",
            )
        if _is_host(text):
            return None
        return Complaint(why="it is no host name", fix="write for instance receiver.internal or *.internal")


@dataclass(frozen=True, slots=True)
class TimeZone:
    """A time zone by its IANA name."""

    def complaint(self, value: object, /) -> Complaint | None:
        if find_zone(str(value)) is not None:
            return None
        return Complaint(
            why="it is not the name of a time zone", fix="write UTC, Europe/Berlin or America/New_York"
        )


@dataclass(frozen=True, slots=True)
class EncryptionKey:
    """32 bytes in URL-safe base64, or empty."""

    def complaint(self, value: object, /) -> Complaint | None:
        if value == "" or len(_decoded_key(str(value))) == _ENCRYPTION_KEY_BYTES:
            return None
        return Complaint(
            why="it must be 32 bytes in URL-safe base64, which is 43 characters and a =",
            fix="make one with: openssl rand -base64 32 | tr '+/' '-_'",
        )


def _decoded_key(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _split(text: str) -> SplitResult | None:
    """Return the parts of a URL that a library can be trusted to read the same way; None for others."""
    if not text.isascii() or any(character.isspace() or not character.isprintable() for character in text):
        return None
    try:
        parts = urlsplit(text)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= _MAX_PORT


def _is_host(text: str) -> bool:
    if text.startswith("[") and text.endswith("]"):
        return _is_address(text[1:-1])
    return _is_address(text) if _looks_like_address(text) else bool(_HOST_NAME.fullmatch(text))


def _looks_like_address(text: str) -> bool:
    return bool(text) and (":" in text or text.rstrip(".").rpartition(".")[2].isdigit())


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=True)
    except ValueError:
        return False
    return True
