"""One golden file: by hand what a network says, and beside it what the bridge makes of it.

`told` or `asked`, and `answered` of each exchange, are written by hand from the vendor's pages or from a capture. The
rest the test fills in with UPDATE_GOLDEN=1; whoever did that holds it against those pages.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

import msgspec

from hub.model.observation import Observation
from hub.model.outbox import OperationKind, OperationOutcome

FOLDER: Final = Path(__file__).parents[1] / "golden"
#: The outbox item of every operation in a golden file: its attempt id is always the same.
OUTBOX_ID: Final = 1_234_567_890_123_456
#: Ids that a fake network draws at random.
_DRAWN: Final = re.compile(r"\b[0-9A-F]{8}-(?:[0-9A-F]{4}-){3}[0-9A-F]{12}\b")


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the hub asks of the bridge."""

    kind: OperationKind
    #: As the outbox keeps it; `from` and `to` stand by themselves.
    payload: dict[str, Any] = {}


class Exchange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that the bridge asked of its network, and the answer."""

    asked: Any = None
    answered: Any = None


class Case(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A golden file."""

    about: str
    #: Where the network's words are from: the contract or the facts with their section, or "captured" with a date.
    source: str
    settings: dict[str, Any] = {}
    #: What the network tells, in its own form. Either this or `asked`.
    told: Any = None
    asked: Asked | None = None
    wire: tuple[Exchange, ...] = ()
    #: Of the answer to a webhook.
    status: int | None = None
    reason: str | None = None
    outcome: dict[str, Any] | None = None
    observations: tuple[dict[str, Any], ...] | None = None


def read_case(path: Path) -> Case:
    """Read a golden file."""
    return msgspec.json.decode(path.read_bytes(), type=Case)


def check(path: Path, actual: Case) -> None:
    """Hold what happened against a file; with UPDATE_GOLDEN write it first."""
    text = _DRAWN.sub("GUID", msgspec.json.format(msgspec.json.encode(actual), indent=2).decode()) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == text


def shown_observation(observation: Observation) -> dict[str, Any]:
    """Write an observation without what is empty, and without the cursor, which is the bridge's own affair."""
    found = _without_nothing(msgspec.to_builtins(observation))
    found.pop("cursor", None)
    assert isinstance(found, dict)
    return found


def shown_outcome(outcome: OperationOutcome) -> dict[str, Any]:
    """Write an outcome without what is empty."""
    found = _without_nothing(msgspec.to_builtins(outcome))
    assert isinstance(found, dict)
    return found


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nothing(each) for name, each in value.items() if each not in _NOTHING}
    return [_without_nothing(each) for each in value] if isinstance(value, list | tuple) else value


_NOTHING: Final[tuple[Any, ...]] = (None, False, 0, [], ())
