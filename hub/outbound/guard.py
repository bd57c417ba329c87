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

#: Behind a proxy the machine often cannot resolve public names at all; do not wait long to find out.
_LOOK_UP_BESIDE_PROXY_SECONDS = 2.0


_VerdictKey = tuple[str, bool, int]


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
        self,
        policy: EgressPolicy,
        *,
        resolver: Resolver,
        limits: OutboundLimits,
        clock: Callable[[], float],
        proxy_host: str | None = None,
    ) -> None:
        """Make a guard.

        Args:
            policy: Who may be called.
            resolver: Where addresses come from.
            limits: How long answers are believed.
            clock: Monotonic seconds.
            proxy_host: Dialled in place of every address; names that only the proxy can resolve then pass.
        """
        self._policy = policy
        self._resolver = resolver
        self._limits = limits
        self._clock = clock
        self._proxy_hosts = None if proxy_host is None else (proxy_host,)
        self._verdicts: dict[_VerdictKey, _Verdict] = {}
        self._lookups: dict[str, asyncio.Task[tuple[str, ...] | _Failure]] = {}

    def use_policy(self, policy: EgressPolicy) -> None:
        """Judge by another policy from now on."""
        self._policy = policy
        self._verdicts.clear()

    def known_addresses(self, target: Target, now: float) -> tuple[str, ...] | None:
        """Return the addresses vetted a moment ago, None when they have to be asked for."""
        if target.literal is not None:
            return self._proxy_hosts or (target.literal,)
        verdict = self._verdicts.get(_key(target))
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
        verdict = self._verdicts.get(_key(target))
        if verdict is None or verdict.until <= self._clock():
            if self._proxy_hosts is not None:
                timeout_seconds = min(timeout_seconds, _LOOK_UP_BESIDE_PROXY_SECONDS)
            found = await self._look_up(target.host, timeout_seconds)
            if found is None and self._proxy_hosts is None:
                # Not remembered: it may still answer, and serve the next call.
                raise OutboundError(
                    OutboundCode.DNS_FAILED, f"the name {target.host} could not be looked up in time"
                )
            verdict = self._remember(_key(target), self._judge(target, found))
        if isinstance(verdict.found, _Failure):
            raise OutboundError(verdict.found.code, verdict.found.detail, is_ours=verdict.found.is_ours)
        return verdict.found

    def close(self) -> None:
        """Give up look-ups that are still running."""
        for lookup in self._lookups.values():
            lookup.cancel()

    async def _look_up(self, host: str, timeout_seconds: float) -> tuple[str, ...] | _Failure | None:
        """Ask the resolver, or join a look-up of the same name; None when there is no answer in time."""
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = asyncio.ensure_future(self._ask_resolver(host))
            lookup.add_done_callback(lambda _: self._lookups.pop(host, None))
        # Waited for from outside, so that one caller who gives up does not take it from the others.
        done, _ = await asyncio.wait({lookup}, timeout=max(timeout_seconds, 0.0))
        return lookup.result() if done and not lookup.cancelled() else None

    async def _ask_resolver(self, host: str) -> tuple[str, ...] | _Failure:
        try:
            answers = await self._resolver.addresses(host)
        except NameNotResolvedError as error:
            why = "could not be looked up" if error.is_ours or error.is_temporary else "does not exist"
            return _Failure(
                code=OutboundCode.DNS_FAILED, detail=f"the name {host} {why}", is_ours=error.is_ours
            )
        except Exception:
            # A resolver is handed in from outside; whatever it does must end as an error that callers know.
            return _Failure(
                code=OutboundCode.DNS_FAILED, detail=f"the name {host} could not be looked up", is_ours=True
            )
        if not answers:
            return _Failure(code=OutboundCode.DNS_FAILED, detail=f"the name {host} has no address")
        return answers

    def _judge(
        self, target: Target, answers: tuple[str, ...] | _Failure | None
    ) -> tuple[str, ...] | _Failure:
        if not isinstance(answers, tuple):
            # Without an answer of our own the proxy's counts; without a proxy there is one, or a failure.
            return self._proxy_hosts or answers or _Failure(code=OutboundCode.DNS_FAILED, detail="no answer")
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
        return self._proxy_hosts or answers

    def _remember(self, key: _VerdictKey, found: tuple[str, ...] | _Failure) -> _Verdict:
        now = self._clock()
        if len(self._verdicts) >= self._limits.max_names:
            self._verdicts = {k: v for k, v in self._verdicts.items() if v.until > now}
            if len(self._verdicts) >= self._limits.max_names:
                self._verdicts.clear()
        is_failure = isinstance(found, _Failure)
        seconds = self._limits.dns_failure_ttl_seconds if is_failure else self._limits.dns_ttl_seconds
        verdict = self._verdicts[key] = _Verdict(found=found, until=now + seconds)
        return verdict


def _key(target: Target) -> _VerdictKey:
    # Plain http asks more of an address than https; a target vetted by an earlier policy must not vouch for a later.
    return (target.host, target.needs_listed_address, target.policy_version)
