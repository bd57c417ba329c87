"""The connectors and connections that there are now: replaced as a whole when their files change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.model.actions import ActionSpec
from hub.rules.connectors.connections import Connection
from hub.rules.connectors.model import Manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class Catalogue:
    """What is there."""

    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    connections: Mapping[str, Connection] = field(default_factory=dict)
    specs: Mapping[str, ActionSpec] = field(default_factory=dict)


def catalogue(manifests: Mapping[str, Manifest], connections: Mapping[str, Connection]) -> Catalogue:
    """Make a catalogue; a connector that can do without credentials has a connection of its own name."""
    free = {
        each.id: Connection(
            name=each.id, manifest=each, auth=each.auth["none"], fields={}, vars=dict(each.vars)
        )
        for each in manifests.values()
        if "none" in each.auth and None not in each.vars.values()
    }
    return Catalogue(
        manifests=dict(manifests),
        connections={**free, **connections},
        specs={
            f"{each.id}.{name}": spec_of(each, name) for each in manifests.values() for name in each.actions
        },
    )


def spec_of(manifest: Manifest, name: str) -> ActionSpec:
    """Give an action as routes know it."""
    action = manifest.actions[name]
    return ActionSpec(
        name=f"{manifest.id}.{name}",
        title=action.title,
        kind=action.kind,
        repetition=action.repetition,
        inputs=action.inputs,
        sample=action.sample,
        description=action.description,
        connector=None if action.connection is not None else manifest.id,
    )
