"""May Hub call this URL, and this address, on behalf of a user?

A URL is parsed once, here, and what is dialled is built from the parts found here, so no second parser can
read it differently. Names are not resolved here (rules do no input or output): the outbound client resolves,
and asks `check_address` about every answer, at the moment it connects.

The operator opens private receivers by name or network (`outbound.allow`). A *name* opens loopback and private
networks; it never opens a metadata service, link-local or multicast: those need their network written out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Literal

from hub.rules.addresses import AddressKind, IPAddress, IPNetwork, parse_address, special_kind

#: Longest URL accepted, in characters.
MAX_URL_LENGTH = 2048
#: The setting that a refusal names, and the file it lives in.
ALLOW_SETTING = "outbound.allow"
_SETTINGS_FILE = "hub.yaml"

_OPENED_BY_NAME = frozenset(
    {AddressKind.LOOPBACK, AddressKind.PRIVATE, AddressKind.SHARED, AddressKind.BENCHMARKING}
)
_LOOPBACK: tuple[IPNetwork, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_LOCALHOST = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SPLIT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_AUTHORITY = re.compile(r"//([^/?]*)(.*)", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
#: Controls, space, backslash, byte-order marks and direction overrides, halves of surrogate pairs.
_FORBIDDEN = re.compile(r"[\x00-\x20\\\x7f-\xa0\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
_ENCODE_IN_PATH = re.compile("[^!#-;=?-\\[\\]_a-z~]")
#: Letters that IDNA 2003 and IDNA 2008 map to different names: ß, final sigma, joiners.
_DEVIATING = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")


@dataclass(frozen=True, kw_only=True, slots=True)
class EgressPolicy:
    """Which receivers the operator opened beyond the public internet."""

    #: Host names in lower-case ASCII, or literals, compared whole; "*.internal" stands for all names below internal.
    allow_hosts: frozenset[str] = frozenset()
    #: Networks that may be called although they are special, e.g. 127.0.0.0/8.
    allow_networks: tuple[IPNetwork, ...] = ()
    #: Who may be called without TLS.
    allow_http: Literal["never", "allowed_hosts", "always"] = "allowed_hosts"


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why a URL or an address may not be called; safe to show to the customer who gave it."""

    message: str
    #: The setting that would open it, None when nothing does.
    setting: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class VettedUrl:
    """A URL taken apart, ready to dial."""

    scheme: Literal["http", "https"]
    #: Lower-case ASCII name without trailing dot, or an address without brackets.
    host: str
    port: int
    #: Path and query as sent on the request line: ASCII, percent-encoded.
    path: str
    #: The address when the host is one (already checked), None for a name.
    literal: str | None
    #: The name itself is on the allow-list.
    is_host_allowed: bool
    #: Plain http to a name that is not listed: only addresses of listed networks may be dialled.
    needs_listed_address: bool

    @property
    def authority(self) -> str:
        """Host and port as the Host header wants them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(url: str, policy: EgressPolicy) -> VettedUrl | Refusal:
    """Take a user's URL apart and say whether Hub may call it; names still have to be resolved and checked."""
    refusal = _check_text(url)
    if refusal is not None:
        return refusal
    scheme_and_rest = _SPLIT.fullmatch(url)
    scheme = scheme_and_rest[1].lower() if scheme_and_rest else ""
    if scheme_and_rest is None or scheme not in _DEFAULT_PORTS:
        return Refusal(message="the URL must start with https:// (or http:// where that is allowed)")
    parts = _AUTHORITY.fullmatch(scheme_and_rest[2])
    if parts is None:
        return Refusal(message=f'the URL needs "//" and a host after "{scheme}:"')
    host_and_port = _split_authority(parts[1], _DEFAULT_PORTS[scheme])
    if isinstance(host_and_port, Refusal):
        return host_and_port
    host, port = host_and_port
    path = parts[2] if parts[2].startswith("/") else "/" + parts[2]
    return _decide("https" if scheme == "https" else "http", host, port, _encode_path(path), policy)


def check_address(
    ip_text: str, policy: EgressPolicy, *, is_host_allowed: bool = False, needs_listed: bool = False
) -> Refusal | None:
    """Say whether an address that a name resolved to, or a literal, may be dialled; None means yes.

    Args:
        ip_text: The address as the resolver gave it.
        policy: What the operator opened.
        is_host_allowed: The name that led here is on the allow-list.
        needs_listed: Refuse even public addresses unless their network is on the allow-list (plain http).
    """
    address = parse_address(ip_text)
    if isinstance(address, AddressKind):
        return Refusal(message=f"{ip_text[:64]} is {address.value}")
    if _is_listed(address, policy):
        return None
    kind = special_kind(address)
    if kind is None:
        return _refuse_http(str(address)) if needs_listed and not is_host_allowed else None
    if is_host_allowed and kind in _OPENED_BY_NAME:
        return None
    return Refusal(
        message=f"{address} is {kind.value}; to deliver there add it to {ALLOW_SETTING} in {_SETTINGS_FILE}",
        setting=ALLOW_SETTING,
    )


def read_allow_list(
    entries: Iterable[str], *, allow_http: Literal["never", "allowed_hosts", "always"] = "allowed_hosts"
) -> EgressPolicy:
    """Turn the setting's entries into a policy.

    Args:
        entries: Host names, names below one ("*.internal"), addresses, networks in CIDR form, or "loopback".
        allow_http: Who may be called without TLS.

    Raises:
        ValueError: An entry is none of these; the message names it.
    """
    hosts: set[str] = set()
    networks: list[IPNetwork] = []
    for entry in entries:
        if entry == "loopback":
            networks.extend(_LOOPBACK)
            continue
        try:
            networks.append(ip_network(entry.strip("[]"), strict=False))
            continue
        except ValueError:
            name = _read_host(entry.removeprefix("*."))
        if not isinstance(name, str):
            raise ValueError(f'{entry!r} is no host name, address or network such as "10.0.0.0/8"')
        hosts.add("*." + name if entry.startswith("*.") else name)
    return EgressPolicy(allow_hosts=frozenset(hosts), allow_networks=tuple(networks), allow_http=allow_http)


