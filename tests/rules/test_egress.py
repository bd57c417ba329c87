"""The egress guard: which URLs and addresses Hub may call for a user."""

from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.egress import (
    MAX_URL_LENGTH,
    EgressPolicy,
    Refusal,
    VettedUrl,
    check_address,
    check_url,
    read_allow_list,
)

PUBLIC = EgressPolicy()
LOOPBACK = EgressPolicy(allow_networks=(ip_network("127.0.0.0/8"), ip_network("::1/128")))


def vetted(url: str, policy: EgressPolicy = PUBLIC) -> VettedUrl:
    result = check_url(url, policy)
    assert isinstance(result, VettedUrl), result
    return result


def refused(url: str, policy: EgressPolicy = PUBLIC) -> str:
    result = check_url(url, policy)
    assert isinstance(result, Refusal), result
    return result.message


@pytest.mark.parametrize(
    ("url", "scheme", "authority", "path"),
    [
        ("https://example.com", "https", "example.com", "/"),
        ("HTTPS://EXAMPLE.com/Hook?A=b", "https", "example.com", "/Hook?A=b"),
        ("https://example.com?x=1", "https", "example.com", "/?x=1"),
        ("https://example.com./x", "https", "example.com", "/x"),
        ("https://example.com:443/", "https", "example.com", "/"),
        ("https://example.com:8443/", "https", "example.com:8443", "/"),
        ("https://example.com:1/", "https", "example.com:1", "/"),
        ("https://example.com:65535/", "https", "example.com:65535", "/"),
        ("https://my_service.example.com/", "https", "my_service.example.com", "/"),
        ("https://bücher.example/ü", "https", "xn--bcher-kva.example", "/%C3%BC"),
        ("https://xn--bcher-kva.example/", "https", "xn--bcher-kva.example", "/"),
        ("https://ＥＸＡＭＰＬＥ.com/", "https", "example.com", "/"),  # noqa: RUF001
        ("https://example.com/a b".replace(" ", "%20"), "https", "example.com", "/a%20b"),
        ('https://example.com/"<>`{|}^', "https", "example.com", "/%22%3C%3E%60%7B%7C%7D%5E"),
        (
            "https://example.com/../..//x;y=1,2!$&'()*+:@/?/?[]",
            "https",
            "example.com",
            "/../..//x;y=1,2!$&'()*+:@/?/?[]",
        ),
        ("https://example.com/@x", "https", "example.com", "/@x"),
        ("https://8.8.8.8/x", "https", "8.8.8.8", "/x"),
        ("https://[2606:4700:4700::1111]:8443/x", "https", "[2606:4700:4700::1111]:8443", "/x"),
        ("https://[2606:4700:4700:0::1111]/x", "https", "[2606:4700:4700::1111]", "/x"),
        ("https://123.example/", "https", "123.example", "/"),
        ("https://1.2.3.4.example/", "https", "1.2.3.4.example", "/"),
    ],
)
def test_an_ordinary_url_is_taken_apart(url: str, scheme: str, authority: str, path: str) -> None:
    url_parts = vetted(url)

    assert (url_parts.scheme, url_parts.authority, url_parts.path) == (scheme, authority, path)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "empty"),
        ("https", "must start with https://"),
        ("example.com/x", "must start with https://"),
        ("//example.com/x", "must start with https://"),
        ("ftp://example.com/", "must start with https://"),
        ("file:///etc/passwd", "must start with https://"),
        ("gopher://example.com/", "must start with https://"),
        ("unix:/run/x.sock", "must start with https://"),
        ("javascript:alert(1)", "must start with https://"),
        ("https:example.com", '"//"'),
        ("https:/example.com", '"//"'),
        ("https://", "host is missing"),
        ("https:///x", "host is missing"),
        ("https://?x", "host is missing"),
        ("https://:443/", "host is missing"),
        ("https://user@example.com/", "user name or password"),
        ("https://user:pass@example.com/", "user name or password"),
        ("https://example.com@127.0.0.1/", "user name or password"),
        ("https://127.0.0.1\\@example.com/", "backslash"),
        ("https:\\\\example.com", "backslash"),
        ("https://example.com\\.evil.example/", "backslash"),
        (" https://example.com", "white space"),
        ("https://example.com/ x", "white space"),
        ("https://exam\tple.com/", "white space"),
        ("https://exam\nple.com/", "white space"),
        ("https://example.com/\r\nX: y", "white space"),
        ("https://example.com/\x00", "white space"),
        ("https://example.com/\x7f", "white space"),
        ("https://example.com/\x85", "white space"),
        ("https://example.com/\u2028", "white space"),
        ("https://example.com\u3000/", "white space"),
        ("https://example.com/\u202e", "white space"),
        ("\ufeffhttps://example.com/", "white space"),
        ("https://example.com/\ud800", "white space"),
        ("https://example.com/#x", "fragment"),
        ("https://example.com#@evil.example/", "fragment"),
        ("https://example.com/%", "hexadecimal"),
        ("https://example.com/%zz", "hexadecimal"),
        ("https://exa%6dple.com/", "percent-encoding"),
        ("https://127.0.0.1%2f.example.com/", "percent-encoding"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "port"),
        ("https://example.com:/", "port"),
        ("https://example.com:-1/", "port"),
        ("https://example.com:+80/", "port"),
        ("https://example.com:8_0/", "port"),
        ("https://example.com:٨٠/", "port"),
        ("https://example.com:80:80/", "brackets"),
        ("https://::1/", "brackets"),
        ("https://[::1", "not closed"),
        ("https://[2606:4700::1]x/", "not closed"),
        ("https://[127.0.0.1]/", "brackets"),
        ("https://[example.com]/", "brackets"),
        ("https://[2606:4700::1%25eth0]/", "zone id"),
        ("https://[v1.x:y]/", "no plain address"),
        ("https://[[::1]]/", "not closed"),
        ("https://.example.com/", "not a host name"),
        ("https://example..com/", "not a host name"),
        ("https://example.com../", "not a host name"),
        ("https://./", "not a host name"),
        ("https://-example.com/", "not a host name"),
        ("https://example-.com/", "not a host name"),
        ("https://exa$mple.com/", "not a host name"),
        ("https://exa,mple.com/", "not a host name"),
        ("https://" + "a" * 64 + ".com/", "not a host name"),
        ("https://" + "a." * 130 + "com/", "not a host name"),
        ("https://fußball.example/", "two names"),
        ("https://exam\u200dple.com/", "two names"),
        ("https://0177.0.0.1/", "no plain address"),
        ("https://127.1/", "no plain address"),
        ("https://2130706433/", "no plain address"),
        ("https://0x7f.1/", "no plain address"),
        ("https://0x7f000001/", "no plain address"),
        ("https://0X7F.0.0.0x1/", "no plain address"),
        ("https://127.0.0.01/", "no plain address"),
        ("https://127.0.0.1.1/", "no plain address"),
        ("https://256.1.1.1/", "no plain address"),
        ("https://example.0/", "no plain address"),
        ("https://example.0x/", "no plain address"),
        ("https://127.0.0.1/", "loopback"),
        ("https://127.0.0.1./", "loopback"),
        ("https://１２７.０.０.１/", "loopback"),  # noqa: RUF001
        ("https://127。0。0。1/", "loopback"),
        ("https://①②⑦.0.0.1/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[::ffff:127.0.0.1]/", "hides an IPv4"),
        ("https://[::ffff:7f00:1]/", "hides an IPv4"),
        ("https://[64:ff9b::127.0.0.1]/", "loopback"),
        ("https://10.1.2.3/", "private-use"),
        ("https://169.254.169.254/latest/meta-data/", "metadata"),
        ("https://[fd00:ec2::254]/", "metadata"),
        ("https://0.0.0.0/", "unspecified"),
        ("https://[::]/", "unspecified"),
        ("https://localhost/", "this machine"),
        ("https://LOCALHOST:8080/", "this machine"),
        ("https://localhost./", "this machine"),
        ("https://x.localhost/", "this machine"),
        ("https://example.com/" + "x" * MAX_URL_LENGTH, "longer than"),
    ],
)
def test_an_evil_or_broken_url_is_refused_with_its_reason(url: str, reason: str) -> None:
    assert reason in refused(url)


