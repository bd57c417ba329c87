"""What an action shows as an example is taken as it is written: checks before a run refuse nothing that works."""

from __future__ import annotations

import pytest

from hub.actions.registry import BUILT_INS
from hub.config.connectors import shipped_manifests
from hub.connectors.catalogue import catalogue
from hub.model.actions import ActionSpec
from hub.rules.routes.literals import check_literals, input_schema_of

SPECS = [*(each.spec() for each in BUILT_INS), *catalogue(shipped_manifests(), {}).specs.values()]


@pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
def test_examples_of_inputs_are_taken(spec: ActionSpec) -> None:
    whole = spec.inputs.get("examples", [])
    schema = input_schema_of(spec)

    assert schema is not None
    assert [str(each) for given in whole for each in check_literals(spec, given, "")] == []
    for name, field in spec.inputs.get("properties", {}).items():
        for value in field.get("examples", []):
            told = [str(each) for each in check_literals(spec, {name: value}, "") if each.pointer]
            assert told == []


@pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
def test_templates_are_taken_for_anything(spec: ActionSpec) -> None:
    given = dict.fromkeys(spec.inputs.get("properties", {}), "{{ event.text }}")

    assert [str(each) for each in check_literals(spec, given, "")] == []
