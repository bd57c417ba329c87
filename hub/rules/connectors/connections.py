"""Read `connections` and `endpoints` of connections.yaml: who is asked in whose name, and where the secrets are.

Secrets are only named here (`{env: NAME}`, `{file: /path}`); hub.config looks them up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from hub.rules.connectors.model import AuthKind, FieldSpec, Manifest
from hub.rules.connectors.secrets import SecretText, looks_secret
from hub.rules.problems import suggestion
from hub.rules.routes.document import Reading, at, shown

#: The connector and its way to sign that `endpoints` stand for.
WEBHOOK: Final = "webhook"
STANDARD_WEBHOOKS: Final = "standard-webhooks"
_SIGNATURES: Final = (STANDARD_WEBHOOKS,)
_CONNECTION_KEYS: Final = ("connector", "auth", "vars")
_ENDPOINT_KEYS: Final = ("url", "sign", "secret")
_ENV: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_FIX: Final = "Write { env: NAME_OF_A_VARIABLE } or { file: /run/secrets/name }"


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretPlace:
    """Where a value is that does not stand in the file."""

    kind: Literal["env", "file"]
    name: str
    pointer: str


#: A value of the file itself, a place, or several places.
Given = str | SecretPlace | tuple[SecretPlace, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionWish:
    """A connection as written."""

    name: str
    manifest: Manifest
    auth: AuthKind
    fields: Mapping[str, Given]
    vars: Mapping[str, Any]
    pointer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """A connection that can be used."""

    name: str
    manifest: Manifest
    auth: AuthKind
    #: Public ones as text, secrets wrapped; several where the field takes a list.
    fields: Mapping[str, str | SecretText | tuple[SecretText, ...]]
    #: Of the manifest, with what the connection says otherwise.
    vars: Mapping[str, Any]

    def public(self) -> dict[str, str]:
        """Give the fields that are no secrets."""
        return {name: value for name, value in self.fields.items() if isinstance(value, str)}

    def revealed(self) -> dict[str, str | list[str]]:
        """Give all fields, for what shows who asks."""
        found: dict[str, str | list[str]] = {}
        for name, value in self.fields.items():
            match value:
                case SecretText():
                    found[name] = value.reveal()
                case tuple():
                    found[name] = [each.reveal() for each in value]
                case _:
                    found[name] = value
        return found

    def secrets(self) -> list[str]:
        """Give the secrets, for covering them."""
        found = self.revealed()
        hidden = [found[name] for name in found if name not in self.public()]
        return [text for each in hidden for text in (each if isinstance(each, list) else [each])]


def read_connections(
    reading: Reading, document: Mapping[str, Any], manifests: Mapping[str, Manifest]
) -> tuple[ConnectionWish, ...]:
    """Read both sections; what is wrong is noted, without what could be a secret."""
    found = [
        *_section(reading, document, "connections", lambda *each: _connection(reading, manifests, *each)),
        *_section(reading, document, "endpoints", lambda *each: _endpoint(reading, manifests, *each)),
    ]
    names: dict[str, str] = {}
    for wish in found:
        other = names.setdefault(wish.name, wish.pointer)
        if other != wish.pointer:
            why, fix = "connections and endpoints share their names", "Give one of them another name"
            reading.refuse(wish.pointer, f"{wish.name} is there twice", why, fix)
    return tuple(found)


def _section(reading: Reading, document: Mapping[str, Any], key: str, read: Any) -> list[ConnectionWish]:
    value, pointer = document.get(key), at("", key)
    if value is None:
        return []
    if not isinstance(value, Mapping):
        reading.refuse(pointer, f"`{key}` is {shown(value)}", "it maps names to what they are", "Write a map")
        return []
    found = []
    for name, each in value.items():
        slug = reading.slug(name, at(pointer, name), noun="a name")
        wish = None if slug is None else read(slug, each, at(pointer, name))
        if wish is not None:
            found.append(wish)
    return found


def _connection(
    reading: Reading, manifests: Mapping[str, Manifest], name: str, written: object, pointer: str
) -> ConnectionWish | None:
    known = reading.map(written, pointer, noun="a connection", keys=_CONNECTION_KEYS)
    chosen = reading.required(
        known, "connector", pointer, noun="a connection", fix="Write connector: hubspot"
    )
    if not isinstance(chosen, str):
        return None
    manifest = manifests.get(chosen)
    if manifest is None:
        near = suggestion(chosen, manifests)
        fix = f"Did you mean {near}" if near else "`hub connectors list` shows what there is"
        reading.refuse(
            at(pointer, "connector"), f"there is no connector {shown(chosen)}", "it is not here", fix
        )
        return None
    auth = _kind(reading, manifest, known.get("auth"), pointer)
    if auth is None:
        return None
    kind, given, place = auth
    return ConnectionWish(
        name=name,
        manifest=manifest,
        auth=kind,
        fields=_fields(reading, kind, given, place),
        vars=_vars(reading, manifest, known.get("vars"), pointer),
        pointer=pointer,
    )


def _kind(
    reading: Reading, manifest: Manifest, written: object, pointer: str
) -> tuple[AuthKind, Mapping[str, Any], str] | None:
    place = at(pointer, "auth")
    if written is None and (kind := manifest.auth.get("none")) is not None:
        return kind, {}, place
    names = ", ".join(manifest.auth)
    fix = f"Write auth: {{ {next(iter(manifest.auth), 'token')}: {{ … }} }}"
    if not isinstance(written, Mapping) or len(written) != 1:
        why = f"it names one of {names}"
        what = f"`auth` is {shown(written)}" if not isinstance(written, Mapping) else "`auth` names several"
        reading.refuse(place if written is not None else pointer, what, why, fix)
        return None
    name, given = next(iter(written.items()))
    found = manifest.auth.get(name)
    if found is None:
        near = suggestion(str(name), manifest.auth)
        told = f"Did you mean {near}" if near else f"Use one of {names}"
        reading.refuse(at(place, name), f"{manifest.title} knows no {shown(name)}", "nothing reads it", told)
        return None
    if given is not None and not isinstance(given, Mapping):
        reading.refuse(at(place, name), "this is no map", "it maps fields to values", fix)
        return None
    return found, given or {}, at(place, name)


def _fields(reading: Reading, kind: AuthKind, written: Mapping[str, Any], pointer: str) -> dict[str, Given]:
    known = reading.map(written, pointer, noun=f"`{kind.name}`", keys=tuple(kind.fields))
    found: dict[str, Given] = {}
    for field in kind.fields.values():
        value = known.get(field.name)
        if value is None:
            if field.default is not None:
                found[field.name] = field.default
            elif field.is_required:
                fix = f"Write {field.name}: {{ env: … }}" if field.is_secret else f"Write {field.name}: …"
                reading.refuse(pointer, f"`{field.name}` is missing", f"it is the {field.title}", fix)
            continue
        given = _given(reading, field, value, at(pointer, field.name))
        if given is not None:
            found[field.name] = given
    return found


def _given(reading: Reading, field: FieldSpec, value: object, pointer: str) -> Given | None:
    if isinstance(value, list) and field.is_list and value:
        places = [_place(reading, field, each, at(pointer, index)) for index, each in enumerate(value)]
        found = tuple(each for each in places if isinstance(each, SecretPlace))
        return found if len(found) == len(value) else None
    return _place(reading, field, value, pointer)


def _place(reading: Reading, field: FieldSpec, value: object, pointer: str) -> str | SecretPlace | None:
    kinds = [kind for kind in ("env", "file") if isinstance(value, Mapping) and kind in value]
    if isinstance(value, Mapping) and len(kinds) == 1:
        kind: Literal["env", "file"] = "env" if kinds == ["env"] else "file"
        reading.map(value, pointer, noun="a place", keys=(kind,))
        name = value[kind]
        if isinstance(name, str) and name and (kind == "file" or _ENV.fullmatch(name)):
            return SecretPlace(kind=kind, name=name, pointer=pointer)
        why = "it is the name of an environment variable" if kind == "env" else "it is the path of a file"
        reading.refuse(at(pointer, kind), f"`{kind}` cannot be read", why, _FIX)
        return None
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    if field.is_secret or not is_text or looks_secret(str(value)):
        # What stands there is not shown: it may be the secret itself.
        what = f"`{field.name}` is named by env or file" if is_text else f"`{field.name}` cannot be read"
        reading.refuse(pointer, what, "secrets do not stand in files that are copied and committed", _FIX)
        return None
    return str(value)


def _vars(reading: Reading, manifest: Manifest, written: object, pointer: str) -> dict[str, Any]:
    place = at(pointer, "vars")
    given = {} if written is None else reading.map(written, place, noun="`vars`", keys=manifest.vars)
    for name, value in given.items():
        if isinstance(value, str) and looks_secret(value):
            why = "secrets do not stand in files that are copied and committed"
            reading.refuse(at(place, name), f"`{name}` looks like a secret", why, "Give it under auth")
    found = {**manifest.vars, **given}
    for name in [name for name, value in found.items() if value is None]:
        why, fix = f"{manifest.title} cannot be reached without it", f"Write vars: {{ {name}: … }}"
        reading.refuse(place if written is not None else pointer, f"`vars.{name}` is missing", why, fix)
    return found


def _endpoint(
    reading: Reading, manifests: Mapping[str, Manifest], name: str, written: object, pointer: str
) -> ConnectionWish | None:
    """Read an endpoint: a connection of the connector that sends signed webhooks."""
    known = reading.map(written, pointer, noun="an endpoint", keys=_ENDPOINT_KEYS)
    manifest = manifests.get(WEBHOOK)
    if not known or manifest is None:
        return None
    fix = "Write url: https://example.com/hooks"
    reading.required(known, "url", pointer, noun="an endpoint", fix=fix)
    reading.one_of(
        known.get("sign"), at(pointer, "sign"), _SIGNATURES, noun="`sign`", default=STANDARD_WEBHOOKS
    )
    kind = next(iter(manifest.auth.values()))
    given = {key: known[key] for key in ("url", "secret") if key in known}
    return ConnectionWish(
        name=name,
        manifest=manifest,
        auth=kind,
        fields=_fields(reading, kind, given, pointer),
        vars=dict(manifest.vars),
        pointer=pointer,
    )
