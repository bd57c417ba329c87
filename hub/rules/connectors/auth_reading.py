"""Read `auth`: the ways to be known to a provider, the fields that each wants, and how tokens are got."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.rules.connectors.compiling import AUTH_SCOPE, TOKEN_SCOPE, Compiling
from hub.rules.connectors.model import Apply, Assertion, AuthKind, FieldSpec, Grant, Probe
from hub.rules.connectors.request_reading import read_errors, read_request, read_success
from hub.rules.connectors.schemas import read_pattern
from hub.rules.expressions.templates import Template
from hub.rules.routes.document import Reading, at, shown

#: Credentials that ask for nothing, for connectors that need none.
NO_AUTH: Final = AuthKind(name="none", title="None", fields={}, apply=Apply(), grant=None, probe=None)

_KIND_KEYS: Final = ("title", "fields", "apply", "grant", "test")
_FIELD_KEYS: Final = ("title", "description", "secret", "list", "required", "default", "example", "pattern")
_APPLY_KEYS: Final = ("bearer", "basic", "headers", "query", "standard_webhooks")
_GRANTS: Final = ("client_credentials", "refresh_token", "jwt_bearer", "login")
_GRANT_KEYS: Final = (
    "kind",
    "url",
    "request",
    "scope",
    "client_auth",
    "form",
    "claims",
    "private_key",
    "key_id",
    "lifetime",
    "token",
    "expires",
    "keep",
    "rotate",
    "success",
    "errors",
)
_CLIENT_AUTH: Final = ("body", "basic")
_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
#: Of a JWT, where the manifest does not say.
_ASSERTION_MS: Final = 180_000


def read_auth(compiling: Compiling, written: object, pointer: str, test: object) -> dict[str, AuthKind]:
    """Read all kinds.

    Args:
        compiling: Takes the problems.
        written: `auth`; None for a connector that needs no credentials.
        pointer: Where it stands.
        test: `test` of the connector, for kinds that have none of their own.
    """
    if written is None:
        probe = _probe(compiling, test, at("", "test"))
        return {"none": NO_AUTH if probe is None else _with_probe(NO_AUTH, probe)}
    if not isinstance(written, Mapping) or not written:
        why = "it maps ways to be known to what they need"
        compiling.reading.refuse(pointer, f"`auth` is {shown(written)}", why, "Write auth: { api_key: … }")
        return {}
    found = {}
    for name, each in written.items():
        slug = compiling.reading.slug(name, at(pointer, name), noun="a kind of `auth`")
        if slug is not None:
            found[slug] = _kind(compiling, slug, each, at(pointer, name), test)
    return found


def _with_probe(kind: AuthKind, probe: Probe) -> AuthKind:
    return AuthKind(
        name=kind.name, title=kind.title, fields=kind.fields, apply=kind.apply, grant=kind.grant, probe=probe
    )


def _kind(compiling: Compiling, name: str, written: object, pointer: str, test: object) -> AuthKind:
    reading = compiling.reading
    known = reading.map(written, pointer, noun="a kind of `auth`", keys=_KIND_KEYS)
    fields = _fields(reading, known.get("fields"), at(pointer, "fields"))
    keep = _mapping(_mapping(known.get("grant")).get("keep"))
    own = compiling.knowing(auth=frozenset(fields) | frozenset(map(str, keep)), secrets=frozenset())
    grant = None
    if known.get("grant") is not None:
        grant = _grant(own, known["grant"], at(pointer, "grant"), fields)
    tested, place = (known["test"], at(pointer, "test")) if "test" in known else (test, at("", "test"))
    public = frozenset(name for name, each in fields.items() if not each.is_secret) | frozenset(keep)
    secrets = frozenset(name for name, each in fields.items() if each.is_secret)
    probing = compiling.knowing(auth=public, secrets=secrets)
    return AuthKind(
        name=name,
        title=reading.text(known.get("title"), at(pointer, "title"), noun="`title`") or name,
        fields=fields,
        apply=_apply(own, known.get("apply"), at(pointer, "apply"), has_token=grant is not None),
        grant=grant,
        probe=None if tested is False else _probe(probing, tested, place),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _fields(reading: Reading, written: object, pointer: str) -> dict[str, FieldSpec]:
    if written is None:
        return {}
    if not isinstance(written, Mapping):
        why, fix = "it maps names to what they are", "Write fields: { token: { secret: true } }"
        reading.refuse(pointer, f"`fields` is {shown(written)}", why, fix)
        return {}
    return {str(name): _field(reading, str(name), each, at(pointer, name)) for name, each in written.items()}


def _field(reading: Reading, name: str, written: object, pointer: str) -> FieldSpec:
    known = reading.map(written, pointer, noun="a field", keys=_FIELD_KEYS)

    def text(key: str) -> str | None:
        return reading.text(known.get(key), at(pointer, key), noun=f"`{key}`")

    def flag(key: str, *, default: bool) -> bool:
        return reading.flag(known.get(key), at(pointer, key), noun=f"`{key}`", default=default)

    is_secret, default = flag("secret", default=False), text("default")
    if is_secret and default is not None:
        why, fix = "a secret is each operator's own", "Remove the default"
        reading.refuse(at(pointer, "default"), "a secret has a default", why, fix)
    return FieldSpec(
        name=name,
        title=text("title") or name,
        description=text("description") or "",
        is_secret=is_secret,
        is_list=flag("list", default=False),
        is_required=flag("required", default=default is None),
        default=default,
        example=text("example") or "",
        pattern=read_pattern(reading, known.get("pattern"), at(pointer, "pattern")),
    )


def _apply(compiling: Compiling, written: object, pointer: str, *, has_token: bool) -> Apply:
    if written is None:
        bearer = compiling.template("{{ token }}", pointer, AUTH_SCOPE) if has_token else None
        return Apply(bearer=bearer)
    reading = compiling.reading
    known = reading.map(written, pointer, noun="`apply`", keys=_APPLY_KEYS)

    def one(key: str) -> Template | None:
        value = known.get(key)
        return None if value is None else compiling.template(value, at(pointer, key), AUTH_SCOPE)

    basic = known.get("basic")
    pair = None
    if basic is not None:
        place = at(pointer, "basic")
        both = reading.map(basic, place, noun="`basic`", keys=("username", "password"))
        user = compiling.template(both.get("username"), at(place, "username"), AUTH_SCOPE)
        pair = (user, compiling.template(both.get("password"), at(place, "password"), AUTH_SCOPE))
    return Apply(
        bearer=one("bearer"),
        basic=pair,
        headers=_named(compiling, known.get("headers"), at(pointer, "headers"), noun="`headers`"),
        query=_named(compiling, known.get("query"), at(pointer, "query"), noun="`query`"),
        signed_with=one("standard_webhooks"),
    )


def _named(
    compiling: Compiling, written: object, pointer: str, *, noun: str
) -> tuple[tuple[Template, Template], ...]:
    """Read names and values; both may be templates, because an operator may choose the name of a header."""
    values = compiling.templates(written, pointer, AUTH_SCOPE, noun=noun)
    return tuple(
        (compiling.template(name, at(pointer, name), AUTH_SCOPE), value) for name, value in values.items()
    )


def _probe(compiling: Compiling, written: object, pointer: str) -> Probe | None:
    if written is None:
        return None
    keys = ("request", "success", "errors", "label")
    known = compiling.reading.map(written, pointer, noun="`test`", keys=keys)
    from_answer = compiling.knowing(inputs={})
    return Probe(
        request=read_request(from_answer, known.get("request"), at(pointer, "request")),
        success=read_success(from_answer, known.get("success"), at(pointer, "success")),
        errors=read_errors(from_answer, known.get("errors"), at(pointer, "errors")),
        label=compiling.template(known.get("label"), at(pointer, "label"), TOKEN_SCOPE),
    )


# ---- tokens


def _grant(
    compiling: Compiling, written: object, pointer: str, fields: Mapping[str, FieldSpec]
) -> Grant | None:
    reading = compiling.reading
    known = reading.map(written, pointer, noun="`grant`", keys=_GRANT_KEYS)
    kind = reading.one_of(known.get("kind"), at(pointer, "kind"), _GRANTS, noun="`kind`", default=None)
    if kind is None:
        if known and "kind" not in known:
            fix = f"Write kind: one of {', '.join(_GRANTS)}"
            reading.refuse(pointer, "`grant` needs `kind`", "it is missing", fix)
        return None
    reading.one_of(
        known.get("client_auth"),
        at(pointer, "client_auth"),
        _CLIENT_AUTH,
        noun="`client_auth`",
        default="body",
    )
    request = known.get("request")
    if kind != "login":
        reading.required(known, "url", pointer, noun="`grant`", fix="Write the address of the token endpoint")
        request = _token_request(kind, known, fields)
    place = at(pointer, "request") if kind == "login" else pointer
    lifetime = reading.duration(known.get("lifetime"), at(pointer, "lifetime"))
    rotates = reading.flag(known.get("rotate"), at(pointer, "rotate"), noun="`rotate`", default=False)

    def told(key: str, default: str) -> Template:
        return compiling.template(known.get(key, default), at(pointer, key), TOKEN_SCOPE)

    rotated = compiling.template("{{ body.refresh_token | default(none) }}", pointer, TOKEN_SCOPE)
    return Grant(
        kind=kind,
        request=read_request(compiling, request, place, AUTH_SCOPE),
        success=read_success(compiling, known.get("success"), at(pointer, "success"), TOKEN_SCOPE),
        errors=read_errors(compiling, known.get("errors"), at(pointer, "errors"), TOKEN_SCOPE),
        token=told("token", "{{ body.access_token }}"),
        expires=told("expires", "{{ body.expires_in | default(none) }}"),
        keep=compiling.templates(known.get("keep"), at(pointer, "keep"), TOKEN_SCOPE, noun="`keep`"),
        rotated=rotated if rotates else None,
        assertion=_assertion(compiling, known, pointer, lifetime) if kind == "jwt_bearer" else None,
        lifetime_ms=None if kind == "jwt_bearer" else lifetime,
    )


def _token_request(kind: str, known: Mapping[str, Any], fields: Mapping[str, FieldSpec]) -> Mapping[str, Any]:
    """Write the request that OAuth 2 prescribes for a grant (RFC 6749 §4.4, §6; RFC 7523 §2.1)."""
    form: dict[str, Any] = {"grant_type": _JWT_BEARER if kind == "jwt_bearer" else kind}
    if kind == "jwt_bearer":
        form["assertion"] = "{{ assertion }}"
    if kind == "refresh_token":
        form["refresh_token"] = "{{ auth.refresh_token }}"  # noqa: S105 - a template
    if "scope" in known:
        form["scope"] = known["scope"]
    headers = {"Accept": "application/json"}
    if "client_id" in fields and kind != "jwt_bearer":
        if known.get("client_auth", "body") == "basic":
            headers["Authorization"] = "Basic {{ (auth.client_id ~ ':' ~ auth.client_secret) | base64 }}"
        else:
            form |= {"client_id": "{{ auth.client_id }}", "client_secret": "{{ auth.client_secret }}"}
    form |= _mapping(known.get("form"))
    return {"method": "POST", "url": known.get("url", ""), "headers": headers, "form": form}


def _assertion(
    compiling: Compiling, known: Mapping[str, Any], pointer: str, lifetime: int | None
) -> Assertion | None:
    claims = compiling.structure(known.get("claims", {}), at(pointer, "claims"), AUTH_SCOPE)
    key = known.get("private_key", "{{ auth.private_key }}")
    key_id = known.get("key_id")
    if claims is None:
        return None
    return Assertion(
        claims=claims,
        key=compiling.template(key, at(pointer, "private_key"), AUTH_SCOPE),
        key_id=None if key_id is None else compiling.template(key_id, at(pointer, "key_id"), AUTH_SCOPE),
        lifetime_ms=_ASSERTION_MS if lifetime is None else lifetime,
    )
