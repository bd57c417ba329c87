"""Make the bytes of a request from its description and values: structures in, never text spliced into JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from hub.rules.connectors.model import BodyForm, RequestSpec
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.values import OMIT

MOST_BYTES: Final = 8 * 1_048_576
_METHOD: Final = re.compile(r"GET|POST|PUT|PATCH|DELETE|HEAD", re.IGNORECASE)
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", re.ASCII)
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_ABSOLUTE: Final = re.compile(r"https?://", re.IGNORECASE)
#: Mail servers: with STARTTLS, with TLS from the start, in the clear. Only what a connection says leads there.
MAIL_SCHEMES: Final = ("smtp+starttls", "smtp+tls", "smtp+none")
_encode: Final = msgspec.json.Encoder().encode


class Unbuildable(Exception):
    """Values make no request; the message says which and why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltRequest:
    """A request, but for what shows who asks."""

    method: str
    #: Whole, without the query.
    url: str
    query: tuple[tuple[str, str], ...]
    #: Small letters → value.
    headers: Mapping[str, str]
    body: bytes

    @property
    def shown(self) -> str:
        """The request as runs show it: without its query, which may name people."""
        return f"{self.method} {self.url}"

    @property
    def place(self) -> str:
        """Method and path, as limits match them."""
        return f"{self.method} {urlsplit(self.url).path}"

    def whole_url(self, extra: Mapping[str, str]) -> str:
        """Give the URL with its query, and more of it."""
        names = set(extra)
        pairs = [*(pair for pair in self.query if pair[0] not in names), *extra.items()]
        if not pairs:
            return self.url
        joiner = "&" if "?" in self.url else "?"
        return f"{self.url}{joiner}{urlencode(pairs, quote_via=quote)}"


def build(
    spec: RequestSpec,
    values: Mapping[str, Any],
    surroundings: Surroundings,
    *,
    base_url: str,
    headers: Mapping[str, str],
    is_bound: bool,
) -> BuiltRequest:
    """Build a request.

    Args:
        spec: What it is.
        values: What its templates read.
        surroundings: The time.
        base_url: Where the provider is.
        headers: Of the connector; the request's own win.
        is_bound: It will carry credentials, so it must not go to another host than the base URL's.

    Raises:
        Unbuildable: The values make none.
        ExpressionError: A template has no value.
    """
    method = str(spec.method.render(values, surroundings)).upper()
    if not _METHOD.fullmatch(method):
        raise Unbuildable(f"{method[:20]!r} is no method; write GET, POST, PUT, PATCH, DELETE or HEAD")
    url = _url(spec, values, surroundings, base_url)
    if is_bound and origin(url) != origin(base_url):
        raise Unbuildable(
            f"{_host(url)} is not the host of this connection ({_host(base_url)}), "
            "and its credentials are sent nowhere else"
        )
    query = {} if spec.query is None else _rendered(spec.query.render(values, surroundings), "query")
    own = {} if spec.headers is None else _rendered(spec.headers.render(values, surroundings), "headers")
    lines = {**headers, **{name.lower(): _line(name, each) for name, each in own.items()}}
    content_type, body = b"", b""
    if spec.body is not None and spec.form is not None:
        content = spec.body.render(values, surroundings)
        if content is not OMIT:
            content_type, body = _body(spec.form, content)
    if len(body) > MOST_BYTES:
        raise Unbuildable(f"the request has {len(body)} bytes; {MOST_BYTES} are the most")
    if content_type:
        lines.setdefault("content-type", content_type.decode())
    lines.setdefault("accept", "application/json")
    return BuiltRequest(method=method, url=url, query=_pairs(query), headers=lines, body=body)


