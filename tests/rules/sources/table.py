"""The table of sources in docs/inbound-sources.md, from the definitions."""

from __future__ import annotations

from hub.config.shipped_sources import shipped_sources
from hub.rules.routes.document import Reading
from hub.rules.sources.model import Check, Definition
from hub.rules.sources.reading import read_definition


def table() -> str:
    """Give the table, with the blank lines around it."""
    rows = []
    for name, document in shipped_sources().items():
        definition = read_definition(Reading(), name, document)
        assert definition is not None
        rows.append(
            f"| `{name}` | [{definition.title}]({definition.docs}) | {_proof(definition.check)} "
            f"| {_more(definition)} |\n"
        )
    return "\n| `verify` | service | proof | |\n|---|---|---|---|\n" + "".join(rows) + "\n"


def _proof(check: Check) -> str:
    match check.kind:
        case "static":
            return f"the secret itself ({check.variant})"
        case "python":
            return f"its own ({check.variant})"
        case "public_key":
            proof = f"{check.variant} signature"
        case "hash":
            proof = f"{check.variant} with the secret"
        case _:
            proof = f"HMAC-{check.variant.upper()}"
    stamp = check.timestamp
    return proof if stamp is None else f"{proof}, within {stamp.tolerance_ms // 60_000} min"


def _more(definition: Definition) -> str:
    found = []
    if definition.check.uses_url:
        found.append("signs the URL")
    if any(part.each is not None for part in definition.parts):
        found.append("several events in a request")
    if definition.handshakes:
        found.append("handshake")
    if definition.wants_token:
        found.append("needs `verify_token`")
    if definition.is_secret_learned:
        found.append("tells its secret itself")
    if definition.note:
        found.append(definition.note)
    return "; ".join(found)
