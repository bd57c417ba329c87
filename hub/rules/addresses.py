"""Which IP addresses Hub may call on behalf of a user: our own table of special-purpose blocks.

Python's ``ipaddress`` calls loopback behind NAT64, 6to4 or SIIT, and all of multicast, global (and differs
between patch releases), so nothing here asks ``is_global``. Version 6 is refused unless it lies in the one
block that IANA hands out as global unicast, 2000::/3. Sources: the IANA IPv4 and IPv6 special-purpose address
registries, RFC 6052 (NAT64), RFC 5214 (ISATAP).

This module knows nothing of host names, settings or allow-lists (hub.rules.egress does).
"""

from __future__ import annotations

from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


class AddressKind(Enum):
    """Why an address is special; the value completes the sentence "… is …"."""

    BENCHMARKING = "a benchmarking address"
    DOCUMENTATION = "a documentation address"
    EMBEDDED_IPV4 = "an IPv6 address that hides an IPv4 address"
    LINK_LOCAL = "a link-local address"
    LOOPBACK = "a loopback address"
    METADATA = "an address of a cloud provider's metadata service"
    MULTICAST = "a multicast address"
    NOT_GLOBAL = "not a global unicast address"
    PRIVATE = "a private-use address"
    PROTOCOL = "reserved for internet protocols"
    RESERVED = "a reserved address"
    SCOPED = "an address with a zone id"
    SHARED = "a shared (carrier-grade NAT) address"
    UNREADABLE = "not an IP address"
    UNSPECIFIED = "an unspecified (this network) address"


#: Most specific rows first: the first row that contains the address names it.
_IPV4_TABLE = (
    ("100.100.100.200/32", AddressKind.METADATA),  # Alibaba Cloud, inside 100.64.0.0/10
    ("168.63.129.16/32", AddressKind.METADATA),  # Azure's wire server, otherwise public
    ("169.254.169.254/32", AddressKind.METADATA),  # AWS, Google, Azure, Oracle and others
    ("0.0.0.0/8", AddressKind.UNSPECIFIED),
    ("10.0.0.0/8", AddressKind.PRIVATE),
    ("100.64.0.0/10", AddressKind.SHARED),
    ("127.0.0.0/8", AddressKind.LOOPBACK),
    ("169.254.0.0/16", AddressKind.LINK_LOCAL),
    ("172.16.0.0/12", AddressKind.PRIVATE),
    ("192.0.0.0/24", AddressKind.PROTOCOL),  # with its anycast exceptions: no receiver lives there
    ("192.0.2.0/24", AddressKind.DOCUMENTATION),
    ("192.31.196.0/24", AddressKind.PROTOCOL),  # AS112
    ("192.52.193.0/24", AddressKind.PROTOCOL),  # AMT
    ("192.88.99.0/24", AddressKind.PROTOCOL),  # 6to4 relay, deprecated
    ("192.168.0.0/16", AddressKind.PRIVATE),
    ("192.175.48.0/24", AddressKind.PROTOCOL),  # AS112 direct delegation
    ("198.18.0.0/15", AddressKind.BENCHMARKING),
    ("198.51.100.0/24", AddressKind.DOCUMENTATION),
    ("203.0.113.0/24", AddressKind.DOCUMENTATION),
    ("224.0.0.0/4", AddressKind.MULTICAST),
    ("240.0.0.0/4", AddressKind.RESERVED),  # with the limited broadcast address
)

_IPV6_TABLE = (
    ("::/128", AddressKind.UNSPECIFIED),
    ("::1/128", AddressKind.LOOPBACK),
    ("::ffff:0:0/96", AddressKind.EMBEDDED_IPV4),  # mapped
    ("::ffff:0:0:0/96", AddressKind.EMBEDDED_IPV4),  # SIIT (RFC 2765)
    ("::/96", AddressKind.EMBEDDED_IPV4),  # compatible
    ("64:ff9b:1::/48", AddressKind.EMBEDDED_IPV4),  # NAT64 for local use
    ("::/8", AddressKind.RESERVED),
    ("100::/16", AddressKind.RESERVED),  # discard-only and dummy prefixes
    ("fd00:ec2::/32", AddressKind.METADATA),  # AWS
    ("fd20:ce::/32", AddressKind.METADATA),  # Google Cloud
    ("fd00:42::42/128", AddressKind.METADATA),  # Scaleway
    ("fc00::/7", AddressKind.PRIVATE),
    ("fe80::/10", AddressKind.LINK_LOCAL),
    ("fec0::/10", AddressKind.PRIVATE),  # site-local, deprecated
    ("ff00::/8", AddressKind.MULTICAST),
    ("2001::/32", AddressKind.EMBEDDED_IPV4),  # Teredo
    ("2001:2::/48", AddressKind.BENCHMARKING),
    ("2001::/23", AddressKind.PROTOCOL),  # ORCHID, DRIP, AMT, AS112, anycast
    ("2001:db8::/32", AddressKind.DOCUMENTATION),
    ("2002::/16", AddressKind.EMBEDDED_IPV4),  # 6to4
    ("2620:4f:8000::/48", AddressKind.PROTOCOL),  # AS112 direct delegation
    ("3ffe::/16", AddressKind.RESERVED),  # the returned 6bone
    ("3fff::/20", AddressKind.DOCUMENTATION),
    ("5f00::/16", AddressKind.PROTOCOL),  # segment routing (SRv6) identifiers
)


def _compile(table: tuple[tuple[str, AddressKind], ...]) -> tuple[tuple[int, int, AddressKind], ...]:
    """Turn blocks into (network, mask, kind) integers: one "and" and one compare per row."""
    networks = ((ip_network(block), kind) for block, kind in table)
    return tuple((int(n.network_address), int(n.netmask), kind) for n, kind in networks)


_IPV4_ROWS = _compile(_IPV4_TABLE)
_IPV6_ROWS = _compile(_IPV6_TABLE)
_WELL_KNOWN_NAT64 = int(IPv6Address("64:ff9b::"))
_TOP_96_BITS = ((1 << 96) - 1) << 32


def parse_address(ip_text: str) -> IPAddress | AddressKind:
    """Read an address as the dialler would; a zone id or anything but the plain spelling is refused."""
    if "%" in ip_text:
        return AddressKind.SCOPED
    try:
        return ip_address(ip_text)
    except ValueError:
        return AddressKind.UNREADABLE


def special_kind(address: IPAddress) -> AddressKind | None:
    """Say why an address is not an ordinary public one; None means that it is."""
    if isinstance(address, IPv4Address):
        return _first_row(int(address), _IPV4_ROWS)
    number = int(address)
    if number & _TOP_96_BITS == _WELL_KNOWN_NAT64:
        return _first_row(number & 0xFFFF_FFFF, _IPV4_ROWS)
    kind = _first_row(number, _IPV6_ROWS)
    if kind is not None:
        return kind
    if number >> 125 != 0b001:
        return AddressKind.NOT_GLOBAL
    # ISATAP writes 0000:5efe or 0200:5efe before the IPv4 address, under any prefix.
    if (number >> 32) & 0xFDFF_FFFF == 0x0000_5EFE:
        return AddressKind.EMBEDDED_IPV4
    return None


def _first_row(number: int, rows: tuple[tuple[int, int, AddressKind], ...]) -> AddressKind | None:
    for network, mask, kind in rows:
        if number & mask == network:
            return kind
    return None
