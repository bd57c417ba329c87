"""The table of connectors in docs/reference, from their manifests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from hub.rules.connectors.model import Manifest

_INTRODUCTION: Final = """# Connectors

Generated from the manifests (`scripts/docs`). What each needs to be set up stands in its README; how connections are
made, in [connectors](../connectors.md). "Checked" is the day on which somebody held the manifest against the provider's
documentation. Inputs that are required stand in `code`.

| connector | service | ways to be known | actions | checked |
|---|---|---|---|---|
"""
_REPEATED: Final = {"safe": "yes", "keyed": "under one key", "unsafe": "not once it may have happened"}


def connectors_markdown(manifests: Iterable[Manifest]) -> str:
    """Render every connector, in the order of the alphabet."""
    found = sorted(manifests, key=lambda each: each.id)
    rows = [
        f"| [`{each.id}`](#{each.id}) | [{each.title}]({each.docs}) | {', '.join(each.auth)} | {len(each.actions)} "
        f"| {each.checked} |\n"
        for each in found
    ]
    return "".join([_INTRODUCTION, *rows, *(line for each in found for line in _described(each))])


def _described(manifest: Manifest) -> Iterator[str]:
    told = (manifest.description or manifest.title).rstrip(".")
    yield f"\n## {manifest.id}\n\n{told}. [Set-up](../../connectors/{manifest.id}/README.md).\n\n"
    yield "| action | what it does | inputs | gives | repeated |\n|---|---|---|---|---|\n"
    for action in manifest.actions.values():
        names = [
            f"`{name}`" if name in action.schema.required else f"{name}" for name in action.schema.properties
        ]
        yield (
            f"| `{manifest.id}.{action.name}` | [{action.title}]({action.docs}) | {', '.join(names)} "
            f"| {', '.join(action.sample)} | {_REPEATED[action.repetition]} |\n"
        )
