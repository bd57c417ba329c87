"""Read `sources:` of connections.yaml: which sources there are, under which names, and where their secrets are.

Secrets are only named here (`{env: NAME}`, `{file: /path}`); who has access to them resolves them (hub.config).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.rules.problems import suggestion
from hub.rules.routes.document import Reading, at, shown
from hub.rules.sources.hooks import HOOK_SOURCE
from hub.rules.sources.model import REMEMBER_MS, Definition
from hub.rules.sources.reading import KEYS, read_definition

#: Of a definition that ships with the hub, what an operator may say otherwise.
OVERRIDES: Final = ("event", "id", "data", "split", "with", "once", "format", "form_json")
_OWN_KEYS: Final = ("verify", "secret", "verify_token", "public_key", "remember", "tolerance")
_ENV: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_SECRET_FIX: Final = "Write secret: { env: STRIPE_SECRET } or secret: { file: /run/secrets/stripe }"  # noqa: S105 - advice


@dataclass(frozen=True, slots=True)
class SecretName:
    """Where a secret is."""

    #: `env` or `file`.
    kind: str
    name: str
    #: Where it stands in the document, for messages.
    pointer: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceWish:
    """One source as written, before its secrets are looked up."""

    name: str
    definition: Definition
    secrets: tuple[SecretName, ...]
    verify_token: SecretName | None
    #: A public key may stand in the file: it is no secret.
    public_key: str
    remember_ms: int
    pointer: str


def read_sources(
    reading: Reading, value: object, pointer: str, *, shipped: Mapping[str, Mapping[str, Any]]
) -> tuple[SourceWish, ...]:
    """Read the section.

    Args:
        reading: Takes the problems.
        value: The section as plain values; None where there is none.
        pointer: Where it stands.
        shipped: The definitions that come with the hub, as written, by name.
    """
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        fix = "Write stripe: { verify: stripe, secret: { env: STRIPE_SECRET } }"
        reading.refuse(pointer, f"`sources` is {shown(value)}", "it maps names to sources", fix)
        return ()
    found = [_source(reading, name, each, at(pointer, name), shipped) for name, each in value.items()]
    return tuple(each for each in found if each is not None)


def _source(
    reading: Reading, name: object, value: object, pointer: str, shipped: Mapping[str, Mapping[str, Any]]
) -> SourceWish | None:
    slug = reading.slug(name, pointer, noun="a source's name")
    if slug == HOOK_SOURCE:
        why = "so is called what comes to the paths of routes"
        reading.refuse(pointer, f"a source's name is {shown(slug)}", why, "Choose another name")
    keys = (*_OWN_KEYS, *OVERRIDES) if _is_shipped(value) else (*_OWN_KEYS, *KEYS)
    known = reading.map(value, pointer, noun="a source", keys=tuple(dict.fromkeys(keys)))
    fix = "Write verify: stripe, or a map such as { hmac: sha256, header: x-signature }"
    written = reading.required(known, "verify", pointer, noun="a source", fix=fix)
    if slug is None or written is None:
        return None
    document = _document(reading, slug, known, pointer, shipped)
    if document is None:
        return None
    definition = read_definition(reading, str(written) if _is_shipped(value) else slug, document, pointer)
    if definition is None:
        return None
    public = reading.text(known.get("public_key"), at(pointer, "public_key"), noun="`public_key`")
    remember = reading.duration(known.get("remember"), at(pointer, "remember"))
    secrets = _secrets(reading, known.get("secret"), at(pointer, "secret"))
    wish = SourceWish(
        name=slug,
        definition=definition,
        secrets=secrets,
        verify_token=_secret(reading, known.get("verify_token"), at(pointer, "verify_token")),
        public_key=public or ("" if secrets else definition.public_key),
        remember_ms=REMEMBER_MS if remember is None else remember,
        pointer=pointer,
    )
    _require_secrets(reading, wish, known)
    return wish


def _is_shipped(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("verify"), str)


def _document(
    reading: Reading,
    name: str,
    known: Mapping[str, Any],
    pointer: str,
    shipped: Mapping[str, Mapping[str, Any]],
) -> Mapping[str, Any] | None:
    """Give the definition as it counts: the shipped one with what is said otherwise, or the operator's own."""
    written = known["verify"]
    if not isinstance(written, str):
        own = {key: each for key, each in known.items() if key in KEYS}
        if not isinstance(own.get("split"), list):
            own.setdefault("event", [{"text": "event"}])
        return own
    if written not in shipped:
        near = suggestion(written, shipped)
        fix = f"Did you mean {near}" if near else f"Use one of {', '.join(sorted(shipped))}, or write a map"
        reading.refuse(at(pointer, "verify"), f"`verify` is {shown(written)}", "no source is called so", fix)
        return None
    document = dict(shipped[written])
    if isinstance(document.get("split"), list) and "split" not in known:
        for key in ("event", "id", "data", "with"):
            if key in known:
                why = f"{written} tells it for each of its parts"
                reading.refuse(at(pointer, key), f"`{key}` cannot be changed", why, "Write `split`, too")
                return None
    document.update({key: known[key] for key in OVERRIDES if key in known})
    if "split" in known and isinstance(known["split"], list):
        for key in ("event", "id", "data", "with"):
            document.pop(key, None)
    return _tolerant(reading, document, known, pointer)


