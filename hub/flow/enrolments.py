"""Enrol machines as bridges by a token that works once, for minutes: who sets up a Mac needs no API key on it.

The token is shown once and kept as its SHA-256; 190 random bits need no slow hash. What stands before its letters only
says where it comes from, and is not part of it. Not here: what the bridge tells then (hub.flow.ingest).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import Final

import structlog

from hub.flow.bootstrap import PUSH_KIND
from hub.flow.bridges import BridgeBook, NewBridge
from hub.flow.keys import digest_of, draw_key
from hub.flow.ports import Clock, WakeUps
from hub.flow.repositories import Store
from hub.model.enrolment import BridgeSystem, Enrolment
from hub.model.errors import InvalidRequest, StoreError
from hub.model.ids import IdFactory, Prefix, id_text
from hub.model.line import Bridge
from hub.model.webhook import StoredSecret
from hub.rules.signing import SECRET_BYTES_GENERATED, InvalidSecret, Secret

log = structlog.get_logger("bridges")

TOKEN_PREFIX: Final = "enrol_"  # noqa: S105 - how a token begins, not a token
MINUTE_MS: Final = 60_000
#: What ended so long ago is forgotten when another one is made.
KEPT_MS: Final = 30 * 86_400_000
_FORM: Final = re.compile(r"(?:[a-z]{2,16}_){1,3}([0-9A-Za-z]{32})", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEnrolment:
    """An enrolment just made: the only moment at which its token is known."""

    enrolment: Enrolment
    token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class EnrolmentWish:
    """What a machine shows to be enrolled."""

    token: str = field(repr=False)
    name: str | None
    #: One that the machine drew itself, so that it can ask again when the answer is lost.
    secret: str | None = field(repr=False)
    system: BridgeSystem | None


class EnrolmentDesk:
    """All enrolments."""

    def __init__(
        self,
        *,
        store: Store,
        bridges: BridgeBook,
        clock: Clock,
        new_id: IdFactory,
        random_bytes: Callable[[int], bytes],
        wake_ups: WakeUps,
    ) -> None:
        self._store = store
        self._bridges = bridges
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes
        self._wake_ups = wake_ups

    async def create(self, *, name: str | None, bridge_id: int | None, minutes: int) -> NewEnrolment:
        """Permit one machine to become a bridge, or to take over the one that is named.

        Raises:
            InvalidRequest: bridge_not_found or name_taken; invalid_parameter_value for a bridge that no machine can be.
        """
        if bridge_id is not None:
            name = _require_push(await self._bridges.get(bridge_id)).name
        elif name is not None:
            await self._bridges.require_free(name)
        now_ms = self._clock.now_ms()
        token = draw_key(self._random_bytes, prefix=TOKEN_PREFIX)
        enrolment = Enrolment(
            id=self._new_id(),
            name=name,
            bridge_id=bridge_id,
            created_at=now_ms,
            expires_at=now_ms + minutes * MINUTE_MS,
        )
        await self._store.enrolments.add(
            enrolment, digest=_digest(token) or b"", forget_before=now_ms - KEPT_MS
        )
        return NewEnrolment(enrolment=enrolment, token=token)

    async def page(self, *, after: int | None, limit: int) -> Sequence[Enrolment]:
        """Newest first."""
        return await self._store.enrolments.page(after=after, limit=limit)

    async def get(self, enrolment_id: int) -> Enrolment:
        """Find an enrolment.

        Raises:
            InvalidRequest: enrolment_not_found.
        """
        enrolment = await self._store.enrolments.get(enrolment_id)
        if enrolment is None:
            raise InvalidRequest("enrolment_not_found", "Enrolment not found.")
        return enrolment

    async def revoke(self, enrolment_id: int) -> None:
        """Forget an enrolment: its token opens nothing any more. A bridge that it made stays.

        Raises:
            InvalidRequest: enrolment_not_found.
        """
        if not await self._store.enrolments.delete(enrolment_id):
            raise InvalidRequest("enrolment_not_found", "Enrolment not found.")

    async def redeem(self, wish: EnrolmentWish) -> NewBridge:
        """Make a machine a bridge, once. Asking again with the same token and the same own secret gives it again.

        Raises:
            InvalidRequest: enrolment_refused, name_taken, missing_required_parameter for a name, or
                invalid_parameter_value for a secret that cannot sign. The token is not used up then.
        """
        now_ms = self._clock.now_ms()
        digest = _digest(wish.token)
        enrolment = None if digest is None else await self._store.enrolments.by_digest(digest)
        if enrolment is None:
            raise _refused("It is not known")
        if enrolment.expires_at <= now_ms:
            raise _refused("Its time is over")
        secret = self._secret(wish.secret)
        if enrolment.redeemed_at is not None:
            return await self._again(enrolment, wish)
        bridge = await self._bridge(enrolment, wish, secret)
        is_new = enrolment.bridge_id is None
        try:
            is_mine = await self._store.enrolments.redeem(enrolment.id, bridge, is_new=is_new, at=now_ms)
        except StoreError:
            await self._bridges.require_free(bridge.name, bridge.id)  # another caller took the name first
            raise
        if not is_mine:
            raise _refused("It has been used")
        self._wake_ups.configuration_changed()
        log.info("bridge.enrolled", bridge_id=id_text(Prefix.BRIDGE, bridge.id), is_new=is_new)
        return NewBridge(bridge=bridge, secret=secret)

    async def _bridge(self, enrolment: Enrolment, wish: EnrolmentWish, secret: str) -> Bridge:
        secrets = (StoredSecret(text=secret),)
        if enrolment.bridge_id is not None:
            known = await self._bridges.get(enrolment.bridge_id)
            system = wish.system or known.system
            # Whether the new machine asks for work, it tells by itself.
            return replace(known, secrets=secrets, system=system, is_enabled=True, agent=None)
        name = enrolment.name or wish.name
        if name is None:
            message = "The 'name' field is required: this enrolment leaves the name to you."
            raise InvalidRequest("missing_required_parameter", message, param="name")
        await self._bridges.require_free(name)
        return Bridge(
            id=self._new_id(),
            name=name,
            kind=PUSH_KIND,
            secrets=secrets,
            cursor=None,
            is_enabled=True,
            created_at=self._clock.now_ms(),
            system=wish.system,
        )

    async def _again(self, enrolment: Enrolment, wish: EnrolmentWish) -> NewBridge:
        """Answer a repeat by the machine that was enrolled: it alone knows the secret that it drew."""
        if wish.secret is not None and enrolment.bridge_id is not None:
            try:
                bridge = await self._bridges.get(enrolment.bridge_id)
            except InvalidRequest:
                raise _refused("Its bridge was deleted") from None
            newest = bridge.secrets[0].text
            if compare_digest(newest.encode(), wish.secret.encode()):
                return NewBridge(bridge=bridge, secret=newest)
        raise _refused("It has been used")

    def _secret(self, brought: str | None) -> str:
        if brought is None:
            return Secret.from_bytes(self._random_bytes(SECRET_BYTES_GENERATED)).text
        try:
            return Secret(brought).text
        except InvalidSecret as problem:
            message = f"{str(problem)[0].upper()}{str(problem)[1:]}."
            raise InvalidRequest("invalid_parameter_value", message, param="secret") from None


def _require_push(bridge: Bridge) -> Bridge:
    if bridge.kind != PUSH_KIND:
        message = f"'{bridge.name}' runs inside the hub ({bridge.kind}): no machine can take it over."
        raise InvalidRequest("invalid_parameter_value", message, param="bridge_id")
    return bridge


def _digest(token: str) -> bytes | None:
    """Give what is kept of a token; None for what cannot be one."""
    found = _FORM.fullmatch(token)
    return None if found is None else digest_of(found[1])


def _refused(why: str) -> InvalidRequest:
    message = f"The enrolment token opens nothing: {why[0].lower()}{why[1:]}. Ask for another one."
    return InvalidRequest("enrolment_refused", message, param="token")
