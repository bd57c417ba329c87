"""The settings of bridges as their owners write and read them: checked against their kind, secrets never shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from hub.flow.bridge_kinds import BridgeKind
from hub.model.errors import InvalidRequest
from hub.rules.problems import suggestion

#: Stands for a secret in what is shown; given back, it means: as it is.
MASK: Final = "********"


def read_settings(
    kind: BridgeKind, given: Mapping[str, object], *, machine_values: Collection[str] | None = frozenset()
) -> Any:
    """Give the settings as the kind's struct.

    Args:
        kind: Of the bridge.
        given: By name.
        machine_values: What machine settings may be, beside their defaults; None: anything, where the settings
            themselves stand in a file of the machine's owner.

    Raises:
        InvalidRequest: missing_required_parameter or invalid_parameter_value; the param names the setting.
    """
    names = [field.encode_name for field in msgspec.structs.fields(kind.settings)]
    for name in given:
        if name not in names:
            near = suggestion(name, tuple(names))
            meant = f" Did you mean '{near}'?" if near else f" There are: {', '.join(names)}."
            raise InvalidRequest(
                "invalid_parameter_value",
                f"A bridge of the kind '{kind.name}' has no setting '{name}'.{meant}",
                param=f"settings.{name}",
            )
    for field in msgspec.structs.fields(kind.settings):
        if field.required and given.get(field.encode_name) is None:
            raise InvalidRequest(
                "missing_required_parameter",
                f"A bridge of the kind '{kind.name}' needs the setting '{field.encode_name}'.",
                param=f"settings.{field.encode_name}",
            )
    if machine_values is not None:
        _require_owners_choice(kind, given, machine_values)
    try:
        return msgspec.convert(dict(given), kind.settings)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        name = path.rstrip("`").lstrip(".")
        param = f"settings.{name}" if name else "settings"
        raise InvalidRequest("invalid_parameter_value", f"{what}.", param=param) from None


def _require_owners_choice(
    kind: BridgeKind, given: Mapping[str, object], machine_values: Collection[str]
) -> None:
    for field in msgspec.structs.fields(kind.settings):
        name = field.encode_name
        value = given.get(name)
        if name in kind.machine_settings and value not in (None, field.default, *machine_values):
            raise InvalidRequest(
                "invalid_parameter_value",
                f"The setting '{name}' names something of the machine that the bridge runs on: only who owns it "
                "chooses. To allow another value than the default, its owner adds it to bridge.machine_values in "
                "hub.yaml.",
                param=f"settings.{name}",
            )


def merged(
    kind: BridgeKind,
    before: Mapping[str, object],
    changes: Mapping[str, object],
    *,
    machine_values: Collection[str] = frozenset(),
) -> dict[str, object]:
    """Apply changes: null takes a setting away, a masked secret stays as it is.

    Raises:
        InvalidRequest: As `read_settings`.
    """
    after = dict(before)
    for name, value in changes.items():
        if name in kind.secret_settings and value == MASK and name in before:
            continue
        if value is None:
            after.pop(name, None)
        else:
            after[name] = value
    read_settings(kind, after, machine_values=machine_values)
    return after


def shown(kind: BridgeKind | None, settings: Mapping[str, object]) -> dict[str, object]:
    """Give the settings without what is secret; of a kind that this hub does not know, their names alone."""
    if kind is None:
        return dict.fromkeys(settings, MASK)
    return {name: MASK if name in kind.secret_settings else value for name, value in settings.items()}
