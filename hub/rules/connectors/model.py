"""A connector as its manifest says it: compiled, so that nothing about it can be wrong any more but the provider.

Names of templates: `auth` and `token` (all fields where credentials are applied, public ones elsewhere), `vars`,
`connection`; in requests `input`, `key`, `steps`, `with`, `page`; about answers `status`, `headers`, `body`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hub.model.actions import ActionKind, ErrorClass, Repetition
from hub.rules.connectors.paths import PathTemplate
from hub.rules.connectors.schemas import Schema
from hub.rules.expressions.filters.patterns import Pattern
from hub.rules.expressions.structures import Structure
from hub.rules.expressions.templates import Condition, Template

BodyForm = Literal["json", "form", "multipart", "text"]
#: How an answer is read: as JSON, as text, as whichever it is, or not at all.
AnswerForm = Literal["json", "text", "any", "none"]


# ---- answers


@dataclass(frozen=True, kw_only=True, slots=True)
class After:
    """How long a provider wants to be left alone."""

    kind: Literal["duration", "header", "body", "next_hour", "next_day"]
    ms: int = 0
    #: Of the header, or the path in the body.
    name: str = ""
    #: The part of a header such as `RateLimit: limit=100, reset=5`.
    part: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorRule:
    """What an answer means that was no success."""

    #: Empty for any.
    statuses: frozenset[int]
    if_: Condition | None
    error_class: ErrorClass
    after: After | None
    message: Template | None
    #: Given to `on_class` and to the run.
    extract: Mapping[str, Template]
    #: The connection is of no use until somebody looks at it.
    pauses: bool
    pointer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Success:
    """What a success looks like."""

    #: Empty for 200 to 299.
    statuses: frozenset[int] = frozenset()
    if_: Condition | None = None


# ---- requests


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestSpec:
    """One HTTP request as it is to be built."""

    method: Template
    #: Below the base URL; None with `url`.
    path: PathTemplate | None
    #: A whole address, or one below the base URL, taken as it is.
    url: Template | None
    query: Structure | None
    headers: Structure | None
    form: BodyForm | None
    body: Structure | None
    answer: AnswerForm
    pointer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Paging:
    """How a list is read on; requests read `page.cursor` and `page.number`."""

    #: Gives the next cursor, null at the end.
    next: Template
    #: Gives the items of one page.
    items: Template
    most_pages: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Instead:
    """What a step's failure of some class leads to: another step in its place, or nothing."""

    #: None: it goes on after this one.
    step: str | None
    #: What the other step is given as `with`.
    values: Structure | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRefusal:
    """What an action ends with where going on would be a guess."""

    error_class: ErrorClass
    message: Template


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One request of an action, another action of the same connector, or a refusal to go on."""

    id: str
    if_: Condition | None
    #: Read as `with` by its request, or the inputs of its action.
    values: Structure | None
    request: RequestSpec | None
    action: str | None
    refusal: StepRefusal | None
    success: Success
    errors: tuple[ErrorRule, ...]
    on_class: Mapping[ErrorClass, Instead]
    paging: Paging | None
    #: What repeating its request does; None: as that of the action.
    repetition: Repetition | None
    pointer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """Whoever wants the same at the same time waits."""

    key: Template


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One thing that a connector can do."""

    name: str
    title: str
    description: str
    kind: ActionKind
    repetition: Repetition
    #: Takes our key with every request that changes something.
    key_header: str | None
    schema: Schema
    #: The schema as JSON Schema.
    inputs: Mapping[str, Any]
    #: Gives the name of the connection, where an input does.
    connection: Template | None
    lock: Lock | None
    steps: tuple[Step, ...]
    output: Structure
    sample: Mapping[str, Any]
    docs: str
    #: The day on which somebody held it against the provider's documentation.
    checked: str


# ---- credentials


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldSpec:
    """What an operator gives for a connection."""

    name: str
    title: str
    description: str
    is_secret: bool
    #: Several may be valid at once, the newest first.
    is_list: bool
    is_required: bool
    default: str | None
    example: str
    #: What a value has to fit; a mistake is told when it is read, without showing it.
    pattern: Pattern | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Apply:
    """How a request shows who asks."""

    bearer: Template | None = None
    #: User and password.
    basic: tuple[Template, Template] | None = None
    #: Names and values.
    headers: tuple[tuple[Template, Template], ...] = ()
    query: tuple[tuple[Template, Template], ...] = ()
    #: Gives the secret, or several, that sign by Standard Webhooks.
    signed_with: Template | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """How an access token is got."""

    kind: Literal["client_credentials", "refresh_token", "jwt_bearer", "login"]
    #: Asked for the token; its answer is read as JSON.
    request: RequestSpec
    success: Success
    errors: tuple[ErrorRule, ...]
    #: Of the answer.
    token: Template
    #: Seconds that it is good for; null if the answer does not say.
    expires: Template
    #: Of the answer, given to templates as fields of `auth`.
    keep: Mapping[str, Template]
    #: A new refresh token, null if the old one stays good.
    rotated: Template | None
    #: Signed and given to the request as `token.assertion`.
    assertion: Assertion | None
    #: None where the provider says it, or until it is refused.
    lifetime_ms: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Assertion:
    """A JWT that is signed with RS256."""

    claims: Structure
    #: Gives the private key, PEM.
    key: Template
    #: The `kid`.
    key_id: Template | None
    lifetime_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """A request that changes nothing and shows whether a connection works."""

    request: RequestSpec
    success: Success
    errors: tuple[ErrorRule, ...]
    #: Says whose it is.
    label: Template


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthKind:
    """One way to be known to the provider."""

    name: str
    title: str
    fields: Mapping[str, FieldSpec]
    apply: Apply
    grant: Grant | None
    #: None: there is nothing to ask that would change nothing.
    probe: Probe | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """So many requests within a time."""

    count: int
    per_ms: int
    scope: Literal["connection", "connector", "key"]
    #: With wildcards, of `METHOD /path`; None for all.
    match: str | None
    key: Template | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Adapt:
    """Headers in which the provider says what is left, and until when."""

    remaining: str
    reset: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """A connector."""

    id: str
    title: str
    description: str
    docs: str
    checked: str
    base_url: Template
    #: Defaults; None must be given by the connection.
    vars: Mapping[str, Any]
    #: Sent with every request.
    headers: Structure | None
    auth: Mapping[str, AuthKind]
    limits: tuple[Limit, ...]
    adapt: Adapt | None
    errors: tuple[ErrorRule, ...]
    actions: Mapping[str, Action]
    #: Its actions need no connection.
    is_free: bool
