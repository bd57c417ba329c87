"""Try a store of files as files are kept: put a few bytes, read them back, list, delete; say what to do if that fails.

What is tried is named like any blob: left behind by a crash, it goes with the strays (hub.flow.file_cleanup).
"""

from __future__ import annotations

import errno
import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

from hub.files.faults import BlobMissing, BlobStoreAway
from hub.flow.file_store import BlobStore
from hub.model.file import Blob

_ID_BITS: Final = 62
_OTHER_BYTES: Final = "What came back is not what was written"
#: What S3-compatible stores, and obstore about them, are known to say, and what helps. The first that fits counts.
_BUCKET_ADVICE: Final = (
    (
        "SignatureDoesNotMatch",
        "The secret is not that of files.s3_access_key: correct files.s3_secret_key (or _file).",
    ),
    ("InvalidAccessKeyId", "The store does not know files.s3_access_key: correct it, and its secret."),
    ("InvalidToken|ExpiredToken", "The environment's key has expired: renew it, or set files.s3_access_key."),
    (
        "//169\\.254\\.",
        "No key is set, and this machine has no role: set files.s3_access_key and its secret.",
    ),
    (_OTHER_BYTES, "Check what stands between the hub and the store: nothing may change bytes on their way."),
    ("NoSuchBucket", "Make the bucket, or correct files.s3_bucket."),
    (
        "PermanentRedirect|AuthorizationHeaderMalformed|configured region",
        "The bucket is in another region: correct files.s3_region.",
    ),
    ("RequestTimeTooSkewed", "This machine's clock is wrong: set it."),
    (
        "AccessDenied|Forbidden|Unauthorized|necessary privileges",
        "Allow the key s3:PutObject, s3:GetObject, s3:DeleteObject and s3:AbortMultipartUpload on what is in the "
        "bucket below files.s3_prefix, and s3:ListBucket on the bucket.",
    ),
)
_BUCKET_OTHERWISE: Final = (
    "Check that files.s3_endpoint and files.s3_region are right, and that the store runs and can be reached."
)
_FOLDER_ADVICE: Final = {
    errno.EACCES: "Let the user that runs the hub write there.",
    errno.EDQUOT: "Free some space, or raise that user's quota.",
    errno.EEXIST: "Move away what stands there: it must be a folder.",
    errno.ENOSPC: "Free some space.",
    errno.ENOTDIR: "Move away what stands there: it must be a folder.",
    errno.EPERM: "Let the user that runs the hub write there.",
    errno.EROFS: "Mount it so that it can be written.",
}
_FOLDER_OTHERWISE: Final = "Check that the disk is there and well."


async def probe(blobs: BlobStore, advise: Callable[[BaseException], str]) -> str | None:
    """Try a store; give what cannot be done first, why, and what to do, or None.

    Args:
        advise: Gives what to do about what the store itself said.
    """
    content = secrets.token_bytes(32)
    blob = Blob(id=secrets.randbits(_ID_BITS), digest=hashlib.sha256(content).digest(), size=len(content))
    steps: dict[str, Callable[[], Awaitable[None]]] = {
        "written": lambda: _put(blobs, blob.name, content),
        "read": lambda: _read(blobs, blob.name, content),
        "listed": lambda: _list(blobs),
        # Whatever became of the others: nothing is to stay.
        "deleted": lambda: blobs.delete(blob.name),
    }
    fault: str | None = None
    for what, step in steps.items():
        try:
            await step()
        except (BlobMissing, BlobStoreAway) as error:
            helps = advise(error.__cause__ or error)
            fault = fault or f"A trial file could not be {what}. {error}. {helps}"
            if what == "written":
                break
    return fault


async def _put(blobs: BlobStore, name: str, content: bytes) -> None:
    async with blobs.draft() as draft:
        await draft.write(content)
        await draft.keep(name)


async def _read(blobs: BlobStore, name: str, content: bytes) -> None:
    found = b"".join([piece async for piece in blobs.read(name)])
    if found != content:
        raise BlobStoreAway(f"{_OTHER_BYTES}: {len(found)} bytes of {len(content)}")


async def _list(blobs: BlobStore) -> None:
    async for _ in blobs.list():
        return


def bucket_advice(said: BaseException) -> str:
    """Give what to do about what a bucket's store said."""
    text = str(said)
    found = (advice for signs, advice in _BUCKET_ADVICE if re.search(signs, text))
    return next(found, _BUCKET_OTHERWISE)


def folder_advice(said: BaseException) -> str:
    """Give what to do about what a disk said."""
    number = said.errno if isinstance(said, OSError) else None
    return _FOLDER_ADVICE.get(number or 0, _FOLDER_OTHERWISE)