def test_a_refusal_names_the_setting_that_would_open_it() -> None:
    refusal = check_url("https://127.0.0.1:9000/", PUBLIC)

    assert refusal == Refusal(
        message="127.0.0.1 is a loopback address; to deliver there add it to outbound.allow in hub.yaml",
        setting="outbound.allow",
    )


@pytest.mark.parametrize(
    ("policy", "url", "is_allowed"),
    [
        (PUBLIC, "http://example.com/", False),
        (PUBLIC, "http://8.8.8.8/", False),
        (EgressPolicy(allow_http="always"), "http://example.com/", True),
        (EgressPolicy(allow_http="always"), "http://127.0.0.1/", False),
        (EgressPolicy(allow_hosts=frozenset({"example.com"})), "http://example.com/", True),
        (EgressPolicy(allow_hosts=frozenset({"example.com"})), "http://www.example.com/", False),
        (
            EgressPolicy(allow_hosts=frozenset({"example.com"}), allow_http="never"),
            "http://example.com/",
            False,
        ),
        (LOOPBACK, "http://127.0.0.1:9000/", True),
        (LOOPBACK, "http://[::1]:9000/", True),
        (LOOPBACK, "http://localhost:9000/", True),
        (LOOPBACK, "http://10.0.0.1/", False),
        (LOOPBACK, "http://8.8.8.8/", False),
        (LOOPBACK, "https://[::ffff:127.0.0.1]/", False),
        (LOOPBACK, "https://[64:ff9b::127.0.0.1]/", False),
        (EgressPolicy(allow_hosts=frozenset({"169.254.169.254"})), "http://169.254.169.254/", True),
    ],
)
def test_plain_http_and_special_addresses_need_the_allow_list(
    policy: EgressPolicy, url: str, is_allowed: bool
) -> None:
    assert isinstance(check_url(url, policy), VettedUrl) is is_allowed


