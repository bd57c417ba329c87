"""Ask a vendor's API for pages, with a customer's key: guarded, patient with what passes, plain about what does not.

It only ever reads (GET). Redirects are not followed, because the key would go along. hub.flow.vendor_sources.Ask.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from hub.flow.vendor_sources import SourceFailed
from hub.outbound.client import OutboundClient
from hub.outbound.errors import OutboundCode, OutboundError
from hub.outbound.messages import Request, Response
from hub.rules.retry import describe_wait, parse_retry_after

MOST_ATTEMPTS: Final = 6
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0
TIMEOUT_SECONDS: Final = 30.0
#: Of one page.
MOST_BYTES: Final = 16_777_216
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_PASSING_FAULTS: Final = frozenset(
    {
        OutboundCode.DNS_FAILED,
        OutboundCode.CONNECT_FAILED,
        OutboundCode.CONNECT_TIMEOUT,
        OutboundCode.CONNECTION_LOST,
        OutboundCode.TIMEOUT,
    }
)
#: What a header can carry as a key: no blank, no control character.
_KEY: Final = re.compile(r"[\x21-\x7e]{1,1024}")
_ADVICE: Final = {
    401: "It does not know the key: check that it is whole, of this vendor, and not revoked.",
    403: "The key may not read this: take one that may, or leave this list out with --only.",
    404: "There is no such endpoint at this address: check --from.",
}
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long to wait for a vendor, and how."""

    #: In all, for all pages together.
    most_seconds: float
    sleep: Callable[[float], Awaitable[None]]
    #: Unix ms.
    now_ms: Callable[[], int]
    #: Told in words before each wait.
    on_wait: Callable[[str], None]


class _Passing(Exception):
    """Asking again may help."""

    def __init__(self, reason: str, *, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        #: As the vendor asks.
        self.wait_seconds = wait_seconds


class VendorCalls:
    """Reads one vendor's API with one key."""

    def __init__(
        self, client: OutboundClient, *, vendor: str, address: str, key: str, patience: Patience
    ) -> None:
        """Take what is asked of whom.

        Args:
            client: The guarded client.
            vendor: As people call it.
            address: Where the API is, without a slash at its end.
            key: The customer's.
            patience: How long to wait.

        Raises:
            SourceFailed: The key cannot be one.
        """
        if _KEY.fullmatch(key) is None:
            raise SourceFailed(
                f"The key of {vendor} is empty, or holds blanks or other characters that no key has."
            )
        self._client = client
        self._vendor = vendor
        self._address = address
        self._headers = ((b"Authorization", f"Bearer {key}".encode()), (b"Accept", b"application/json"))
        self._patience = patience
        self._waited_seconds = 0.0

    async def ask(self, path: str) -> Mapping[str, Any]:
        """Give the JSON object at a path.

        Raises:
            SourceFailed: There is none, also after some patience.
        """
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_Passing),
            stop=self._is_over,
            wait=_pause,
            sleep=self._sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    return await self._once(path)
        except _Passing as error:
            raise self._failed(path, f"{error}. {self._what_now(error)}") from None
        raise AssertionError("tenacity ends with a result or an exception")

    async def _once(self, path: str) -> Mapping[str, Any]:
        request = Request(
            method="GET",
            url=self._address + path,
            headers=self._headers,
            timeout_seconds=TIMEOUT_SECONDS,
            max_response_bytes=MOST_BYTES,
        )
        try:
            response = await self._client.request(request)
        except OutboundError as error:
            detail = error.detail.rstrip(".")
            if error.code in _PASSING_FAULTS:
                raise _Passing(f"it cannot be reached: {detail}") from None
            raise self._failed(path, f"{detail}.") from None
        if response.status in _PASSING:
            raise _Passing(f"it answers with status {response.status}", wait_seconds=self._asked(response))
        if not 200 <= response.status < 300:
            raise self._failed(path, f"it answers with status {response.status}. {_advice(response)}")
        return self._read(path, response)

    def _read(self, path: str, response: Response) -> Mapping[str, Any]:
        if response.body_truncated:
            if len(response.body) >= MOST_BYTES:
                raise self._failed(path, f"its answer is larger than {MOST_BYTES} bytes.")
            raise _Passing("its answer broke off")
        try:
            return _decode(response.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            detail = "its answer is no JSON object: this is not the API that was expected. Check --from."
            raise self._failed(path, detail) from None

    def _asked(self, response: Response) -> float | None:
        """How long the vendor asks to wait."""
        text = _header(response, b"retry-after")
        wait_ms = None if text is None else parse_retry_after(text, self._patience.now_ms())
        return None if wait_ms is None else wait_ms / 1000

    def _is_over(self, state: RetryCallState) -> bool:
        # Who says how long to wait is asked as often as that; it only costs patience.
        is_asked = isinstance(error := _error(state), _Passing) and error.wait_seconds is not None
        is_tired = self._waited_seconds + _pause(state) > self._patience.most_seconds
        return is_tired or (state.attempt_number >= MOST_ATTEMPTS and not is_asked)

    async def _sleep(self, seconds: float) -> None:
        self._waited_seconds += seconds
        await self._patience.sleep(seconds)

    def _tell(self, state: RetryCallState) -> None:
        wait = describe_wait(int(_pause(state) * 1000))
        self._patience.on_wait(f"{self._vendor}: {_error(state)}; asking again in {wait}")

    def _what_now(self, error: _Passing) -> str:
        if error.wait_seconds is None:
            return "It was asked several times. Run the command again later."
        wait = describe_wait(int(error.wait_seconds * 1000))
        return (
            f"It asks to wait {wait}, longer than --patience allows. Run the command again then, or raise it."
        )

    def _failed(self, path: str, detail: str) -> SourceFailed:
        what = path.partition("?")[0]
        return SourceFailed(f"{self._vendor} cannot be read: GET {what}: {detail} Nothing was taken in.")


def _error(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()


def _pause(state: RetryCallState) -> float:
    """How long to wait, in seconds: as the vendor asks, else longer each time."""
    error = _error(state)
    if isinstance(error, _Passing) and error.wait_seconds is not None:
        # A vendor that says 0 is not asked in a loop.
        return max(error.wait_seconds, FIRST_PAUSE_SECONDS)
    return min(FIRST_PAUSE_SECONDS * 2.0 ** (state.attempt_number - 1), LONGEST_PAUSE_SECONDS)


def _advice(response: Response) -> str:
    if 300 <= response.status < 400:
        place = _header(response, b"location") or "elsewhere"
        return f"It leads to {place[:200]!r}, where the key is not sent: give the right address with --from."
    return _ADVICE.get(response.status, "Look into the vendor's documentation, or ask the vendor.")


def _header(response: Response, name: bytes) -> str | None:
    return next((value.decode("latin-1") for each, value in response.headers if each.lower() == name), None)
