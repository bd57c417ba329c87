"""How a path of the receiver answers: well, badly, slowly or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["ok", "fail", "dead", "drip", "gone", "throttled"]

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_OK_CLOSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_FAIL = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
_GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """What one path does with a verified request."""

    #: ok: 200 · fail: 500 · dead: reads and never answers · drip: one byte of the answer every `drip_seconds`
    #: · gone: 410 · throttled: 429 with Retry-After.
    kind: Kind = "ok"
    drip_seconds: float = 1.0
    retry_after_seconds: int = 2
    #: Close the connection after each answer, so that each delivery needs a new one.
    closes: bool = False

    def answer(self) -> bytes | None:
        """Give the whole answer; None for those that do not come at once."""
        match self.kind:
            case "ok":
                return _OK_CLOSE if self.closes else _OK
            case "fail":
                return _FAIL
            case "gone":
                return _GONE
            case "throttled":
                seconds = self.retry_after_seconds
                return (
                    b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nRetry-After: %d\r\n\r\n"
                    % seconds
                )
            case _:
                return None

    @property
    def is_success(self) -> bool:
        """Tell whether the sender will see a 2xx (a drip counts: it ends in 200, for who waits)."""
        return self.kind == "ok"


#: Written one byte at a time by a dripping path.
DRIPPED_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4000\r\n\r\n" + b"." * 4000