def _check_text(url: str) -> Refusal | None:
    """Refuse what other parsers would trim, drop or read as something else."""
    message = None
    if not url:
        message = "the URL is empty"
    elif len(url) > MAX_URL_LENGTH:
        message = f"the URL is longer than {MAX_URL_LENGTH} characters"
    elif _FORBIDDEN.search(url) or any(character.isspace() for character in url):
        message = "the URL contains white space, a control character or a backslash"
    elif "#" in url:
        message = 'the URL contains a fragment ("#…"), which is never sent; leave it out'
    elif _BAD_PERCENT.search(url):
        message = 'the URL contains a "%" that is not followed by two hexadecimal digits'
    return None if message is None else Refusal(message=message)


def _split_authority(authority: str, default_port: int) -> tuple[str, int] | Refusal:
    if "@" in authority:
        return Refusal(message='the URL contains a user name or password before "@"; send a header instead')
    host, port_text = authority, None
    if authority.startswith("["):
        host, bracket, after = authority[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            return Refusal(message='the "[" in the URL\'s host is not closed, or is followed by junk')
        if ":" not in host:
            return Refusal(message="only an IPv6 address may stand in brackets")
        port_text = after[1:] if after else None
    elif ":" in authority:
        host, _, port_text = authority.partition(":")
        if ":" in port_text:
            return Refusal(message="an IPv6 address in a URL must stand in brackets")
    port = default_port if port_text is None else _read_port(port_text)
    return (
        Refusal(message="the URL's port must be a number from 1 to 65535") if port is None else (host, port)
    )


def _read_port(text: str) -> int | None:
    if not re.fullmatch("[0-9]{1,5}", text):
        return None
    port = int(text)
    return port if 1 <= port <= 65535 else None


def _decide(
    scheme: Literal["http", "https"], host_text: str, port: int, path: str, policy: EgressPolicy
) -> VettedUrl | Refusal:
    host = _read_host(host_text)
    if isinstance(host, Refusal):
        return host
    literal = None if isinstance(host, str) else str(host)
    name = literal or str(host)
    is_host_allowed = _is_host_listed(name, policy)
    needs_listed = scheme == "http" and policy.allow_http == "allowed_hosts" and not is_host_allowed
    if scheme == "http" and policy.allow_http == "never":
        return Refusal(message="plain http:// is switched off here; use https://")
    refusal: Refusal | None = None
    if is_host_allowed:
        pass  # a literal that the operator listed; a listed name is checked once it is resolved
    elif literal is not None:
        refusal = check_address(literal, policy, needs_listed=needs_listed)
    else:
        refusal = _check_name(name, policy, needs_listed=needs_listed)
    return refusal or VettedUrl(
        scheme=scheme, host=name, port=port, path=path, literal=literal,
        is_host_allowed=is_host_allowed, needs_listed_address=needs_listed,
    )  # fmt: skip


def _check_name(name: str, policy: EgressPolicy, *, needs_listed: bool) -> Refusal | None:
    """Refuse early what no answer of the resolver could make right."""
    is_localhost = name == "localhost" or name.endswith(".localhost")
    if is_localhost and not any(_is_listed(address, policy) for address in _LOCALHOST):
        return Refusal(
            message=f"{name} is this machine; to deliver there add it to {ALLOW_SETTING} in {_SETTINGS_FILE}",
            setting=ALLOW_SETTING,
        )
    return _refuse_http(name) if needs_listed and not policy.allow_networks else None


def _refuse_http(where: str) -> Refusal:
    return Refusal(
        message=f"plain http:// is not allowed to {where}: use https://, "
        f"or add the host to {ALLOW_SETTING} in {_SETTINGS_FILE}",
        setting=ALLOW_SETTING,
    )


def _is_host_listed(name: str, policy: EgressPolicy) -> bool:
    if name in policy.allow_hosts:
        return True
    labels = name.split(".")
    return any("*." + ".".join(labels[start:]) in policy.allow_hosts for start in range(1, len(labels)))


def _is_listed(address: IPAddress, policy: EgressPolicy) -> bool:
    return any(address.version == network.version and address in network for network in policy.allow_networks)


def _read_host(text: str) -> str | IPAddress | Refusal:
    """Turn the URL's host into an address, or into a lower-case ASCII name."""
    if not text or "%" in text:
        return Refusal(message="the URL's host is missing, or contains percent-encoding or a zone id")
    if not _DEVIATING.isdisjoint(text):
        return Refusal(message="the URL's host has letters that may mean two names; write it as xn--…")
    name = text if ":" in text else _to_ascii(text)
    if name is None:
        return Refusal(message="the URL's host is not a host name")
    # After IDNA, because full-width digits and dots become plain ones there.
    if ":" not in name and not _NUMBER.fullmatch(name.rpartition(".")[2]):
        return name
    address = parse_address(name)
    if isinstance(address, AddressKind):
        return Refusal(message="the URL's host is no plain address such as 192.0.2.1 or [2001:db8::1]")
    return address


def _to_ascii(text: str) -> str | None:
    try:
        name = text.lower() if text.isascii() else text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    name = name.removesuffix(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return None
    return name


def _encode_path(path: str) -> str:
    """Percent-encode what may not stand on a request line; everything else stays as the user wrote it."""
    return _ENCODE_IN_PATH.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), path)
