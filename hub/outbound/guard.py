"""Which addresses a target may be dialled at, now: resolve once, refuse if any answer is not allowed.

What is returned is what is dialled, so nothing can change between check and connect (rebinding). Answers are
believed for a short while; each time they are fetched anew they are checked anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from hub.outbound.errors import OutboundCode, OutboundError
from hub.outbound.limits import OutboundLimits
from hub.outbound.messages import Target
from hub.outbound.resolver import NameNotResolvedError, Resolver
from hub.rules.egress import ALLOW_SETTING, EgressPolicy, check_address


@dataclass(frozen=True, kw_only=True, slots=True)
class _Failure:
    code: OutboundCode
    detail: str
    is_ours: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Verdict:
    found: tuple[str, ...] | _Failure
    until: float


class AddressGuard:
    """Vets targets against one policy."""

    def __init__(
        self, policy: EgressPolicy, *, resolver: Resolver, limits: OutboundLimits, clock: Callable[[], float]
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._limits = limits
        self._clock = clock
        # Plain http asks more of an address than https, hence the flag beside the name.
        self._verdicts: dict[tuple[str, bool], _Verdict] = {}
        self._lookups: dict[str, asyncio.Task[tuple[str, ...] | _Failure]] = {}

    def use_policy(self, policy: EgressPolicy) -> None:
        """Judge by another policy from now on."""
        self._policy = policy
        self._verdicts.clear()

    def known_addresses(self, target: Target, now: float) -> tuple[str, ...] | None:
        """Return the addresses vetted a moment ago, None when they have to be asked for."""
        if target.literal is not None:
            return (target.literal,)
        verdict = self._verdicts.get((target.host, target.needs_listed_address))
        if verdict is None or verdict.until <= now or isinstance(verdict.found, _Failure):
            return None
        return verdict.found

    async def addresses(self, target: Target, *, timeout_seconds: float) -> tuple[str, ...]:
        """Return every address of the target, all allowed, best first.

        Raises:
            OutboundError: dns_failed, or address_refused if a single one is not allowed.
        """
        known = self.known_addresses(target, self._clock())
        if known is not None:
            return known
        key = (target.host, target.needs_listed_address)
        verdict = self._verdicts.get(key)
        if verdict is None or verdict.until <= self._clock():
            found = await self._look_up(target.host, timeout_seconds)
            verdict = self._remember(
                key, found if isinstance(found, _Failure) else self._judge(target, found)
            )
        if isinstance(verdict.found, _Failure):
            raise OutboundError(verdict.found.code, verdict.found.detail, is_ours=verdict.found.is_ours)
        return verdict.found

    def close(self) -> None:
        """Give up look-ups that are still running."""
        for lookup in self._lookups.values():
            lookup.cancel()

    async def _look_up(self, host: str, timeout_seconds: float) -> tuple[str, ...] | _Failure:
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = asyncio.ensure_future(self._ask_resolver(host))
            lookup.add_done_callback(lambda _: self._lookups.pop(host, None))
        # Shielded: others may be waiting for the same name. Not remembered on time-out: it may still answer.
        done, _ = await asyncio.wait({lookup}, timeout=max(timeout_seconds, 0.0))
        if not done or lookup.cancelled():
            raise OutboundError(OutboundCode.DNS_FAILED, f"the name {host} could not be looked up in time")
        return lookup.result()

    async def _ask_resolver(self, host: str) -> tuple[str, ...] | _Failure:
        try:
            answers = await self._resolver.addresses(host)
        except NameNotResolvedError as error:
            why = "could not be looked up" if error.is_ours or error.is_temporary else "does not exist"
            return _Failure(
                code=OutboundCode.DNS_FAILED, detail=f"the name {host} {why}", is_ours=error.is_ours
            )
        if not answers:
            return _Failure(code=OutboundCode.DNS_FAILED, detail=f"the name {host} has no address")
        return answers

    def _judge(self, target: Target, answers: tuple[str, ...]) -> tuple[str, ...] | _Failure:
        for address in answers:
            refusal = check_address(
                address,
                self._policy,
                is_host_allowed=target.is_host_allowed,
                needs_listed=target.needs_listed_address,
            )
            if refusal is not None:
                # The address itself stays untold: it would map the operator's network for whoever asks.
                return _Failure(
                    code=OutboundCode.ADDRESS_REFUSED,
                    detail=f"{target.host} leads to an address that may not be called; to deliver there add the "
                    f"host or its network to {ALLOW_SETTING} in hub.yaml",
                )
        return answers

    def _remember(self, key: tuple[str, bool], found: tuple[str, ...] | _Failure) -> _Verdict:
        now = self._clock()
        if len(self._verdicts) >= self._limits.max_names:
            self._verdicts = {k: v for k, v in self._verdicts.items() if v.until > now}
            if len(self._verdicts) >= self._limits.max_names:
                self._verdicts.clear()
        is_failure = isinstance(found, _Failure)
        seconds = self._limits.dns_failure_ttl_seconds if is_failure else self._limits.dns_ttl_seconds
        verdict = self._verdicts[key] = _Verdict(found=found, until=now + seconds)
        return verdict
