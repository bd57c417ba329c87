"""The tests that stand after `is`."""

from __future__ import annotations

from typing import Final

from hub.rules.condition_paths import MISSING
from hub.rules.expressions.offered import Check
from hub.rules.expressions.values import is_number

#: Alphabetical.
CHECKS: Final = {
    each.name: each
    for each in (
        Check(name="boolean", summary="It is true or false.", holds=lambda value: isinstance(value, bool)),
        Check(
            name="defined",
            summary="It is there, perhaps null. Only the last name of a path may be missing.",
            holds=lambda value: value is not MISSING,
            takes_missing=True,
        ),
        Check(name="false", summary="It is false, and not merely empty.", holds=lambda value: value is False),
        Check(
            name="float", summary="It is a number with decimals.", holds=lambda value: type(value) is float
        ),
        Check(name="integer", summary="It is a whole number.", holds=lambda value: type(value) is int),
        Check(name="list", summary="It is a list.", holds=lambda value: isinstance(value, list)),
        Check(name="mapping", summary="It is a map.", holds=lambda value: isinstance(value, dict)),
        Check(name="none", summary="It is null.", holds=lambda value: value is None),
        Check(name="number", summary="It is a number.", holds=is_number),
        Check(name="string", summary="It is text.", holds=lambda value: isinstance(value, str)),
        Check(
            name="true", summary="It is true, and not merely something.", holds=lambda value: value is True
        ),
        Check(
            name="undefined",
            summary="It is missing.",
            holds=lambda value: value is MISSING,
            takes_missing=True,
        ),
    )
}
