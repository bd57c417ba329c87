"""The ids that the simulated network gives: each follows from what it names, so telling again gives the same."""

from __future__ import annotations

import uuid
from typing import Final

_NETWORK: Final = uuid.UUID("8d5fb1a6-58c9-4f5e-9d0e-3a1c5b5ad0b0")


def guid_for(seed: str) -> str:
    """Give the network's id of what came of an attempt id (or of any other seed)."""
    return str(uuid.uuid5(_NETWORK, seed)).upper()


def group_key_for(attempt_id: str) -> str:
    """Give the key of the group that an attempt made."""
    return f"chat{uuid.uuid5(_NETWORK, f'{attempt_id}:group').int % 10**18:018d}"


def option_id(index: int) -> str:
    """Give the id of a poll's option by its place."""
    return f"opt-{index + 1}"
