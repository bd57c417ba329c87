"""Decide what a request with an idempotency key gets: done anew, the stored answer, or a refusal.

The key is the caller's promise that a repeat means the same request, so the request itself is remembered with
it: a key that comes back with other contents is a mistake, told as a conflict rather than answered wrongly.
Not here: the unique constraint that lets one of two simultaneous requests win (the store), and the answers' HTTP.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Final

from hub.rules.problems import Problem

LONGEST_KEY: Final = 255

_KEY: Final = re.compile(r"[!-~]{1,255}", re.ASCII)
_HASH_VERSION: Final = b"hub-request-1"


def validate_key(text: str) -> str | Problem:
    """Return the key, or what is wrong with it. Kept exactly as given: keys differ by case."""
    if _KEY.fullmatch(text) is not None:
        return text
    return Problem(
        pointer="",
        what="this idempotency key cannot be used",
        why=f"a key has 1 to {LONGEST_KEY} visible ASCII characters and no blank",
        fix="Use a UUID, drawn once for each thing you want done",
    )


def hash_request(*, method: str, path: str, canonical_body: bytes) -> bytes:
    """Return 32 bytes that differ whenever the request asks for something else.

    Args:
        method: upper case.
        path: without host and query; after the dialect's spelling has been taken off.
        canonical_body: the decoded body in one fixed spelling, so that key order and blanks do not count.
    """
    digest = sha256(_HASH_VERSION)
    for part in (method.encode(), path.encode("utf-8", "surrogatepass"), canonical_body):
        digest.update(b"%d:" % len(part))  # lengths keep ("ab", "c") and ("a", "bc") apart
        digest.update(part)
    return digest.digest()


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRecord:
    """What the store knows of a key."""

    request_hash: bytes
    #: As it was kept: None while the first request is still being worked on, empty when it was done and its answer
    #: could not be kept.
    answer: bytes | None
    #: Unix ms after which nobody works on a request without an answer any more: whoever did has died.
    lease_until_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class New:
    """Nobody has done it: do it, and keep the answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """It was done: give the same answer again and do nothing."""

    answer: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """The key belongs to another request: 409."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StillRunning:
    """The same request is being worked on: 409, to be asked again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """It was begun, and nobody can say what was answered: 409. Doing it again could do it twice."""


Admission = New | Replay | Conflict | StillRunning | Lost


def admit_request(record: KeyRecord | None, *, request_hash: bytes, now_ms: int) -> Admission:
    """Say what a request gets, given what is known of its key. The rows are tried from the top.

    | the key's record             | the request is | it gets       |
    |------------------------------|----------------|---------------|
    | none                         | any            | New           |
    | there                        | another        | Conflict      |
    | with an answer               | the same       | Replay        |
    | with an answer that is lost  | the same       | Lost          |
    | no answer, lease still on    | the same       | StillRunning  |
    | no answer, lease over        | the same       | Lost          |
    """
    if record is None:
        return New()
    if not compare_digest(record.request_hash, request_hash):
        return Conflict()
    if record.answer:
        return Replay(answer=record.answer)
    if record.answer is None and now_ms < record.lease_until_ms:
        return StillRunning()
    return Lost()
