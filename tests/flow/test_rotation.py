"""A rotated secret leaves no moment in which the other side is deaf, and no third one alive."""

from __future__ import annotations

from hub.flow.rotation import rotated
from hub.model.webhook import StoredSecret

NOW = 1_800_000_000_000
HOUR_MS = 3_600_000


def test_the_old_secret_counts_for_the_overlap() -> None:
    secrets = rotated([StoredSecret(text="old")], "new", overlap_hours=1.5, now_ms=NOW)

    assert [(each.text, each.expires_at) for each in secrets] == [("new", None), ("old", NOW + 5_400_000)]


def test_the_one_before_the_old_one_ends() -> None:
    before = [StoredSecret(text="old"), StoredSecret(text="older", expires_at=NOW + HOUR_MS)]
    secrets = rotated(before, "new", overlap_hours=24, now_ms=NOW)

    assert [each.text for each in secrets] == ["new", "old"]


def test_without_overlap_the_old_one_ends_at_once() -> None:
    secrets = rotated([StoredSecret(text="old")], "new", overlap_hours=0, now_ms=NOW)

    assert [each.text for each in secrets] == ["new"]
