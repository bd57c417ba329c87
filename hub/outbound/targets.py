"""Makes targets: a URL parsed and vetted once, with the request head that all its calls share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hub.outbound.errors import OutboundCode, OutboundError
from hub.outbound.messages import Target
from hub.outbound.proxy import EgressProxy
from hub.outbound.request_head import header_block
from hub.rules.egress import ALLOW_SETTING, EgressPolicy, Refusal, VettedUrl, check_url


class TargetFactory:
    """Vets URLs against the policy in force."""

    def __init__(self, policy: EgressPolicy, *, user_agent: str, proxy: EgressProxy | None) -> None:
        self._policy = policy
        self._user_agent = user_agent
        self._proxy = proxy
        #: Counts the policies that were in force.
        self.policy_version = 1

    def use_policy(self, policy: EgressPolicy) -> None:
        """Judge by another policy from now on."""
        self._policy = policy
        self.policy_version += 1

    def make(
        self, url: str, static_headers: Iterable[tuple[bytes, bytes]], *, is_tunnelled: bool = False
    ) -> Target:
        """Vet a URL and prebuild its request head.

        Args:
            url: As the user gave it.
            static_headers: What all its calls share.
            is_tunnelled: A proxy is asked for a tunnel for plain http, too: what follows is no ordinary request.

        Raises:
            OutboundError: url_refused or header_refused.
        """
        vetted = self._vet(url)
        block = header_block(vetted, self._user_agent, static_headers)
        needs_tunnel = is_tunnelled or vetted.scheme == "https"
        if self._proxy is not None and not needs_tunnel:
            block += self._proxy.header_lines()
        request_target = self._request_target(
            vetted, is_absolute=self._proxy is not None and not needs_tunnel
        )
        return Target(
            scheme=vetted.scheme,
            host=vetted.host,
            port=vetted.port,
            path=vetted.path,
            url=url,
            pool_key=(vetted.scheme, vetted.host, vetted.port),
            literal=vetted.literal,
            is_host_allowed=vetted.is_host_allowed,
            needs_listed_address=vetted.needs_listed_address,
            policy_version=self.policy_version,
            needs_tunnel=needs_tunnel,
            request_target=request_target,
            header_block=block,
            post_prefix=b"POST " + request_target + b" HTTP/1.1\r\n" + block + b"Content-Length: ",
        )

    def server(self, host: str, port: int, *, is_clear: bool) -> Target:
        """Vet a server that speaks another protocol than HTTP; what is said in the clear is held to plain http's rules.

        Raises:
            OutboundError: url_refused; also where there is a proxy, because only HTTP goes through it.
        """
        if self._proxy is not None:
            told = "outbound.proxy is set in hub.yaml; only HTTP goes through it, and nothing goes around it"
            raise OutboundError(OutboundCode.URL_REFUSED, told)
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        target = self.make(f"https://{place}/", ())
        if not is_clear:
            return target
        try:
            return self.make(f"http://{place}/", ())
        except OutboundError:
            told = f"without TLS only servers of {ALLOW_SETTING} in hub.yaml are talked to: use TLS, or add {host}"
            raise OutboundError(OutboundCode.URL_REFUSED, told) from None

    def check_again(self, target: Target) -> Target:
        """Vet a target that an earlier policy let pass; its head stays as it is.

        Raises:
            OutboundError: url_refused.
        """
        vetted = self._vet(target.url)
        return replace(
            target,
            is_host_allowed=vetted.is_host_allowed,
            needs_listed_address=vetted.needs_listed_address,
            policy_version=self.policy_version,
        )

    def _vet(self, url: str) -> VettedUrl:
        vetted = check_url(url, self._policy)
        if isinstance(vetted, Refusal):
            raise OutboundError(OutboundCode.URL_REFUSED, vetted.message)
        return vetted

    def _request_target(self, url: VettedUrl, *, is_absolute: bool) -> bytes:
        return (f"http://{url.authority}{url.path}" if is_absolute else url.path).encode("ascii")
