"""Open the kind of blob store that is set; the settings themselves are the caller's to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.store import S3Store

from hub.files.bucket import BucketBlobs

if TYPE_CHECKING:
    from obstore.store import S3Config

#: A store that is away is tried again for so long within one call.
RETRY_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class BucketAddress:
    """Which bucket, where, and as whom."""

    bucket: str
    #: Put before every name, so that others can use the bucket, too.
    prefix: str
    region: str
    #: Empty for Amazon's own.
    endpoint: str
    access_key: str
    #: Empty keys: the environment's or the machine's role.
    secret_key: str = field(repr=False)
    #: Whether the bucket stands before the host name; otherwise it begins the path.
    is_virtual_hosted: bool


def open_bucket(address: BucketAddress, *, request_timeout_seconds: float = 300.0) -> BucketBlobs:
    """Open a bucket; it is not asked before it is used."""
    config: S3Config = {
        "region": address.region,
        "virtual_hosted_style_request": address.is_virtual_hosted,
    }
    if address.endpoint:
        config["endpoint"] = address.endpoint
    if address.access_key:
        config |= {"access_key_id": address.access_key, "secret_access_key": address.secret_key}
    store = S3Store(
        address.bucket,
        prefix=address.prefix or None,
        config=config,
        client_options={
            "allow_http": address.endpoint.startswith("http://"),
            "timeout": timedelta(seconds=request_timeout_seconds),
            "connect_timeout": timedelta(seconds=10),
        },
        retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=RETRY_SECONDS)},
    )
    return BucketBlobs(store)
