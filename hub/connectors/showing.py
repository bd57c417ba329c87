"""Shows a provider who asks: headers and query of a request, made from credentials just before it is sent."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.rules.connectors.building import Unbuildable
from hub.rules.connectors.model import Apply
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.templates import Template
from hub.rules.signing import InvalidSecret, Secret, StandardSigner

_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_VALUE: Final = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What is added to a request."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    #: What is secret as a whole and has another spelling than its parts.
    secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Shown({', '.join(self.headers)}{'?' if self.query else ''})"


def show_who(
    apply: Apply, values: Mapping[str, Any], surroundings: Surroundings, *, body: bytes, key: str
) -> Shown:
    """Make them.

    Args:
        apply: What the manifest says.
        values: All fields of the connection, and the token.
        surroundings: The time.
        body: What is signed.
        key: The id of what is signed.

    Raises:
        ExpressionError: A template has no value.
        Unbuildable: A credential cannot travel in a header, or cannot sign.
    """

    def rendered(pair: tuple[Template, Template]) -> tuple[str, str]:
        name = str(pair[0].render(values, surroundings)).strip()
        return name, _text(pair[1].render(values, surroundings), name)

    headers = {_name(name): value for name, value in map(rendered, apply.headers)}
    if apply.bearer is not None:
        headers["authorization"] = f"Bearer {_text(apply.bearer.render(values, surroundings), 'token')}"
    secrets: tuple[str, ...] = ()
    if apply.basic is not None:
        user, password = (str(each.render(values, surroundings)) for each in apply.basic)
        secrets = (f"{user}:{password}",)
        headers["authorization"] = f"Basic {b64encode(secrets[0].encode()).decode()}"
    if apply.signed_with is not None:
        found = apply.signed_with.render(values, surroundings)
        headers |= _signature(found if isinstance(found, list) else [found], surroundings, body, key)
    return Shown(headers=headers, query=dict(map(rendered, apply.query)), secrets=secrets)


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Unbuildable(f"{name[:40]!r} is no name of a header")
    return name.lower()


def _text(value: object, name: str) -> str:
    """Give what a header can carry; the value itself is not shown."""
    text = str(value).strip()
    if not text or not _VALUE.fullmatch(text):
        raise Unbuildable(f"the {name} is empty, or has characters that no header can carry")
    return text


def _signature(secrets: list[Any], surroundings: Surroundings, body: bytes, key: str) -> dict[str, str]:
    try:
        signer = StandardSigner([Secret(str(each)) for each in secrets])
    except InvalidSecret as error:
        raise Unbuildable(str(error)) from None
    seconds = surroundings.now_ms // 1000
    return {
        "webhook-id": key,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signer.sign(key.encode(), seconds, body).decode(),
    }
