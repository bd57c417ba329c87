"""What can go wrong with kept bytes.

HubError (hub.model.errors)
├── BlobMissing         the bytes are not where they should be
└── StoreUnavailable
    └── BlobStoreAway   the disk is full or broken, the bucket cannot be reached or refuses us
"""

from __future__ import annotations

from hub.model.errors import BlobMissing, StoreUnavailable

__all__ = ["BlobMissing", "BlobStoreAway"]


class BlobStoreAway(StoreUnavailable):
    """The bytes could not be kept or read just now."""
