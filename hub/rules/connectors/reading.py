"""Read a manifest: everything that is wrong with it is told at once, or it is sound.

Not here: the file itself (hub.config) and what a connection brings along (hub.rules.connectors.connections).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hub.rules.connectors.action_reading import ActionReader, read_day
from hub.rules.connectors.auth_reading import NO_AUTH, read_auth
from hub.rules.connectors.compiling import AUTH_SCOPE, REQUEST_SCOPE, Compiling, Names
from hub.rules.connectors.model import Action, Adapt, AuthKind, Limit, Manifest
from hub.rules.connectors.request_reading import read_errors
from hub.rules.problems import Problem
from hub.rules.routes.document import Reading, at, shown
from hub.rules.routes.durations import read_duration

VERSION: Final = 1
_KEYS: Final = (
    "manifest",
    "id",
    "title",
    "description",
    "docs",
    "checked",
    "base_url",
    "vars",
    "headers",
    "auth",
    "test",
    "limits",
    "adapt",
    "errors",
    "actions",
)
_LIMIT_KEYS: Final = ("rate", "per", "match", "key")
_SCOPES: Final = ("connection", "connector", "key")
_RATE: Final = re.compile(r"([1-9][0-9]{0,6})/([0-9]+[a-z]+)", re.ASCII)
_DEEPEST: Final = 3


def read_manifest(document: object) -> Manifest | list[Problem]:
    """Read a manifest, or give everything that is wrong with it."""
    reading = Reading()
    known = reading.map(document, "", noun="a manifest", keys=_KEYS)
    if known and known.get("manifest") != VERSION:
        what, why = f"`manifest` is {shown(known.get('manifest'))}", "this hub reads version 1"
        reading.refuse(at("", "manifest") if "manifest" in known else "", what, why, "Write manifest: 1")
    texts = _texts(reading, known)
    variables = _variables(reading, known.get("vars"))
    compiling = Compiling(reading, Names(vars=frozenset(variables)))
    auth = read_auth(compiling, known.get("auth"), at("", "auth"), known.get("test"))
    secrets = frozenset(
        field.name for kind in auth.values() for field in kind.fields.values() if field.is_secret
    )
    public = frozenset(name for kind in auth.values() for name in _public(kind)) - secrets
    asking = compiling.knowing(auth=public, secrets=secrets)
    base_url = compiling.template(known.get("base_url", ""), at("", "base_url"), AUTH_SCOPE)
    actions = _actions(asking, known, texts)
    manifest = Manifest(
        id=texts["id"],
        title=texts["title"],
        description=texts["description"],
        docs=texts["docs"],
        checked=texts["checked"],
        base_url=base_url,
        vars=variables,
        headers=None
        if known.get("headers") is None
        else asking.structure(known["headers"], at("", "headers"), REQUEST_SCOPE),
        auth=auth,
        limits=_limits(asking, known.get("limits"), at("", "limits")),
        adapt=_adapt(reading, known.get("adapt"), at("", "adapt")),
        errors=read_errors(asking.knowing(inputs=None), known.get("errors"), at("", "errors")),
        actions=actions,
        is_free=_is_free(auth, actions),
    )
    _check_depth(reading, actions)
    return reading.problems or manifest


def _texts(reading: Reading, known: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for key, fix in (
        ("id", "Write id: hubspot, as its folder is called"),
        ("title", "Write the provider's name"),
        ("docs", "Write the address of the provider's documentation"),
        ("checked", "Write the day on which somebody read it: 2026-08-21"),
    ):
        value = reading.required(known, key, "", noun="a manifest", fix=fix)
        found[key] = reading.text(value, at("", key), noun=f"`{key}`") or ""
    if found["id"]:
        reading.slug(found["id"], at("", "id"), noun="`id`")
    if found["checked"]:
        read_day(reading, found["checked"], at("", "checked"))
    text = reading.text(known.get("description"), at("", "description"), noun="`description`")
    return {**found, "description": text or ""}


def _variables(reading: Reading, written: object) -> dict[str, Any]:
    if written is None:
        return {}
    if not isinstance(written, Mapping):
        why, fix = (
            "it maps names to defaults; null must be given by the connection",
            "Write vars: { api: v3 }",
        )
        reading.refuse(at("", "vars"), f"`vars` is {shown(written)}", why, fix)
        return {}
    return {str(name): value for name, value in written.items()}


def _public(kind: AuthKind) -> tuple[str, ...]:
    kept = () if kind.grant is None else tuple(kind.grant.keep)
    return (*(name for name, field in kind.fields.items() if not field.is_secret), *kept)


def _actions(compiling: Compiling, known: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Action]:
    reading = compiling.reading
    written = reading.required(known, "actions", "", noun="a manifest", fix="Write actions: and a map")
    if not isinstance(written, Mapping) or not written:
        if written is not None:
            why = "it maps names to actions"
            reading.refuse(at("", "actions"), f"`actions` is {shown(written)}", why, "Write one at least")
        return {}
    reader = ActionReader(compiling, written, docs=texts["docs"], checked=texts["checked"])
    found = {str(name): reader.read(str(name), each, at("/actions", name)) for name, each in written.items()}
    return {name: action for name, action in found.items() if action is not None}


def _is_free(auth: Mapping[str, AuthKind], actions: Mapping[str, Action]) -> bool:
    return NO_AUTH.name in auth or all(action.connection is not None for action in actions.values())


# ---- limits


def _limits(compiling: Compiling, written: object, pointer: str) -> tuple[Limit, ...]:
    if written is None:
        return ()
    return compiling.reading.list_of(
        written, pointer, lambda each, place: _limit(compiling, each, place), noun="`limits`"
    )


def _limit(compiling: Compiling, written: object, pointer: str) -> Limit | None:
    reading = compiling.reading
    known = reading.map(written, pointer, noun="a limit", keys=_LIMIT_KEYS)
    rate = read_rate(known.get("rate"))
    if rate is None:
        fix = "Write rate: 100/10s"
        reading.refuse(pointer, "a limit needs `rate`", "it is a number of requests and a span of time", fix)
        return None
    scope = reading.one_of(known.get("per"), at(pointer, "per"), _SCOPES, noun="`per`", default="connection")
    key = known.get("key")
    if (scope == "key") != (key is not None):
        why, fix = "`key` tells apart what is limited `per: key`", "Write both, or neither"
        reading.refuse(pointer, "a limit has one of `per: key` and `key`", why, fix)
    return Limit(
        count=rate[0],
        per_ms=rate[1],
        scope=scope,
        match=reading.text(known.get("match"), at(pointer, "match"), noun="`match`"),
        key=None
        if key is None
        else compiling.knowing(inputs=None).template(key, at(pointer, "key"), REQUEST_SCOPE),
    )


def read_rate(written: object) -> tuple[int, int] | None:
    """Read `100/10s`: how many, and within how many ms."""
    match = _RATE.fullmatch(written) if isinstance(written, str) else None
    span = None if match is None else read_duration(match[2])
    return (int(match[1]), span) if match is not None and isinstance(span, int) and span > 0 else None


def _adapt(reading: Reading, written: object, pointer: str) -> Adapt | None:
    if written is None:
        return None
    known = reading.map(written, pointer, noun="`adapt`", keys=("remaining", "reset"))
    fix = "Write adapt: { remaining: x-ratelimit-remaining, reset: x-ratelimit-reset }"
    found = [
        reading.text(
            reading.required(known, key, pointer, noun="`adapt`", fix=fix), at(pointer, key), noun=f"`{key}`"
        )
        for key in ("remaining", "reset")
    ]
    return Adapt(remaining=(found[0] or "").lower(), reset=(found[1] or "").lower())


# ---- actions that use actions


def _check_depth(reading: Reading, actions: Mapping[str, Action]) -> None:
    for action in actions.values():
        if _depth(actions, action, 0) > _DEEPEST:
            what = f"{action.name} uses itself, or goes too deep"
            why = f"actions within actions are at most {_DEEPEST}"
            reading.refuse(at("/actions", action.name), what, why, "Take the requests apart")


def _depth(actions: Mapping[str, Action], action: Action, depth: int) -> int:
    if depth > _DEEPEST:
        return depth
    inner = [actions[step.action or ""] for step in action.steps if step.action in actions]
    return max((_depth(actions, each, depth + 1) for each in inner), default=depth)
