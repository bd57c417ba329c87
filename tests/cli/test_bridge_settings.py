"""Settings of bridges as they are typed: each gets the type that its kind wants."""

from __future__ import annotations

import click
import pytest

from bridge.smsgate.kind import KIND
from hub.cli.bridge_settings import read_pairs


def test_a_mapping_is_typed_as_pairs() -> None:
    found = read_pairs(KIND, ["sims=+15550100000=1,+15550100001=2", "poll_seconds=30", "ttl_seconds="])

    assert found == {
        "sims": {"+15550100000": 1, "+15550100001": 2},
        "poll_seconds": 30,
        "ttl_seconds": None,
    }


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(click.UsageError, match="'sims' cannot be"):
        read_pairs(KIND, ["sims=+15550100000=first"])
