"""Everything that steps may `use`, without a hub: known, checked and shown, never done. No secret is read.

The one place that says what there is for `hub check`, `hub try`, `hub test` and `hub schema`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.actions.inputs import read_inputs
from hub.actions.registry import BUILT_INS
from hub.config.declared_connections import declared_connections
from hub.config.problems import Problem
from hub.config.settings import Settings
from hub.connectors.catalogue import catalogue
from hub.connectors.previewing import preview
from hub.model.actions import ActionCall, ActionFailed, ActionSpec
from hub.rules.connectors.connections import Connection, ConnectionWish
from hub.rules.connectors.inputs import fit
from hub.rules.connectors.model import FieldSpec, Manifest
from hub.rules.connectors.secrets import COVER, SecretText
from hub.rules.expressions.frame import Surroundings

_BUILT_INS = {each.name: each for each in BUILT_INS}


@dataclass(frozen=True, kw_only=True, slots=True)
class OfflineActions:
    """All actions, and the connections that are set up."""

    specs: Mapping[str, ActionSpec]
    #: The connector of each connection.
    connections: Mapping[str, str]
    #: The names of inbound sources.
    sources: frozenset[str]
    #: What is wrong with connections.yaml and with connectors of the operator's own.
    problems: tuple[Problem, ...]
    _manifests: Mapping[str, Manifest]
    _declared: Mapping[str, Connection]

    def check_inputs(self, name: str, inputs: Mapping[str, Any]) -> None:
        """Read rendered inputs as the action would.

        Raises:
            ActionFailed: `invalid`: they do not fit.
        """
        if name in _BUILT_INS:
            read_inputs(_BUILT_INS[name].inputs, inputs)
            return
        connector, _, action = name.partition(".")
        fitted = fit(self._manifests[connector].actions[action].schema, inputs)
        if isinstance(fitted, list):
            raise ActionFailed("invalid", " ".join(str(each) for each in fitted))

    def preview(self, call: ActionCall, *, now_ms: int) -> list[str]:
        """Tell which requests it would make, with secrets covered.

        Raises:
            ActionFailed: Its inputs do not fit.
        """
        if call.name in _BUILT_INS:
            action = _BUILT_INS[call.name]
            return [action.preview(call, read_inputs(action.inputs, call.inputs))]
        connector, _, name = call.name.partition(".")
        manifest = self._manifests[connector]
        own = [each for each in self._declared.values() if each.manifest.id == connector]
        chosen = self._declared.get(call.connection or "") or next(iter(own), _imagined(manifest))
        return preview(chosen, manifest.actions[name], call, Surroundings(now_ms=now_ms))


def offline_actions(settings: Settings) -> OfflineActions:
    """Read what the settings name: connections.yaml and the folder of connectors."""
    declared = declared_connections(settings.connections_file, settings.connectors_folder)
    named = {wish.name: _covered(wish) for wish in declared.connections}
    known = catalogue(declared.manifests, named)
    return OfflineActions(
        specs={**known.specs, **{name: each.spec() for name, each in _BUILT_INS.items()}},
        connections={name: each.manifest.id for name, each in known.connections.items()},
        sources=declared.sources,
        problems=declared.problems,
        _manifests=declared.manifests,
        _declared=known.connections,
    )


def _covered(wish: ConnectionWish) -> Connection:
    fields = {
        name: _value(wish.auth.fields[name], given if isinstance(given, str) else None)
        for name, given in wish.fields.items()
    }
    return Connection(name=wish.name, manifest=wish.manifest, auth=wish.auth, fields=fields, vars=wish.vars)


def _imagined(manifest: Manifest) -> Connection:
    """Stand in for a connection that nobody has set up yet."""
    auth = next(iter(manifest.auth.values()))
    fields = {name: _value(spec, spec.default or spec.example or name) for name, spec in auth.fields.items()}
    given = {name: name if value is None else value for name, value in manifest.vars.items()}
    return Connection(name=manifest.id, manifest=manifest, auth=auth, fields=fields, vars=given)


def _value(spec: FieldSpec, given: str | None) -> str | SecretText | tuple[SecretText, ...]:
    if not spec.is_secret:
        return given or spec.example or spec.name
    return (SecretText(COVER),) if spec.is_list else SecretText(COVER)
