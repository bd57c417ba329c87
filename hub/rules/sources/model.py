"""What a source is: how its deliveries are verified, answered, split and named. Read by hub.rules.sources.reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from hub.rules.sources.paths import MISSING, Path, Text

#: What remembers an id unless the source says otherwise.
REMEMBER_MS: Final = 7 * 86_400_000
TOLERANCE_MS: Final = 5 * 60_000


class Reason(StrEnum):
    """Why a delivery was turned away; the label of the metric, and what is kept of it."""

    MISSING_SIGNATURE = "missing_signature"
    BAD_SIGNATURE = "bad_signature"
    BAD_TIMESTAMP = "bad_timestamp"
    TOO_OLD = "too_old"
    TOO_NEW = "too_new"
    BAD_TOKEN = "bad_token"  # noqa: S105 - a reason, not a secret
    NO_SECRET = "no_secret"  # noqa: S105 - a reason, not a secret
    OFFERS_SECRET = "offers_secret"  # noqa: S105 - a reason, not a secret
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    TOO_MANY_EVENTS = "too_many_events"
    TOO_OFTEN = "too_often"
    METHOD = "method"


@dataclass(frozen=True, slots=True)
class Refused:
    """A delivery that is not believed, or cannot be used."""

    reason: Reason
    #: A sentence for the operator; holds nothing of the body.
    detail: str


class SourceSecret:
    """One secret of a source, hidden in every printed form."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "SourceSecret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SourceSecret) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRequest:
    """One request as it came in."""

    method: str
    #: The public URL as the sender called it, query included: from the settings, never from `Host`.
    url: str
    query: Mapping[str, str]
    #: By lower-case name; of a repeated header the last.
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class TimestampRule:
    """Where a delivery says when it was signed, and how far from now that may be, either way."""

    header: str | None = None
    #: A part of the signature header, as Stripe's `t`.
    field: str | None = None
    #: In the body, where the body is what was signed.
    path: Path | None = None
    #: `s`, `ms` or `iso`.
    unit: str = "s"
    #: 0: it is not compared with the clock.
    tolerance_ms: int = TOLERANCE_MS


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """How deliveries prove who sent them."""

    #: `hmac`, `hash`, `public_key`, `static` or `python`.
    kind: str
    #: Of hmac and hash the digest; of public_key the algorithm; of static the place; of python the name.
    variant: str
    encoding: str = "hex"
    #: How the secret's text becomes the key: `whole`, `base64` or `hex`.
    key: str = "whole"
    #: Cut off before the key is decoded, where it is there.
    key_prefix: str = ""
    #: The first of these that is there holds the signature, or the static secret.
    headers: tuple[str, ...] = ()
    prefix: str = ""
    #: Separates signatures in one header, and name from value in each.
    items: str = ""
    pair: str = ""
    #: The name under which signatures stand; others are passed over.
    field: str = ""
    #: The header that names the delivery, for `{id}`.
    id_header: str = ""
    #: Texts that may have been signed; each is tried.
    sign: tuple[Sequence[str], ...] = ()
    timestamp: TimestampRule | None = None
    #: Of static: where in the body or the query it stands.
    path: Path | None = None

    @property
    def uses_url(self) -> bool:
        """Whether the public URL of the hub goes into what is signed."""
        is_named = any(part in ("{url}", "{url_decoded}") for template in self.sign for part in template)
        return is_named or (self.kind, self.variant) == ("python", "twilio")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What must stand in a place."""

    #: MISSING: anything.
    value: Any = MISSING
    #: False: nothing may stand there.
    is_there: bool = True

    def fits(self, found: Any) -> bool:
        if found is MISSING or not self.is_there:
            return (found is MISSING) is not self.is_there
        return self.value is MISSING or (type(found) is type(self.value) and bool(found == self.value))


@dataclass(frozen=True, kw_only=True, slots=True)
class Handshake:
    """A request that sets the source up and is no event."""

    method: str = "POST"
    #: What must stand where.
    when: tuple[tuple[Path, Wanted], ...] = ()
    #: What must be equal to the source's `verify_token`, compared in constant time.
    token: Path | None = None
    #: Comes before there is a secret; then it is answered, kept for the operator, and believed in nothing.
    is_unsigned: bool = False
    #: What is answered: what stands there, as text …
    reply: Path | None = None
    #: … or this, as JSON.
    answer: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One kind of event in a delivery."""

    #: Which things of the body are one event each; None for the whole body.
    each: Path | None = None
    #: Paths from each thing of which none may be there.
    unless: tuple[Path, ...] = ()
    event: Text
    #: What names it for good; None for the digest of the thing.
    id: Text | None = None
    #: What of it routes see at the top; None for the thing itself.
    data: Path | None = None
    #: Laid beside it, by name.
    beside: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender gets once its events are durable."""

    status: int = 200
    content_type: str = ""
    body: bytes = b""


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """How one service speaks: the same for everybody who uses it."""

    name: str
    title: str
    docs: str
    #: `json`, `form`, `text`, or `auto`: as the content type says.
    format: str = "json"
    #: The field of a form that holds the real body as JSON, where it is there.
    form_json: str = ""
    check: Check
    handshakes: tuple[Handshake, ...] = ()
    parts: tuple[Part, ...]
    #: Values of which each counts once, beside the ids: a delivery with a known one is a repeat.
    once: tuple[Text, ...] = ()
    answer: Answer = field(default_factory=Answer)
    #: The public key with which the vendor signs for everybody; empty where each customer has one.
    public_key: str = ""
    #: What an operator must know that no key says.
    note: str = ""

    @property
    def wants_token(self) -> bool:
        return any(each.token is not None for each in self.handshakes)

    @property
    def is_secret_learned(self) -> bool:
        """Whether the service tells the secret in its first request, so that there is none before."""
        return any(each.is_unsigned and each.token is None for each in self.handshakes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One source that an operator has set up, under a name of their own."""

    name: str
    definition: Definition
    #: Every one that may sign now.
    secrets: tuple[SourceSecret, ...]
    verify_token: SourceSecret | None = None
    #: How long an id is remembered.
    remember_ms: int = REMEMBER_MS