def _tolerant(
    reading: Reading, document: dict[str, Any], known: Mapping[str, Any], pointer: str
) -> dict[str, Any]:
    if "tolerance" not in known:
        return document
    stamp = document["verify"].get("timestamp")
    if stamp is None:
        why = "this source signs no time"
        reading.refuse(at(pointer, "tolerance"), "`tolerance` says nothing", why, "Remove it")
        return document
    verify = {**document["verify"], "timestamp": {**stamp, "tolerance": known["tolerance"]}}
    return {**document, "verify": verify}


def _secrets(reading: Reading, value: object, pointer: str) -> tuple[SecretName, ...]:
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    found = [
        _secret(reading, each, at(pointer, index) if isinstance(value, list) else pointer)
        for index, each in enumerate(items)
    ]
    return tuple(each for each in found if each is not None)


def _secret(reading: Reading, value: object, pointer: str) -> SecretName | None:
    if value is None:
        return None
    kinds = [kind for kind in ("env", "file") if isinstance(value, Mapping) and kind in value]
    if len(kinds) != 1 or not isinstance(value, Mapping):
        # What stands there is not shown: it may be the secret itself.
        what = "a secret is named by env or file"
        why = "secrets do not stand in files that are read, copied and committed"
        reading.refuse(pointer, what, why, _SECRET_FIX)
        return None
    kind = kinds[0]
    reading.map(value, pointer, noun="a secret", keys=(kind,))
    name = value[kind]
    if not isinstance(name, str) or not name or (kind == "env" and not _ENV.fullmatch(name)):
        why = "it is the name of an environment variable" if kind == "env" else "it is the path of a file"
        reading.refuse(at(pointer, kind), f"`{kind}` cannot be read", why, _SECRET_FIX)
        return None
    return SecretName(kind, name, pointer)


def _require_secrets(reading: Reading, wish: SourceWish, known: Mapping[str, Any]) -> None:
    definition, is_public = wish.definition, wish.definition.check.kind == "public_key"
    has_any = bool(wish.secrets or (is_public and wish.public_key))
    if not has_any and "secret" not in known and not definition.is_secret_learned:
        name = "a public key" if is_public else "a secret"
        why = "without it nobody can be told from anybody else"
        fix = "Write public_key: …" if is_public else _SECRET_FIX
        reading.refuse(wish.pointer, f"{wish.name} has no {name.partition(' ')[2]}", why, fix)
    if wish.public_key and not is_public:
        why = "this source signs with a shared secret"
        reading.refuse(at(wish.pointer, "public_key"), "`public_key` says nothing", why, _SECRET_FIX)
    if definition.wants_token and wish.verify_token is None and "verify_token" not in known:
        why = f"{definition.title} sends it when the address is set up"
        fix = "Write verify_token: { env: WHATSAPP_VERIFY_TOKEN }"
        reading.refuse(wish.pointer, f"{wish.name} has no `verify_token`", why, fix)
    if not definition.wants_token and wish.verify_token is not None:
        why = f"{definition.title} has no handshake with one"
        reading.refuse(at(wish.pointer, "verify_token"), "`verify_token` says nothing", why, "Remove it")
