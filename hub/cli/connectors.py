"""hub connectors: which services the hub knows, and what routes can do with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from hub.cli.connections import load, print_json
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.rules.connectors.model import Action, AuthKind, Manifest

_REPEATED = {
    "safe": "safe to repeat",
    "keyed": "repeated under one key",
    "unsafe": "not repeated once it may have happened",
}


@click.group()
def connectors() -> None:
    """Connectors: list the services that routes can use, see what one can do."""


@connectors.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_connectors(settings: Settings, *, as_json: bool) -> None:
    """Show every connector, those of your own folder included, with its actions."""
    found = load(settings).manifests
    if as_json:
        print_json({"connectors": [_told(each) for each in _ordered(found)]})
        return
    for each in _ordered(found):
        click.echo(f"{each.id:14} {each.title:24} {', '.join(sorted(each.actions))}")


@connectors.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def show(settings: Settings, name: str, *, as_json: bool) -> None:
    """Show what the connector NAME needs, what it can do and with which inputs."""
    from hub.rules.problems import suggestion  # noqa: PLC0415

    found = load(settings).manifests
    if name not in found:
        near = suggestion(name, found)
        meant = f"; did you mean {near}?" if near else ". `hub connectors list` shows them."
        raise click.UsageError(f"No connector '{name}'{meant}")
    manifest = found[name]
    if as_json:
        print_json(_told(manifest))
        return
    click.echo(f"{manifest.title}  {manifest.docs}  (checked {manifest.checked})")
    for kind in manifest.auth.values():
        click.echo(f"\nauth: {kind.name}  {kind.title}")
        for field in kind.fields.values():
            marks = [
                word
                for word, holds in (("secret", field.is_secret), ("optional", not field.is_required))
                if holds
            ]
            told = f" ({', '.join(marks)})" if marks else ""
            click.echo(f"  {field.name:20} {field.title}{told}")
    for line in _variables(manifest):
        click.echo(line)
    for action in manifest.actions.values():
        click.echo(f"\n{manifest.id}.{action.name}  {action.title}  ({_REPEATED[action.repetition]})")
        for line in _inputs(action):
            click.echo(f"  {line}")
        click.echo(f"  gives {', '.join(action.sample) or 'nothing'}")


def _variables(manifest: Manifest) -> list[str]:
    lines = ["\nvars"] if manifest.vars else []
    for name, default in manifest.vars.items():
        told = "required" if default is None else f"optional, {default}" if default != "" else "optional"
        lines.append(f"  {name:20} {told}")
    return lines


def _inputs(action: Action) -> list[str]:
    schema = action.schema
    lines = []
    for name, each in schema.properties.items():
        kind = each.format or " or ".join(each.kinds) or "anything"
        mark = "required" if name in schema.required else "optional"
        lines.append(f"{name:20} {kind:16} {mark}")
    for_any = " or ".join(" and ".join(group) for group in schema.any_of)
    return [*lines, f"one of them is needed: {for_any}"] if for_any else lines


def _ordered(found: Mapping[str, Manifest]) -> list[Manifest]:
    return [each for _, each in sorted(found.items())]


def _told(manifest: Manifest) -> dict[str, Any]:
    return {
        "id": manifest.id,
        "title": manifest.title,
        "docs": manifest.docs,
        "checked": manifest.checked,
        "auth": {name: _kind(each) for name, each in manifest.auth.items()},
        "vars": dict(manifest.vars),
        "actions": {
            name: {
                "title": each.title,
                "kind": each.kind,
                "repetition": each.repetition,
                "inputs": each.inputs,
                "sample": each.sample,
                "docs": each.docs,
                "checked": each.checked,
            }
            for name, each in manifest.actions.items()
        },
    }


def _kind(kind: AuthKind) -> dict[str, Any]:
    return {
        "title": kind.title,
        "can_be_tested": kind.probe is not None,
        "fields": {
            field.name: {"title": field.title, "secret": field.is_secret, "required": field.is_required}
            for field in kind.fields.values()
        },
    }