def origin(url: str) -> tuple[str, str, int | None]:
    """Give scheme, host and port of a URL."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise Unbuildable(f"the address of {_host(url)} has no port that can be called") from None
    default = {"http": 80, "https": 443}.get(parts.scheme.lower())
    return parts.scheme.lower(), (parts.hostname or "").lower(), port or default


def _host(url: str) -> str:
    return urlsplit(url).hostname or "nowhere"


def _url(spec: RequestSpec, values: Mapping[str, Any], surroundings: Surroundings, base_url: str) -> str:
    base = base_url.rstrip("/")
    if spec.path is not None:
        # A whole address as the base, such as the URL of a hook, is taken as it is.
        path = spec.path.render(values, surroundings)
        url = base_url if path == "/" else base + path
    else:
        assert spec.url is not None, "a request has a path or a URL"
        given = spec.url.render(values, surroundings)
        if not isinstance(given, str) or not given.strip():
            raise Unbuildable("the URL is empty; write one such as https://example.com/things")
        given = given.strip()
        url = given if _ABSOLUTE.match(given) else f"{base}/{given.lstrip('/')}" if base else given
    is_mail = spec.path is not None and base.partition("://")[0] in MAIL_SCHEMES
    # The address of a connection may be a secret, which no part of a message may show.
    shown = "the address of this connection" if spec.path is not None else repr(url[:80])
    if not (is_mail or _ABSOLUTE.match(url)):
        raise Unbuildable(f"{shown} is no address; it begins with https://")
    try:
        urlsplit(url).port  # noqa: B018 - reading it is what fails
    except ValueError:
        raise Unbuildable(f"{shown} has no host and port that can be called") from None
    return url


def _rendered(value: Any, noun: str) -> Mapping[str, Any]:
    if value is OMIT or value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Unbuildable(f"{noun} is no map of names and values")
    return value


def _line(name: str, value: object) -> str:
    text = _scalar(value, f"the header {name}")
    if not _NAME.fullmatch(name) or not _VALUE.fullmatch(text):
        raise Unbuildable(f"the header {name[:60]!r} has a name or a value that no header can have")
    return text


def _pairs(query: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (str(name), _scalar(each, str(name)))
        for name, value in query.items()
        for each in (value if isinstance(value, list) else [value])
    )


def _scalar(value: object, noun: str) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | float():
            return str(value)
    raise Unbuildable(
        f"{noun} is to be text or a number, and is {'null' if value is None else 'a structure'}"
    )


# ---- bodies


def _body(form: BodyForm, content: Any) -> tuple[bytes, bytes]:
    match form:
        case "json":
            return b"application/json", _json(content)
        case "text":
            return b"text/plain; charset=utf-8", _scalar(content, "the text").encode()
        case "form":
            pairs = _pairs(_rendered(content, "form"))
            return b"application/x-www-form-urlencoded", urlencode(pairs).encode()
        case "multipart":
            return _multipart(_rendered(content, "multipart"))


def _json(content: Any) -> bytes:
    try:
        return _encode(content)
    except (msgspec.MsgspecError, TypeError, ValueError, UnicodeError) as error:
        raise Unbuildable(f"the JSON cannot be written: {error}") from None


def _multipart(fields: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Write RFC 7578; a field is text, or `{text, filename, content_type}`."""
    parts = []
    for name, value in fields.items():
        heading, content = f'form-data; name="{_quoted(name)}"', value
        lines = []
        if isinstance(value, Mapping):
            content = value.get("text")
            if value.get("filename") is not None:
                heading += f'; filename="{_quoted(str(value["filename"]))}"'
            if value.get("content_type") is not None:
                lines = [f"Content-Type: {_line('content-type', value['content_type'])}"]
        head = "\r\n".join([f"Content-Disposition: {heading}", *lines, "", ""])
        parts.append(head.encode() + _scalar(content, name).encode())
    boundary = f"hub-{sha256(b''.join(parts)).hexdigest()[:40]}".encode()
    body = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts) + b"--%b--\r\n" % boundary
    return b"multipart/form-data; boundary=" + boundary, body


def _quoted(name: str) -> str:
    """Spell a name as browsers do, so that it cannot end early."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
