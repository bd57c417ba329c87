"""API keys: make, find, rotate, revoke. The key itself is shown once; what is kept is its SHA-256.

A key has 190 random bits, so a slow hash would add nothing. Called by the REST surface and by `hub keys`.
Not here: who may do this (hub.api) and how often a key may ask (hub.api.ratelimit).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.model.dialect import NATIVE
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory
from hub.model.key import SCOPES, ApiKey

#: How the keys of a dialect begin; without any other, only our own.
NATIVE_PREFIXES: Final[Mapping[str, str]] = {NATIVE: "sk_live_"}
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LENGTH: Final = 32
#: The largest multiple of 62 in a byte: bytes from here on are drawn again, so no letter is likelier.
_FAIR: Final = 248
_FORM: Final = re.compile(r"(?:[a-z]{2,16}_){1,3}[0-9A-Za-z]{32}", re.ASCII)
_HINT_LENGTH: Final = 12
HOUR_MS: Final = 3_600_000
MOST_OVERLAP_HOURS: Final = 168


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyWish:
    """What a new key is to be able to do."""

    name: str
    scopes: frozenset[str]
    #: None for every line.
    line_ids: frozenset[int] | None = None
    #: None for the hub's limit.
    requests_per_hour: int | None = None
    #: Unix ms; None for never.
    expires_at: int | None = None
    #: Which wire its owner's client speaks.
    dialect: str = NATIVE


@dataclass(frozen=True, kw_only=True, slots=True)
class NewKey:
    """A key just made: the only moment at which its text is known."""

    key: ApiKey
    text: str = field(repr=False)


class KeyRing:
    """All API keys."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        new_id: IdFactory,
        random_bytes: Callable[[int], bytes],
        prefixes: Mapping[str, str] = NATIVE_PREFIXES,
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes
        self._prefixes = prefixes

    async def create(self, wish: KeyWish) -> NewKey:
        """Make a key.

        Raises:
            InvalidRequest: An unknown scope or dialect, no scope at all, or an end that has passed.
        """
        now = self._clock.now_ms()
        _check(wish, now)
        if wish.dialect not in self._prefixes:
            known = ", ".join(sorted(self._prefixes))
            message = f"There is no dialect '{wish.dialect[:64]}'; choose among {known}."
            raise InvalidRequest("invalid_parameter_value", message, param="dialect")
        text = draw_key(self._random_bytes, prefix=self._prefixes[wish.dialect])
        key = ApiKey(
            id=self._new_id(),
            name=wish.name,
            hint=text[:_HINT_LENGTH],
            scopes=wish.scopes,
            line_ids=wish.line_ids,
            requests_per_hour=wish.requests_per_hour,
            created_at=now,
            expires_at=wish.expires_at,
            revoked_at=None,
            dialect=wish.dialect,
        )
        await self._store.keys.add(key, digest=digest_of(text))
        return NewKey(key=key, text=text)

    async def find(self, text: str) -> ApiKey | None:
        """Find the key that a caller shows; None if it is none of ours. It may be revoked or expired."""
        return await self._store.keys.by_digest(digest_of(text)) if _FORM.fullmatch(text) else None

    async def get(self, key_id: int) -> ApiKey:
        key = await self._store.keys.get(key_id)
        if key is None:
            raise InvalidRequest("key_not_found", "Key not found.")
        return key

    async def page(self, *, after: int | None, limit: int) -> list[ApiKey]:
        return await self._store.keys.list(after=after, limit=limit)

    async def rotate(self, key_id: int, *, overlap_hours: float) -> NewKey:
        """Make a new key with the same rights; the old one ends after the overlap.

        Raises:
            InvalidRequest: No such key, or it is over already.
        """
        now = self._clock.now_ms()
        old = await self.get(key_id)
        if not is_live(old, now):
            raise InvalidRequest("key_not_found", "This key is revoked or expired; create a new one.")
        ends_at = now + int(overlap_hours * HOUR_MS)
        new = await self.create(
            KeyWish(
                name=old.name,
                scopes=old.scopes,
                line_ids=old.line_ids,
                requests_per_hour=old.requests_per_hour,
                expires_at=old.expires_at,
                dialect=old.dialect,
            )
        )
        if old.expires_at is None or ends_at < old.expires_at:
            await self._store.keys.expire(key_id, at=ends_at)
        return new

    async def revoke(self, key_id: int) -> ApiKey:
        """End a key now. Revoking it again changes nothing."""
        now = self._clock.now_ms()
        key = await self.get(key_id)
        if key.revoked_at is None:
            await self._store.keys.revoke(key_id, at=now)
            key = replace(key, revoked_at=now)
        return key


def is_live(key: ApiKey, now_ms: int) -> bool:
    """Tell whether a key may still be used."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now_ms)


def digest_of(text: str) -> bytes:
    """Give what is kept of a key."""
    return hashlib.sha256(text.encode()).digest()


def draw_key(random_bytes: Callable[[int], bytes], *, prefix: str) -> str:
    """Draw a key, every letter equally likely."""
    letters: list[str] = []
    while len(letters) < _LENGTH:
        letters += [_LETTERS[byte % len(_LETTERS)] for byte in random_bytes(_LENGTH) if byte < _FAIR]
    return prefix + "".join(letters[:_LENGTH])


def _check(wish: KeyWish, now: int) -> None:
    unknown = sorted(wish.scopes - set(SCOPES))
    if unknown or not wish.scopes:
        what = f"There is no scope '{unknown[0][:64]}'" if unknown else "A key needs at least one scope"
        raise InvalidRequest(
            "invalid_parameter_value", f"{what}; choose among {', '.join(SCOPES)}.", param="scopes"
        )
    if wish.expires_at is not None and wish.expires_at <= now:
        raise InvalidRequest(
            "invalid_parameter_value",
            "'expires_at' has passed; give a later time in Unix ms.",
            param="expires_at",
        )
