"""The one HTTP client for every URL that a user supplied.

Each call: resolve once, refuse if any address is not allowed, dial the vetted address (TLS verified against the
name), send, read within a byte cap and one total deadline. It never follows a redirect, never decompresses, never
sees a cookie. Make a `Target` once per URL and keep it: parsing, vetting and the request head are paid there.
docs/decisions/0003-outbound-client.md says why it is our own.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable

from hub.flow.calling import StreamedBody
from hub.outbound.connection import Connection, Exchange
from hub.outbound.deadlines import DeadlineWatch
from hub.outbound.dialing import Dialer
from hub.outbound.errors import OutboundCode, OutboundError, client_closed
from hub.outbound.exchanges import exchange_of, whole_body
from hub.outbound.guard import AddressGuard
from hub.outbound.limits import OutboundLimits
from hub.outbound.messages import Request, Response, StreamedResponse, Target
from hub.outbound.pool import IdlePool
from hub.outbound.proxy import EgressProxy
from hub.outbound.request_head import check_lines
from hub.outbound.resolver import Resolver, SystemResolver
from hub.outbound.streaming import BodyStream
from hub.outbound.targets import TargetFactory
from hub.outbound.tls import ResumingContext, TlsSessions, client_context
from hub.outbound.uploading import Upload
from hub.rules.egress import EgressPolicy


class OutboundClient:
    """Calls receivers; one per process, on one event loop."""

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        limits: OutboundLimits | None = None,
        resolver: Resolver | None = None,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a client.

        Args:
            policy: Who may be called beyond the public internet.
            limits: Bounds; the defaults suit one process.
            resolver: Where addresses come from; the machine's resolver by default.
            tls: A client context; one that trusts the system's authorities by default.
            proxy: The operator's egress proxy, http://[user:password@]host:port.
            clock: Monotonic seconds.
        """
        self._limits = limits or OutboundLimits()
        self._clock = clock
        egress_proxy = None if proxy is None else EgressProxy(proxy)
        self._targets = TargetFactory(policy, user_agent=self._limits.user_agent, proxy=egress_proxy)
        context = client_context() if tls is None else tls
        self._sessions: TlsSessions | None = None
        if isinstance(context, ResumingContext):
            self._sessions = context.sessions = TlsSessions(
                clock=clock,
                max_sessions=self._limits.max_tls_sessions,
                max_leaky_reads=self._limits.max_leaky_session_reads,
            )
        self._pool = IdlePool(self._limits, clock)
        self._guard = AddressGuard(
            policy,
            resolver=resolver or SystemResolver(),
            limits=self._limits,
            clock=clock,
            proxy_host=None if egress_proxy is None else egress_proxy.host,
        )
        self._dialer = Dialer(
            limits=self._limits, pool=self._pool, tls=context, proxy=egress_proxy, clock=clock
        )
        self._watch = DeadlineWatch(clock=clock, tick_seconds=self._limits.deadline_tick_seconds)
        self._calls = 0
        self._is_closed = False
        self._quiet = asyncio.Event()

    def target(self, url: str, static_headers: Iterable[tuple[bytes, bytes]] = ()) -> Target:
        """Parse and vet a URL once, and prebuild its request head.

        Raises:
            OutboundError: url_refused with the reason, or header_refused.
        """
        return self._targets.make(url, static_headers)

    async def post(
        self,
        target: Target,
        headers: bytes = b"",
        body: bytes = b"",
        *,
        timeout_seconds: float = 20.0,
        max_response_bytes: int = 16_384,
        resend_if_stale: bool = True,
    ) -> Response:
        """POST a body and return the answer, whatever its status.

        Args:
            target: From `target`; kept by the caller.
            headers: Preformatted lines (see `header_lines`), CRLF between them, none at the end.
            body: The exact bytes to send.
            timeout_seconds: Total: name, connection, TLS, request, headers and body.
            max_response_bytes: Read this much of the answer's body, then close the connection.
            resend_if_stale: Send once more, on a fresh connection, when a kept-alive one turns out to be closed
                before a single byte of an answer. The receiver may in rare cases see the request twice, so only
                for requests that it can tell apart (ours carry a webhook-id).

        Raises:
            OutboundError: There is no whole answer.
        """
        length = b"%d\r\n" % len(body)
        if headers:
            check_lines(headers)
            head = target.post_prefix + length + headers + b"\r\n\r\n"
        else:
            head = target.post_prefix + length + b"\r\n"
        exchange = Exchange(head, body, max_body_bytes=max_response_bytes, is_resendable=resend_if_stale)
        return await self._call(target, exchange, timeout_seconds)

    async def request(self, request: Request) -> Response:
        """Send one request with any method; a convenience over `target` for calls that are not repeated.

        A stale connection is retried for methods that HTTP calls idempotent, not for POST and PATCH, unless the
        request says otherwise.

        Raises:
            OutboundError: The URL or a header is refused, or there is no whole answer.
        """
        target = self.target(request.url, request.headers)
        return await self._call(target, exchange_of(target, request), request.timeout_seconds)

    async def upload(self, request: Request, body: StreamedBody) -> Response:
        """Send one request with a body that is read meanwhile, in constant memory.

        It goes over a connection of its own, and never twice: what was read is gone. An answer that comes before all
        was sent ends the sending.

        Raises:
            OutboundError: As `request`; body_broken where the body has not its length.
            Exception: As reading the pieces raised it.
        """
        target, upload = self.target(request.url, request.headers), Upload(body)
        exchange = exchange_of(target, request, later_bytes=body.size)
        return await self._call(target, exchange, request.timeout_seconds, upload)

    @contextlib.asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[StreamedResponse]:
        """Send one request and read the body while it arrives, in constant memory.

        The answer is that of the block; its time counts until the block ends. A block that leaves early ends the
        connection.

        Raises:
            OutboundError: The URL or a header is refused, there is no answer, or (from `pieces`) not a whole one.
        """
        target, started = self.target(request.url, request.headers), self._clock()
        self._begin_call()
        connection: Connection | None = None
        try:
            connection, body = await self._begin_stream(target, request, started + request.timeout_seconds)
            reader = connection.reader
            pieces = whole_body(body, connection, request.max_response_bytes)
            yield StreamedResponse(status=reader.status, headers=tuple(reader.headers), pieces=pieces)
            if reader.is_over and reader.problem is None:
                self._watch.remove(connection)
                self._finish(connection, started)
                connection = None
        except OutboundError as error:
            error.duration_ms = (self._clock() - started) * 1000.0
            raise
        finally:
            if connection is not None:
                self._watch.remove(connection)
                connection.abort()
            self._end_call()

    async def vetted_server(
        self, host: str, port: int, *, is_clear: bool, timeout_seconds: float
    ) -> tuple[str, tuple[str, ...]]:
        """Give a server's name and the addresses that may be dialled, for what speaks another protocol than HTTP.

        The rules are those of URLs; what is said in the clear is held to those of plain http.

        Raises:
            OutboundError: It may not be called, or its name is not known; with an egress proxy, which speaks HTTP only.
        """
        if self._is_closed:
            raise client_closed()
        target = self._targets.server(host, port, is_clear=is_clear)
        return target.host, await self._guard.addresses(target, timeout_seconds=timeout_seconds)

    async def open_connection(
        self, url: str, headers: Iterable[tuple[bytes, bytes]], *, timeout_seconds: float
    ) -> tuple[Target, Connection]:
        """Open a connection for the caller alone, to be handed over (hub.outbound.websockets).

        It counts among all, ends with the client, and must be closed by whoever got it.

        Raises:
            OutboundError: The URL or a header is refused, or nothing could be reached.
        """
        target = self._targets.make(url, headers, is_tunnelled=True)
        self._begin_call()
        try:
            return target, await self._dial(target, self._clock() + timeout_seconds)
        except OutboundError as error:
            raise (client_closed() if self._dialer.is_closed else error) from None
        finally:
            self._end_call()

    def may_stay(self, connection: Connection) -> bool:
        """Whether an open connection was vetted by the policy in force."""
        return connection.policy_version == self._targets.policy_version

    def use_policy(self, policy: EgressPolicy) -> None:
        """Judge by another policy from now on: every name, address, target and kept connection is vetted anew."""
        self._targets.use_policy(policy)
        self._guard.use_policy(policy)
        self._pool.close_all()

    @property
    def user_agent(self) -> str:
        """As we name ourselves."""
        return self._limits.user_agent

    @property
    def idle_connections(self) -> int:
        """Connections kept for a next request."""
        return len(self._pool)

    @property
    def open_connections(self) -> int:
        """All connections, in use or idle."""
        return len(self._dialer.open)

    async def aclose(self, *, drain_seconds: float = 0.0) -> None:
        """Take no more calls, let running ones finish for so long, then end them and close everything."""
        self._is_closed = True
        self._pool.close_all()
        if self._calls:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), drain_seconds)
        self._guard.close()
        self._dialer.close()
        if self._calls:
            await self._quiet.wait()
        self._watch.close()
        self._pool.close_all()
        await self._dialer.wait_until_closed()

    async def _call(
        self, target: Target, exchange: Exchange, timeout_seconds: float, upload: Upload | None = None
    ) -> Response:
        started = self._clock()
        deadline = started + timeout_seconds
        self._begin_call()
        try:
            if target.policy_version != self._targets.policy_version:
                target = self._targets.check_again(target)
            if upload is None:
                connection = self._take_idle(target, started) or await self._connect(target, deadline)
            else:
                connection = await self._dial(target, deadline)
            await self._exchange(connection, exchange, deadline, upload)
            if exchange.is_resendable and connection.is_stale:
                connection = await self._dial(target, deadline)
                await self._exchange(connection, exchange, deadline)
            problem = connection.take_problem()
            if problem is None:
                return self._finish(connection, started)
            connection.abort()
            problem.address = connection.address
            raise problem
        except OutboundError as error:
            raised = client_closed() if self._dialer.is_closed else error
            raised.duration_ms = (self._clock() - started) * 1000.0
            raise raised from None
        finally:
            self._end_call()

    def _begin_call(self) -> None:
        if self._is_closed:
            raise client_closed()
        self._calls += 1

    def _end_call(self) -> None:
        self._calls -= 1
        if self._is_closed and not self._calls:
            self._quiet.set()

    def _take_idle(self, target: Target, now: float) -> Connection | None:
        known = self._guard.known_addresses(target, now)
        if known is None:
            return None
        return self._pool.take(target.pool_key, known, now)

    async def _connect(self, target: Target, deadline: float) -> Connection:
        addresses = await self._guard.addresses(target, timeout_seconds=deadline - self._clock())
        # While the name was looked up, another call may have come back.
        return self._pool.take(target.pool_key, addresses, self._clock()) or await self._dial(
            target, deadline
        )

    async def _dial(self, target: Target, deadline: float) -> Connection:
        addresses = await self._guard.addresses(target, timeout_seconds=deadline - self._clock())
        try:
            connection = await self._dialer.dial(target, addresses, deadline)
        except OutboundError as error:
            if error.code is OutboundCode.TLS_FAILED and self._sessions is not None:
                self._sessions.forget(target.host)
            raise
        connection.policy_version = target.policy_version
        return connection

    async def _begin_stream(
        self, target: Target, request: Request, deadline: float
    ) -> tuple[Connection, BodyStream]:
        """Send the request, once more if a kept connection was stale; the head is there when this returns."""
        connection = self._take_idle(target, self._clock()) or await self._connect(target, deadline)
        while True:
            body = BodyStream()
            exchange = exchange_of(target, request, body)
            connection.start(exchange, deadline)
            self._watch.add(connection)
            try:
                while not (connection.reader.is_head_over or connection.reader.is_over):
                    await body.wait()
            except BaseException:
                self._watch.remove(connection)
                connection.abort()
                raise
            if not (exchange.is_resendable and connection.is_stale):
                break
            self._watch.remove(connection)
            connection = await self._dial(target, deadline)
        if not connection.reader.is_head_over and (problem := connection.take_problem()) is not None:
            self._watch.remove(connection)
            connection.abort()
            raise problem
        return connection, body

    async def _exchange(
        self, connection: Connection, exchange: Exchange, deadline: float, upload: Upload | None = None
    ) -> None:
        answered = connection.start(exchange, deadline)
        self._watch.add(connection)
        try:
            if upload is None:
                await answered
            else:
                await upload.pour(connection, answered)
        except BaseException:
            # The caller gave up: half an exchange must not be continued by somebody else.
            connection.abort()
            raise
        finally:
            self._watch.remove(connection)

    def _finish(self, connection: Connection, started: float) -> Response:
        reader = connection.reader
        is_reused = connection.has_answered
        response = Response(
            status=reader.status,
            headers=tuple(reader.headers),
            body=reader.body,
            body_truncated=reader.is_truncated,
            address=connection.address,
            is_reused_connection=is_reused,
            duration_ms=(self._clock() - started) * 1000.0,
        )
        if not is_reused:
            self._note_first_answer(connection)
        if (
            connection.can_be_kept()
            and connection.policy_version == self._targets.policy_version
            and not self._dialer.is_short_of_room
        ):
            self._pool.put(connection)
        else:
            connection.abort()
        return response

    def _note_first_answer(self, connection: Connection) -> None:
        connection.note_answer()
        if self._sessions is not None and connection.key[0] == "https":
            tls = connection.tls_object()
            if tls is not None:
                self._sessions.learn(connection.key[1], tls)
