"""Read `verify`: how deliveries of a source prove who sent them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.rules.routes.document import Reading, at, shown
from hub.rules.sources.model import TOLERANCE_MS, Check, TimestampRule
from hub.rules.sources.paths import Path, read_path
from hub.rules.sources.signed_text import read_template
from hub.rules.sources.special import VERIFIERS

#: By kind, its variants.
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "hmac": ("sha1", "sha256", "sha512"),
    "hash": ("sha256",),
    "public_key": ("ed25519", "ecdsa-p256"),
    "static": ("header", "bearer", "basic", "query", "body"),
    "python": tuple(VERIFIERS),
}
_SIGNED_KEYS: Final = (
    "encoding",
    "key",
    "key_prefix",
    "header",
    "prefix",
    "items",
    "pair",
    "field",
    "id_header",
    "sign",
    "timestamp",
)
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "hmac": _SIGNED_KEYS,
    "hash": _SIGNED_KEYS,
    "public_key": _SIGNED_KEYS,
    "static": ("header", "path"),
    "python": (),
}


def read_check(reading: Reading, value: object, pointer: str) -> Check | None:
    """Read how a source verifies; None, with problems, where that is not clear."""
    kind = _kind(reading, value, pointer)
    if kind is None or not isinstance(value, Mapping):
        return None
    reading.map(value, pointer, noun="`verify`", keys=(kind, *_KEYS[kind]))
    here = at(pointer, kind)
    variant = reading.one_of(value[kind], here, KINDS[kind], noun=f"`{kind}`", default=None)
    if variant is None:
        if value[kind] is None:
            reading.refuse(
                here, f"`{kind}` is empty", "it says which", f"Write one of {', '.join(KINDS[kind])}"
            )
        return None
    if kind == "static":
        return _static(reading, value, pointer, str(variant))
    if kind == "python":
        return Check(kind=kind, variant=str(variant))
    return _signed(reading, value, pointer, kind, str(variant))


def _kind(reading: Reading, value: object, pointer: str) -> str | None:
    kinds = [kind for kind in KINDS if isinstance(value, Mapping) and kind in value]
    if len(kinds) == 1:
        return kinds[0]
    what = "`verify` names no scheme" if not kinds else f"`verify` names {' and '.join(kinds)}"
    why = f"it has exactly one of {', '.join(KINDS)}"
    reading.refuse(pointer, what, why, "Write verify: { hmac: sha256, header: x-signature }")
    return None


def _static(reading: Reading, value: Mapping[str, Any], pointer: str, variant: str) -> Check:
    names = _headers(reading, value, pointer) if variant == "header" else ()
    path = None
    if variant in ("query", "body"):
        path = required_path(reading, value.get("path"), at(pointer, "path"), root=variant)
    return Check(kind="static", variant=variant, headers=names, path=path)


def _signed(reading: Reading, value: Mapping[str, Any], pointer: str, kind: str, variant: str) -> Check:
    stamp = _timestamp(reading, value.get("timestamp"), at(pointer, "timestamp"))
    sign = _templates(reading, value.get("sign", "{body}"), at(pointer, "sign"))
    check = Check(
        kind=kind,
        variant=variant,
        encoding=reading.one_of(
            value.get("encoding"),
            at(pointer, "encoding"),
            ("hex", "base64"),
            noun="`encoding`",
            default="hex",
        ),
        key=reading.one_of(
            value.get("key"), at(pointer, "key"), ("whole", "base64", "hex"), noun="`key`", default="whole"
        ),
        key_prefix=_piece(reading, value, pointer, "key_prefix"),
        headers=_headers(reading, value, pointer),
        prefix=_piece(reading, value, pointer, "prefix"),
        items=_piece(reading, value, pointer, "items"),
        pair=_piece(reading, value, pointer, "pair"),
        field=_piece(reading, value, pointer, "field"),
        id_header=_piece(reading, value, pointer, "id_header").lower(),
        sign=sign,
        timestamp=stamp,
    )
    _require_sense(reading, check, pointer)
    return check


def _require_sense(reading: Reading, check: Check, pointer: str) -> None:
    """Refuse what could be read and would not protect."""
    stamp, names = check.timestamp, {part for template in check.sign for part in template}
    is_beside = stamp is not None and stamp.path is None
    if is_beside and any("{timestamp}" not in template for template in check.sign):
        why = "a time that is not signed can be set to anything by whoever repeats a delivery"
        reading.refuse(
            at(pointer, "sign"), "`sign` has no {timestamp}", why, 'Write sign: "{timestamp}.{body}"'
        )
    if not is_beside and "{timestamp}" in names:
        fix = "Write timestamp: { header: x-timestamp }"
        reading.refuse(pointer, "`sign` has {timestamp}", "nothing says where it stands", fix)
    if "{id}" in names and not check.id_header:
        reading.refuse(pointer, "`sign` has {id}", "nothing says where it stands", "Write id_header: x-id")
    if check.kind == "hash" and "{secret}" not in names:
        why = "without a secret in it anybody can make the hash"
        reading.refuse(at(pointer, "sign"), "`sign` has no {secret}", why, 'Write sign: "{secret}{body}"')
    is_field = stamp is not None and stamp.field is not None
    if bool(check.pair) != bool(check.field) or (is_field and not (check.items and check.pair)):
        why = "`items` separates entries, `pair` name and value in them, `field` names the signature"
        fix = 'Write items: ",", pair: "=", field: v1'
        reading.refuse(pointer, "the signature's header is told in half", why, fix)


def _timestamp(reading: Reading, value: object, pointer: str) -> TimestampRule | None:
    if value is None:
        return None
    keys = ("header", "field", "path", "unit", "tolerance")
    known = reading.map(value, pointer, noun="`timestamp`", keys=keys)
    places = [key for key in keys[:3] if key in known]
    if len(places) != 1:
        why = "it stands in exactly one of header, field (of the signature's header) and path (in the body)"
        reading.refuse(
            pointer, "`timestamp` does not say where it stands", why, "Write timestamp: { header: … }"
        )
        return None
    header = reading.text(known.get("header"), at(pointer, "header"), noun="`header`")
    path = (
        required_path(reading, known["path"], at(pointer, "path"), root="body") if "path" in known else None
    )
    tolerance = reading.duration(known.get("tolerance"), at(pointer, "tolerance"))
    return TimestampRule(
        header=None if header is None else header.lower(),
        field=reading.text(known.get("field"), at(pointer, "field"), noun="`field`"),
        path=path,
        unit=reading.one_of(
            known.get("unit"), at(pointer, "unit"), ("s", "ms", "iso"), noun="`unit`", default="s"
        ),
        tolerance_ms=TOLERANCE_MS if tolerance is None else tolerance,
    )


def _templates(reading: Reading, value: object, pointer: str) -> tuple[Sequence[str], ...]:
    items = value if isinstance(value, list) else [value]
    found: list[Sequence[str]] = []
    for index, each in enumerate(items):
        template = read_template(each)
        if isinstance(template, str):
            here = at(pointer, index) if isinstance(value, list) else pointer
            reading.refuse(here, f"`sign` is {shown(each)}", template, 'Write sign: "{timestamp}.{body}"')
        else:
            found.append(template)
    return tuple(found)


def _headers(reading: Reading, value: Mapping[str, Any], pointer: str) -> tuple[str, ...]:
    names = reading.texts(value.get("header"), at(pointer, "header"), noun="`header`")
    if not names and value.get("header") is None:
        why = "nothing says where the sender puts it"
        reading.refuse(pointer, "`verify` needs `header`", why, "Write header: x-signature")
    return tuple(name.lower() for name in names)


def _piece(reading: Reading, value: Mapping[str, Any], pointer: str, key: str) -> str:
    """Read a text that may be blanks alone, as separators are."""
    found = value.get(key, "")
    if isinstance(found, str):
        return found
    reading.refuse(at(pointer, key), f"`{key}` is {shown(found)}", "it is a text", 'Put it into quotes: "…"')
    return ""


def required_path(reading: Reading, value: object, pointer: str, *, root: str = "") -> Path | None:
    """Read a path; None, with a problem, where it is none or begins elsewhere."""
    found = read_path(value)
    if isinstance(found, str):
        reading.refuse(pointer, f"{shown(value)} is no path", found, "Write one such as body.type")
        return None
    if root and found.root != root:
        why = f"here a path begins with {root}"
        reading.refuse(pointer, f"{shown(value)} is not there", why, f"Write {root}.name")
        return None
    return found
