"""The address table: every special block is refused, however an address in it is spelled."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.addresses import AddressKind, parse_address, special_kind

#: Every row of the IANA registries (October 2025) with an address in it, and what CPython 3.11 to 3.13 gets wrong.
SPECIAL = {
    # Blocks of the IPv4 special-purpose registry.
    "0.0.0.0": AddressKind.UNSPECIFIED,
    "0.1.2.3": AddressKind.UNSPECIFIED,
    "10.0.0.1": AddressKind.PRIVATE,
    "10.255.255.255": AddressKind.PRIVATE,
    "100.64.0.1": AddressKind.SHARED,
    "100.127.255.255": AddressKind.SHARED,
    "127.0.0.1": AddressKind.LOOPBACK,
    "127.255.255.254": AddressKind.LOOPBACK,
    "169.254.0.1": AddressKind.LINK_LOCAL,
    "172.16.0.1": AddressKind.PRIVATE,
    "172.31.255.255": AddressKind.PRIVATE,
    "192.0.0.8": AddressKind.PROTOCOL,
    "192.0.0.9": AddressKind.PROTOCOL,
    "192.0.0.10": AddressKind.PROTOCOL,
    "192.0.0.170": AddressKind.PROTOCOL,
    "192.0.0.192": AddressKind.PROTOCOL,
    "192.0.2.1": AddressKind.DOCUMENTATION,
    "192.31.196.1": AddressKind.PROTOCOL,
    "192.52.193.1": AddressKind.PROTOCOL,
    "192.88.99.1": AddressKind.PROTOCOL,
    "192.168.0.1": AddressKind.PRIVATE,
    "192.175.48.1": AddressKind.PROTOCOL,
    "198.18.0.1": AddressKind.BENCHMARKING,
    "198.19.255.255": AddressKind.BENCHMARKING,
    "198.51.100.1": AddressKind.DOCUMENTATION,
    "203.0.113.1": AddressKind.DOCUMENTATION,
    "224.0.0.1": AddressKind.MULTICAST,
    "239.1.1.1": AddressKind.MULTICAST,
    "240.0.0.1": AddressKind.RESERVED,
    "255.255.255.255": AddressKind.RESERVED,
    # Metadata services, some of them outside every special block.
    "169.254.169.254": AddressKind.METADATA,
    "100.100.100.200": AddressKind.METADATA,
    "168.63.129.16": AddressKind.METADATA,
    "fd00:ec2::254": AddressKind.METADATA,
    "fd20:ce::254": AddressKind.METADATA,
    "fd00:42::42": AddressKind.METADATA,
    # Blocks of the IPv6 special-purpose registry.
    "::": AddressKind.UNSPECIFIED,
    "::1": AddressKind.LOOPBACK,
    "::ffff:127.0.0.1": AddressKind.EMBEDDED_IPV4,
    "::ffff:8.8.8.8": AddressKind.EMBEDDED_IPV4,
    "::ffff:0:7f00:1": AddressKind.EMBEDDED_IPV4,
    "::ffff:0:808:808": AddressKind.EMBEDDED_IPV4,
    "::7f00:1": AddressKind.EMBEDDED_IPV4,
    "::127.0.0.1": AddressKind.EMBEDDED_IPV4,
    "::8.8.8.8": AddressKind.EMBEDDED_IPV4,
    "::1:0:0:1": AddressKind.RESERVED,
    "64:ff9b::7f00:1": AddressKind.LOOPBACK,
    "64:ff9b::10.0.0.1": AddressKind.PRIVATE,
    "64:ff9b::169.254.169.254": AddressKind.METADATA,
    "64:ff9b:1::1": AddressKind.EMBEDDED_IPV4,
    "64:ff9b:1:ffff::8.8.8.8": AddressKind.EMBEDDED_IPV4,
    "100::1": AddressKind.RESERVED,
    "100:0:0:1::1": AddressKind.RESERVED,
    "200::1": AddressKind.NOT_GLOBAL,
    "1fff::1": AddressKind.NOT_GLOBAL,
    "2001::1": AddressKind.EMBEDDED_IPV4,
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": AddressKind.EMBEDDED_IPV4,
    "2001:1::1": AddressKind.PROTOCOL,
    "2001:2::1": AddressKind.BENCHMARKING,
    "2001:3::1": AddressKind.PROTOCOL,
    "2001:4:112::1": AddressKind.PROTOCOL,
    "2001:10::1": AddressKind.PROTOCOL,
    "2001:20::1": AddressKind.PROTOCOL,
    "2001:30::1": AddressKind.PROTOCOL,
    "2001:db8::1": AddressKind.DOCUMENTATION,
    "2002:7f00:1::": AddressKind.EMBEDDED_IPV4,
    "2002:808:808::1": AddressKind.EMBEDDED_IPV4,
    "2620:4f:8000::1": AddressKind.PROTOCOL,
    "2a01:4f8::5efe:7f00:1": AddressKind.EMBEDDED_IPV4,
    "2a01:4f8::200:5efe:7f00:1": AddressKind.EMBEDDED_IPV4,
    "3ffe::1": AddressKind.RESERVED,
    "3fff::1": AddressKind.DOCUMENTATION,
    "3fff:fff::1": AddressKind.DOCUMENTATION,
    "4000::1": AddressKind.NOT_GLOBAL,
    "5f00::1": AddressKind.PROTOCOL,
    "fc00::1": AddressKind.PRIVATE,
    "fd12:3456::1": AddressKind.PRIVATE,
    "fe80::1": AddressKind.LINK_LOCAL,
    "fe80::5efe:7f00:1": AddressKind.LINK_LOCAL,
    "febf::1": AddressKind.LINK_LOCAL,
    "fec0::1": AddressKind.PRIVATE,
    "ff02::1": AddressKind.MULTICAST,
    "ff0e::1": AddressKind.MULTICAST,
}

ORDINARY = (
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "64:ff9b::8.8.8.8",
    "2000::1",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001:800::200e",
    "3fff:1000::1",
)


@pytest.mark.parametrize(("text", "kind"), SPECIAL.items())
def test_a_special_address_is_named_for_what_it_is(text: str, kind: AddressKind) -> None:
    address = parse_address(text)

    assert not isinstance(address, AddressKind)
    assert special_kind(address) is kind


@pytest.mark.parametrize("text", ORDINARY)
def test_an_ordinary_address_is_not_special(text: str) -> None:
    assert special_kind(ip_address(text)) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("fe80::1%eth0", AddressKind.SCOPED),
        ("2606:4700::1%1", AddressKind.SCOPED),
        ("0177.0.0.1", AddressKind.UNREADABLE),
        ("127.1", AddressKind.UNREADABLE),
        ("2130706433", AddressKind.UNREADABLE),
        ("0x7f000001", AddressKind.UNREADABLE),
        ("127.0.0.01", AddressKind.UNREADABLE),
        ("[::1]", AddressKind.UNREADABLE),
        ("1.1.1.1 ", AddressKind.UNREADABLE),
        ("", AddressKind.UNREADABLE),
    ],
)
def test_an_odd_spelling_is_no_address(text: str, kind: AddressKind) -> None:
    assert parse_address(text) is kind


PRIVATE_BLOCKS = (
    "10.0.0.0/8",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
)
private_ipv4 = st.sampled_from(PRIVATE_BLOCKS).flatmap(lambda block: st.ip_addresses(network=block)).map(int)
low_bits = st.integers(0, (1 << 32) - 1)


def _at(prefix: str, shift: int, number: int, rest: int = 0) -> IPv6Address:
    return IPv6Address(int(IPv6Address(prefix)) | number << shift | rest)


@given(number=private_ipv4, rest=low_bits)
def test_a_private_ipv4_is_refused_in_every_ipv6_that_can_carry_it(number: int, rest: int) -> None:
    """Mapped, compatible, SIIT, NAT64 (both), 6to4, Teredo (server; client is inverted), ISATAP (both)."""
    inverted = number ^ 0xFFFF_FFFF
    spellings = (
        _at("::ffff:0:0", 0, number),
        _at("::", 0, number),
        _at("::ffff:0:0:0", 0, number),
        _at("64:ff9b::", 0, number),
        _at("64:ff9b:1::", 0, number, rest << 32),
        _at("2002::", 80, number, rest),
        _at("2001::", 64, number, rest),
        _at("2001::", 0, inverted, rest << 32),
        _at("2a01:4f8::5efe:0:0", 0, number),
        _at("2a01:4f8::200:5efe:0:0", 0, number),
        _at("fe80::5efe:0:0", 0, number),
    )

    assert [str(spelled) for spelled in spellings if special_kind(spelled) is None] == []


@given(st.ip_addresses(v=6))
def test_only_global_unicast_and_well_known_nat64_pass(address: IPv4Address | IPv6Address) -> None:
    passes = special_kind(address) is None
    is_global_unicast = address in ip_network("2000::/3")
    is_nat64 = address in ip_network("64:ff9b::/96")

    assert not passes or is_global_unicast or is_nat64


@given(
    st.one_of(*(st.ip_addresses(network=block) for block in (*PRIVATE_BLOCKS, "224.0.0.0/4", "0.0.0.0/8")))
)
def test_no_address_of_a_special_block_passes(address: IPv4Address | IPv6Address) -> None:
    assert special_kind(address) is not None
