"""One request and its answer: credentials, pace, the wire, and what the answer means.

Nothing is repeated here but a request that was refused for its token, after the token was renewed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

import structlog

from hub.connectors.credentials import Credential, Credentials, TokenWish
from hub.connectors.faults import unanswered
from hub.connectors.paces import Paces
from hub.connectors.showing import Shown, show_who
from hub.flow.calling import Call, Caller, CallFailed
from hub.flow.ports import Clock
from hub.model.actions import ActionFailed, ErrorClass, Repetition
from hub.rules.connectors.answers import MOST_BYTES, Answer, read_answer
from hub.rules.connectors.building import BuiltRequest, Unbuildable, build
from hub.rules.connectors.classification import Classified, classify, is_success
from hub.rules.connectors.connections import Connection
from hub.rules.connectors.limiting import buckets, rest_ms
from hub.rules.connectors.model import ErrorRule, RequestSpec, Success
from hub.rules.connectors.secrets import Masker
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError

log = structlog.get_logger("connectors")

#: A wait for the provider's pace that is worth staying for, and its share of the time that is left.
SOON_MS: Final = 2_000
_LEAST_SECONDS: Final = 0.05
#: Of a request for a token. A new refresh token that nobody waited for is lost, so it has a moment even where the
#: attempt has none (hub.flow.routing.driving waits that much longer), and ends before the lock of the token does.
_TOKEN_LEAST_SECONDS: Final = 4.0
_TOKEN_MOST_SECONDS: Final = 30.0
_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


@dataclass(kw_only=True, slots=True)
class Attempt:
    """One attempt at one action."""

    connection: Connection
    #: The same for each attempt at the same thing; sent where the provider takes one.
    key: str
    key_header: str | None
    repetition: Repetition
    #: Unix ms.
    deadline_ms: int
    is_test: bool = False
    #: Whether something was sent that may have changed something and is not safe to repeat.
    may_have_changed: bool = False
    #: What the connection shows, asked for once.
    credential: Credential | None = None
    #: What was asked, masked, in the order of the requests.
    requests: list[str] = field(default_factory=list)
    #: Covers secrets in whatever the attempt gives.
    masker: Masker = field(default_factory=lambda: Masker(()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """One request of an attempt."""

    request: RequestSpec
    success: Success
    errors: tuple[ErrorRule, ...]
    #: What its templates read, beside what the connection gives.
    values: Mapping[str, Any]
    #: What repeating it does.
    repetition: Repetition


class Exchanging:
    """Makes requests of connections."""

    def __init__(
        self,
        caller: Caller,
        credentials: Credentials,
        paces: Paces,
        *,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._caller = caller
        self._credentials = credentials
        self._paces = paces
        self._clock = clock
        self._sleep = sleep

    async def public(self, attempt: Attempt) -> Mapping[str, Any]:
        """Give what all templates of an attempt may know of its connection.

        Raises:
            ActionFailed: There are no credentials to ask with.
        """
        credential = await self._credential(attempt)
        return credential.public

    async def ask(self, attempt: Attempt, wanted: Wanted) -> Answer:
        """Make a request and give its answer, which is a success.

        Raises:
            ActionFailed: It is none, or there is none.
        """
        credential = await self._credential(attempt)
        built = self._built(attempt, wanted, credential)
        answer, refusal = await self._once(attempt, wanted, built, credential)
        if refusal is not None and refusal.error_class == "auth":
            renewed = await self._credentials.renew(
                attempt.connection, self._token_asker(attempt), refused=credential.token
            )
            if renewed is not None:
                attempt.credential = renewed
                attempt.masker = renewed.masker.also([credential.token or ""])
                built = self._built(
                    attempt, wanted, renewed
                )  # what came with the token may be in its address
                answer, refusal = await self._once(attempt, wanted, built, renewed)
        if refusal is None:
            await self._credentials.works(attempt.connection)
            return answer
        raise await self._refused(attempt, refusal)

    async def tested(self, connection: Connection, *, works: bool, told: str) -> None:
        """Note what a test showed."""
        await self._credentials.tested(connection, works=works, told=told)

    async def _credential(self, attempt: Attempt) -> Credential:
        if attempt.credential is None:
            attempt.credential = await self._credentials.of(
                attempt.connection, self._token_asker(attempt), is_test=attempt.is_test
            )
            attempt.masker = attempt.credential.masker
        return attempt.credential

    # ---- one request

    def _built(self, attempt: Attempt, wanted: Wanted, credential: Credential) -> BuiltRequest:
        manifest, surroundings = attempt.connection.manifest, self._surroundings()
        values = {**wanted.values, **credential.public}
        try:
            base_url = str(manifest.base_url.render(credential.values, surroundings)).strip()
            headers = {} if manifest.headers is None else manifest.headers.render(values, surroundings)
            built = build(
                wanted.request,
                values,
                surroundings,
                base_url=base_url,
                headers={name.lower(): str(value) for name, value in headers.items()},
                is_bound=bool(attempt.connection.secrets()),
            )
        except Unbuildable as error:
            raise self._failed(attempt, "invalid", f"The request cannot be made: {error}.") from None
        except ExpressionError as error:
            told = f"The request of {manifest.title} cannot be made: {error}"
            raise self._failed(attempt, "bug", told) from None
        if attempt.key_header is None or built.method in _SAFE_METHODS:
            return built
        return replace(built, headers={**built.headers, attempt.key_header.lower(): attempt.key})

    async def _once(
        self, attempt: Attempt, wanted: Wanted, built: BuiltRequest, credential: Credential
    ) -> tuple[Answer, Classified | None]:
        manifest, now_ms = attempt.connection.manifest, self._clock.now_ms()
        values = {**wanted.values, **credential.public}
        await self._paced(attempt, built, values)
        try:
            shown = show_who(
                attempt.connection.auth.apply,
                credential.values,
                self._surroundings(),
                body=built.body,
                key=attempt.key,
            )
        except (ExpressionError, Unbuildable) as error:
            told = f"The credentials of {attempt.connection.name} cannot be applied: {error}"
            raise self._failed(attempt, "auth", told) from None
        attempt.masker = attempt.masker.also(shown.secrets)
        is_repeatable = _repetition(wanted.repetition, built.method) != "unsafe"
        answer = await self._sent(attempt, wanted.request, built, shown, is_repeatable=is_repeatable)
        attempt.may_have_changed |= not is_repeatable
        if 200 <= answer.status < 300:
            self._check_body(attempt, answer)
        rest = rest_ms(manifest.adapt, answer.headers, now_ms)
        surroundings = self._surroundings()
        seen = {**values, "status": answer.status, "headers": answer.headers, "body": answer.body}
        if is_success(wanted.success, seen, surroundings):
            await self._rest(attempt, built, rest)
            return answer, None
        refusal = classify(
            (*wanted.errors, *manifest.errors),
            _covered(seen, attempt.masker),
            surroundings,
            title=manifest.title,
            repetition=_repetition(wanted.repetition, built.method),
        )
        _tell_undecided(attempt.connection, refusal)
        if refusal.error_class == "rate_limited":
            rest = max(rest or 0, refusal.after_ms or 0)
        await self._rest(attempt, built, rest)
        return answer, refusal

    async def _sent(
        self,
        attempt: Attempt,
        request: RequestSpec,
        built: BuiltRequest,
        shown: Shown,
        *,
        is_repeatable: bool,
        is_for_token: bool = False,
    ) -> Answer:
        left = (attempt.deadline_ms - self._clock.now_ms()) / 1000
        if is_for_token:
            left = min(max(left, _TOKEN_LEAST_SECONDS), _TOKEN_MOST_SECONDS)
        line = attempt.masker.text(built.shown).partition("?")[0]
        if left < _LEAST_SECONDS:
            raise self._failed(attempt, "retryable", f"There was no time left for {line}; it was not sent.")
        headers = {**built.headers, **shown.headers}
        call = Call(
            method=built.method,
            url=built.whole_url(shown.query),
            headers=tuple(
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
            ),
            body=built.body,
            timeout_seconds=left,
            max_response_bytes=MOST_BYTES,
            is_repeatable=is_repeatable,
        )
        try:
            reply = await self._caller.send(call)
        except CallFailed as fault:
            attempt.requests.append(f"{line} no answer")
            attempt.may_have_changed |= fault.kind in ("unknown", "no_http") and not is_repeatable
            raise self._failed(attempt, *unanswered(attempt.connection.manifest.title, fault)) from None
        attempt.requests.append(f"{line} {reply.status}")
        return read_answer(reply.status, reply.headers, reply.body, request.answer, is_cut=reply.is_cut)

    def _check_body(self, attempt: Attempt, answer: Answer) -> None:
        """Refuse a success whose body is not what it was to be: what happened is not known."""
        if answer.fault is None:
            return
        error_class: ErrorClass = "invalid" if "larger" in answer.fault else "server"
        told = (
            f"{attempt.connection.manifest.title} answered {answer.status}, but {answer.fault.rstrip('.')}."
        )
        raise self._failed(attempt, error_class, told, status=answer.status)

    # ---- pace

    async def _paced(self, attempt: Attempt, built: BuiltRequest, values: Mapping[str, Any]) -> None:
        connection, now_ms = attempt.connection, self._clock.now_ms()
        found = buckets(
            connection.manifest.limits,
            connector=connection.manifest.id,
            connection=connection.name,
            place=built.place,
            values=values,
            surroundings=self._surroundings(),
        )
        left_ms = max(0, attempt.deadline_ms - now_ms)
        wait = await self._paces.take(
            found,
            owner=_owner(connection, built),
            place=f"{attempt.key}:{len(attempt.requests)}",
            now_ms=now_ms,
            soon_ms=min(SOON_MS, left_ms // 2),
        )
        if not wait.is_soon:
            title = connection.manifest.title
            told = f"{title} is asked as often as it allows; the request was not sent and keeps its place."
            raise self._failed(attempt, "rate_limited", told, after_ms=wait.ms)
        if wait.ms:
            await self._sleep(wait.ms / 1000)

    async def _rest(self, attempt: Attempt, built: BuiltRequest, rest: int | None) -> None:
        if rest:
            now_ms = self._clock.now_ms()
            owner = _owner(attempt.connection, built)
            await self._paces.rest(owner, until_ms=now_ms + rest, now_ms=now_ms)

    # ---- failures

    async def _refused(self, attempt: Attempt, refusal: Classified) -> ActionFailed:
        message = attempt.masker.text(refusal.message)
        # Where there are no credentials, nobody could mend them, and other hosts do not even want any.
        if refusal.pauses or (refusal.error_class == "auth" and attempt.connection.fields):
            await self._credentials.pause(attempt.connection, message)
        return ActionFailed(
            refusal.error_class,
            message,
            status=refusal.status,
            after_ms=refusal.after_ms,
            details=attempt.masker.value(dict(refusal.details)),
            requests=tuple(attempt.requests),
        )

    @staticmethod
    def _failed(
        attempt: Attempt,
        error_class: ErrorClass,
        message: str,
        *,
        status: int | None = None,
        after_ms: int | None = None,
    ) -> ActionFailed:
        return ActionFailed(
            error_class,
            attempt.masker.text(message),
            status=status,
            after_ms=after_ms,
            requests=tuple(attempt.requests),
        )

    # ---- tokens

    def _token_asker(self, attempt: Attempt) -> Callable[[Connection, TokenWish], Awaitable[Answer]]:
        async def ask(connection: Connection, wish: TokenWish) -> Answer:
            return await self._token(attempt, connection, wish)

        return ask

    async def _token(self, attempt: Attempt, connection: Connection, wish: TokenWish) -> Answer:
        """Ask for a token: no credentials are applied, and it may be asked for again."""
        attempt.masker = wish.masker
        title, surroundings = connection.manifest.title, self._surroundings()
        try:
            base_url = connection.manifest.base_url.render(wish.values, surroundings)
        except ExpressionError:
            base_url = ""  # it may be the token's answer that tells it
        try:
            built = build(
                wish.request, wish.values, surroundings, base_url=str(base_url), headers={}, is_bound=False
            )
        except Unbuildable as error:
            raise self._failed(attempt, "auth", f"No token can be asked for: {error}.") from None
        answer = await self._sent(
            attempt, wish.request, built, Shown(), is_repeatable=True, is_for_token=True
        )
        told = {**wish.values, "status": answer.status, "headers": answer.headers, "body": answer.body}
        if 200 <= answer.status < 300:
            self._check_body(attempt, answer)
        if is_success(wish.success, told, surroundings):
            return answer
        covered = _covered(told, attempt.masker)
        refusal = classify(wish.grant.errors, covered, surroundings, title=title, repetition="safe")
        if refusal.error_class in ("invalid", "permission", "not_found", "conflict"):
            refusal = replace(refusal, error_class="auth")
        refusal = replace(refusal, message=f"{refusal.message} (asked for a token)")
        _tell_undecided(connection, refusal)
        raise await self._refused(attempt, refusal)

    def _surroundings(self) -> Surroundings:
        return Surroundings(now_ms=self._clock.now_ms())


def _repetition(repetition: Repetition, method: str) -> Repetition:
    return "safe" if method in _SAFE_METHODS else repetition


def _covered(told: Mapping[str, Any], masker: Masker) -> dict[str, Any]:
    """Cover secrets of an answer before its words are shortened: half of one is not recognised any more."""
    return {**told, "headers": masker.value(told["headers"]), "body": masker.value(told["body"])}


def _owner(connection: Connection, built: BuiltRequest) -> str:
    """Name who rests; one without fields asks whichever host a step names, and each of them rests for itself."""
    owner = f"{connection.manifest.id}:{connection.name}"
    return owner if connection.fields else f"{owner}:{urlsplit(built.url).hostname}"


def _tell_undecided(connection: Connection, refusal: Classified) -> None:
    """Tell of rules that an answer did not allow to decide: the manifest expects what providers do not always send."""
    if refusal.undecided:
        log.warning(
            "connector.rules_undecided",
            connector=connection.manifest.id,
            rules=list(refusal.undecided),
            status=refusal.status,
        )
