"""The registry of kinds: light until one is asked for, and each fit to be set up by people."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from bridge.registry import KINDS
from hub.api.bridge_kinds import kind_fields
from hub.api.field_docs import field_descriptions
from hub.cli.bridge_settings import described


def test_the_registry_is_alphabetical_and_names_are_those_of_the_kinds() -> None:
    assert list(KINDS) == sorted(KINDS)
    assert {name: kind.name for name, kind in KINDS.items()} == {name: name for name in KINDS}


@pytest.mark.parametrize("name", list(KINDS))
def test_each_setting_says_what_it_is_for(name: str) -> None:
    kind, fields = KINDS[name], msgspec.structs.fields(KINDS[name].settings)
    names = {field.encode_name for field in fields}

    assert field_descriptions(kind.settings).keys() == names
    assert kind.secret_settings <= names
    assert kind.machine_settings <= names
    paths = {field.encode_name for field in fields if str(field.default).startswith(("/", "~"))}
    assert paths <= kind.machine_settings
    assert kind.settings.__struct_config__.forbid_unknown_fields
    assert kind.title
    shown = kind_fields(kind).settings_schema
    assert shown["properties"].keys() == names
    assert all(each.get("description") for each in shown["properties"].values())
    assert len(list(described(kind))) == 2 * len(names)


@pytest.mark.parametrize("name", list(KINDS))
def test_each_kind_can_be_examined(name: str) -> None:
    assert KINDS[name].examine is not None


def test_no_kind_is_loaded_before_it_is_asked_for() -> None:
    program = (
        "import sys, bridge.registry\n"
        "print([name for name in sys.modules if name.startswith('bridge.') and not name.startswith("
        "('bridge.registry', 'bridge.sandbox'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "[]"
