"""What the surface must know of a dialect: a vendor's wire form, translated to and from the native one.

The dialects themselves are in hub.dialects; none is named here. See docs/decisions/0018-dialects-are-translations.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.api.calls import AnyEndpoint
from hub.flow.keys import NATIVE_PREFIXES
from hub.flow.webhook_forms import NATIVE_FORMS, WebhookForm, WebhookForms
from hub.model.errors import InvalidRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorAnswer:
    """An error as a dialect tells it."""

    status: int
    #: Becomes JSON.
    body: Any
    #: Beyond Content-Type, Content-Length and Retry-After.
    headers: tuple[tuple[bytes, bytes], ...] = ()


#: Puts an error, under the id of its request, into the words of a dialect. Must know every code of hub.api.errors.
ErrorForm = Callable[[InvalidRequest, str], ErrorAnswer]


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimit:
    """How often a key may ask."""

    requests: int
    #: 60 or 3,600.
    seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Dialect:
    """A vendor's wire form."""

    #: As keys and webhooks name it.
    name: str
    #: As people call the vendor.
    vendor: str
    #: How its keys begin.
    key_prefix: str
    #: The scopes that its keys get where nobody chooses others: this vendor has none.
    scopes: frozenset[str]
    #: The paths that are its own, each a beginning such as `/v2/api/`. Empty for a dialect on the paths of the native
    #: surface: there the key decides.
    paths: tuple[str, ...]
    endpoints: tuple[AnyEndpoint, ...]
    errors: ErrorForm
    #: None where the vendor has no webhooks.
    webhook_form: WebhookForm | None
    #: What its own clients send that no endpoint reads: a page in a browser may send only what it is allowed to.
    client_headers: tuple[str, ...] = ()
    #: What its answers have beyond native ones, for pages to read.
    answer_headers: tuple[str, ...] = ()
    #: Of a key that has none of its own; None for the hub's.
    rate_limit: RateLimit | None = None

    def owns(self, path: str) -> bool:
        """Tell whether a path can be no other's."""
        return path.startswith(self.paths) or f"{path}/" in self.paths


def webhook_forms(dialects: Sequence[Dialect]) -> WebhookForms:
    """Give all forms of webhooks by name."""
    forms = {each.name: each.webhook_form for each in dialects if each.webhook_form is not None}
    return {**NATIVE_FORMS, **forms}


def key_prefixes(dialects: Sequence[Dialect]) -> Mapping[str, str]:
    """Give how the keys of each dialect begin, by name."""
    return {**NATIVE_PREFIXES, **{each.name: each.key_prefix for each in dialects}}