def test_plain_http_to_an_unlisted_name_is_decided_by_its_addresses() -> None:
    url = vetted("http://receiver.example/", LOOPBACK)

    assert url.needs_listed_address
    assert check_address("127.0.0.1", LOOPBACK, needs_listed=url.needs_listed_address) is None
    assert check_address("8.8.8.8", LOOPBACK, needs_listed=url.needs_listed_address) is not None


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("8.8.8.8", True),
        ("127.0.0.1", True),
        ("10.0.0.7", True),
        ("fd12::1", True),
        ("100.64.0.1", True),
        ("169.254.169.254", False),
        ("fd00:ec2::254", False),
        ("169.254.0.1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::ffff:10.0.0.7", False),
        ("nonsense", False),
    ],
)
def test_a_listed_name_opens_private_networks_but_nothing_stranger(address: str, is_allowed: bool) -> None:
    assert (check_address(address, PUBLIC, is_host_allowed=True) is None) is is_allowed


def test_a_listed_network_opens_even_link_local() -> None:
    policy = EgressPolicy(allow_networks=(ip_network("169.254.0.0/16"),))

    assert check_address("169.254.169.254", policy) is None


def test_the_allow_list_is_read_from_names_addresses_and_networks() -> None:
    policy = read_allow_list(
        ["loopback", "10.1.2.3", "[fd00::1]", "Receiver.Internal", "bücher.example.", "*.svc"]
    )

    assert policy.allow_hosts == {"receiver.internal", "xn--bcher-kva.example", "*.svc"}
    assert [str(network) for network in policy.allow_networks] == [
        "127.0.0.0/8",
        "::1/128",
        "10.1.2.3/32",
        "fd00::1/128",
    ]


@pytest.mark.parametrize(
    "entry",
    ["", "*", "*.", "*.*.com", "a.*.com", "*.10.0.0.1", "10.0.0.0/99", "http://x", "a b", "127.1", "x:80"],
)
def test_an_entry_that_is_neither_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="is no host name"):
        read_allow_list([entry])


@given(st.text(max_size=200))
def test_any_text_gets_an_answer(text: str) -> None:
    for url in (text, "https://" + text, "https://example.com/" + text, "https://[" + text):
        assert isinstance(check_url(url, PUBLIC), VettedUrl | Refusal)


def is_legacy_ipv4(host: str) -> bool:
    """Ask the C library, which reads 0177.1 and 2130706433 as addresses."""
    try:
        socket.inet_aton(host)
    except OSError:
        return False
    return True


evil_alphabet = st.text(alphabet="0123456789xXabf.:[]%@/\\?#-_。．１ｅ①", max_size=40)  # noqa: RUF001


@given(evil_alphabet)
def test_what_passes_has_a_host_that_resolvers_read_as_we_do(text: str) -> None:
    result = check_url("https://" + text, PUBLIC)

    if isinstance(result, VettedUrl):
        assert result.host.isascii()
        assert result.host == result.host.lower()
        assert result.literal is not None or not is_legacy_ipv4(result.host)
        assert not set(result.path) & set(" \t\r\n#\\")
