"""Secrets of connections: values that no log shows, texts in which they are covered, literals that look like one."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Collection, Iterable
from html import escape
from typing import Any, Final, final
from urllib.parse import quote, quote_plus, unquote, urlsplit

#: What stands where a secret was.
COVER: Final = "***"
#: Shorter ones would cover words that merely look like them.
_SHORTEST: Final = 6
#: Of a part of an address that is long enough to be a secret by itself.
_LONG: Final = 16
_CODE: Final = re.compile(r"%[0-9A-F]{2}")
_URL_SAFE: Final = str.maketrans("+/", "-_")
_LITERAL: Final = re.compile(
    r"sk_(?:live|test)_|rk_live_|whsec_|xox[abeprs]-|xapp-|pat-(?:na|eu)\d|\bBearer\s+[A-Za-z0-9._~+/=-]{8,}|ghp_|github_pat_|glpat-"
    r"|SG\.[\w-]{16}|AKIA[0-9A-Z]{12}|-----BEGIN [A-Z ]*PRIVATE KEY|\bsk-[A-Za-z0-9_-]{16}|key-[0-9a-f]{24}"
    r"|secret_[A-Za-z0-9]{20}|ntn_[A-Za-z0-9]{20}|pat[A-Za-z0-9]{14}\.|eyJ[A-Za-z0-9_-]{10,}\.eyJ"
    r"|hooks\.slack\.com/services/T|discord(?:app)?\.com/api/webhooks/\d|hooks\.zapier\.com/hooks/catch/\d"
    r"|\b\d{8,10}:AA[A-Za-z0-9_-]{30}|hook\.[a-z0-9.]{2,12}\.make\.com/[A-Za-z0-9]{8}"
    r"|[?&]sig=[A-Za-z0-9_%-]{16}"
)


@final
class SecretText:
    """A secret. Only who asks for `reveal()` sees it; it is no value of expressions."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the secret, to be put into a request and nowhere else."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretText) and other._text == self._text

    def __hash__(self) -> int:
        return hash((SecretText, self._text))

    def __repr__(self) -> str:
        return COVER

    __str__ = __repr__

    def __format__(self, form: str) -> str:
        return COVER


def looks_secret(text: str) -> bool:
    """Tell a text that is evidently a credential: it does not stand in a file."""
    return _LITERAL.search(text[:10_000]) is not None


@final
class Masker:
    """Covers secrets in whatever is shown or kept, in the spellings in which they travel."""

    __slots__ = ("_pattern", "_secrets")

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        spellings = {
            each for secret in self._secrets for each in _spellings(secret) if len(each) >= _SHORTEST
        }
        ordered = sorted(spellings, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def also(self, secrets: Collection[str]) -> Masker:
        """Give one that covers these, too."""
        return self if set(secrets) <= set(self._secrets) else Masker([*self._secrets, *secrets])

    def text(self, text: str) -> str:
        """Give the text with secrets covered."""
        return text if self._pattern is None else self._pattern.sub(COVER, text)

    def value(self, value: Any) -> Any:
        """Give a plain value with secrets in its texts and keys covered."""
        match value:
            case _ if self._pattern is None:
                return value
            case str():
                return self.text(value)
            case dict():
                return {self.text(key): self.value(each) for key, each in value.items()}
            case list():
                return [self.value(each) for each in value]
        return value


def _spellings(secret: str) -> tuple[str, ...]:
    stripped = secret.strip()
    quoted, plus = quote(stripped, safe=""), quote_plus(stripped)
    escaped = json.dumps(stripped)[1:-1]
    encoded = b64encode(stripped.encode()).decode()
    return (
        stripped,
        quoted,
        plus,
        _lower_codes(quoted),
        _lower_codes(plus),
        escaped,
        json.dumps(stripped, ensure_ascii=False)[1:-1],
        escaped.replace("/", "\\/"),
        escape(stripped),
        encoded,
        encoded.rstrip("="),
        encoded.rstrip("=").translate(_URL_SAFE),
        *(line.strip() for line in stripped.splitlines() if len(line.strip()) >= _LONG),
        *_telling_parts(stripped),
    )


def _lower_codes(quoted: str) -> str:
    return _CODE.sub(lambda found: found[0].lower(), quoted)


def _telling_parts(secret: str) -> tuple[str, ...]:
    """Give what of a secret address is enough for whoever reads it: where it leads on its host, and its long parts."""
    try:
        parts = urlsplit(secret)
    except ValueError:
        return ()
    if parts.scheme not in ("http", "https"):
        return ()
    path = parts.path.strip("/")
    pieces = re.split(r"[/?&=]", f"{path}?{parts.query}")
    long = [each for each in pieces if len(each) >= _LONG]
    return (*([path] if "/" in path else []), *long, *map(unquote, long))
