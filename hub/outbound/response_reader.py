"""Reads one HTTP/1 answer after another from bytes; knows nothing of sockets.

It is lenient: a receiver that said "200" badly has still said it, and repeating the delivery would do harm. What
cannot be parsed after the status line is dropped, the answer is marked truncated and the connection not used again.
An answer that stops early (connection lost) is an error, because it may be a proxy's half-truth.
"""

from __future__ import annotations

from collections.abc import Callable

from httptools import HttpParserError, HttpParserInvalidStatusError, HttpParserUpgrade, HttpResponseParser

from hub.outbound.errors import OutboundCode, OutboundError

#: Chunk sizes, chunk extensions and trailers may take this many times the body, and as much again on top.
_FRAMING_FACTOR = 8
_FRAMING_BYTES = 65_536


class ResponseReader:
    """The state of the answer being read; `begin` starts the next one."""

    __slots__ = (
        "_has_no_body",
        "_has_status",
        "_is_interim",
        "_is_message_over",
        "_max_body_bytes",
        "_parser",
        "_parts",
        "_room",
        "_take",
        "has_excess",
        "headers",
        "is_head_over",
        "is_over",
        "is_reusable",
        "is_truncated",
        "max_header_bytes",
        "problem",
        "received_bytes",
        "status",
    )

    def __init__(self, max_header_bytes: int) -> None:
        self.max_header_bytes = max_header_bytes
        self._parser = HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(
            lenient_headers=True,
            lenient_optional_lf_after_cr=True,
            lenient_optional_cr_before_lf=True,
            lenient_spaces_after_chunk_size=True,
        )
        self.begin(max_body_bytes=0)

    def begin(
        self, *, max_body_bytes: int, has_no_body: bool = False, take: Callable[[bytes], None] | None = None
    ) -> None:
        """Start reading the next answer.

        Args:
            max_body_bytes: Read this much of the body, then call the answer over.
            has_no_body: Whatever the headers promise, no body follows (HEAD, CONNECT).
            take: Gets the body piece by piece; without it the body is gathered in `body`.
        """
        self._max_body_bytes = self._room = max_body_bytes
        self._has_no_body = has_no_body
        self._parts: list[bytes] = []
        self._take = self._parts.append if take is None else take
        self._has_status = self.is_head_over = self._is_interim = self._is_message_over = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        #: Nothing more will be read: complete, truncated or broken.
        self.is_over = False
        #: The connection stands at the end of a whole answer and may carry another request.
        self.is_reusable = False
        self.is_truncated = False
        #: Bytes came that should not have been there (after the answer to HEAD or CONNECT).
        self.has_excess = False
        self.problem: OutboundError | None = None
        self.received_bytes = 0

    @property
    def body(self) -> bytes:
        """What was read of the body."""
        parts = self._parts
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def feed(self, data: bytes) -> bool:
        """Read what arrived; True when the answer is over."""
        self.received_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self.is_reusable = False
        except HttpParserError as error:
            self._on_broken(error)
        if self.received_bytes > self.max_header_bytes and not self.is_over:
            self._check_size()
        return self.is_over

    def feed_eof(self) -> None:
        """The receiver closed its side in an orderly way."""
        self.is_reusable = False
        if self.is_over:
            return
        if self.is_head_over and not self._is_length_known():
            self.is_over = True
            return
        self.fail(
            OutboundCode.CONNECTION_LOST, "the receiver closed the connection before its answer was complete"
        )

    def fail(self, code: OutboundCode, detail: str) -> None:
        """End the answer as an error, unless it is already over."""
        if not self.is_over:
            self.is_over = True
            self.is_reusable = False
            self.problem = OutboundError(code, detail, status=self.status or None)

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self._is_message_over:
            # Something follows the answer: nobody asked for it.
            self.is_reusable = False

    def on_status(self, _reason: bytes) -> None:
        if not self.is_over:
            self._has_status = True

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers arrive here too, and are dropped.
        if not self.is_head_over:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self.is_over:
            return
        status = self._parser.get_status_code()
        if status < 200 and status != 101:
            self._is_interim = True
            return
        self.status = status
        self.is_head_over = True
        if self._has_no_body:
            self.is_over = True

    def on_body(self, data: bytes) -> None:
        if self._has_no_body:
            self.has_excess = True
        if self.is_over:
            return
        if len(data) > self._room:
            data = data[: self._room]
            self.is_truncated = self.is_over = True
        self._room -= len(data)
        self._take(data)

    def on_message_complete(self) -> None:
        if self._is_interim:
            self._is_interim = self._has_status = False
            self.headers = []
        elif not self._is_message_over:
            self._is_message_over = self.is_over = True
            self.is_reusable = (
                self.problem is None
                and not self._has_no_body
                and self.status != 101
                and self._parser.should_keep_alive()
            )

    def _on_broken(self, error: HttpParserError) -> None:
        self.is_reusable = False
        if self.is_over:
            return
        has_status = self.is_head_over or self._has_status or bool(self.headers)
        status = self.status or self._parser.get_status_code()
        if has_status and status >= 200 and not isinstance(error, HttpParserInvalidStatusError):
            self.status = status
            self.is_truncated = self.is_over = True
            return
        self.fail(OutboundCode.PROTOCOL_ERROR, "the receiver's answer is not HTTP/1")

    def _check_size(self) -> None:
        head_bytes = sum(len(name) + len(value) + 4 for name, value in self.headers)
        if not self.is_head_over or head_bytes > self.max_header_bytes:
            limit = self.max_header_bytes
            self.fail(
                OutboundCode.HEADERS_TOO_LARGE, f"the headers of the receiver's answer exceed {limit} bytes"
            )
        elif self.received_bytes > head_bytes + _FRAMING_FACTOR * self._max_body_bytes + _FRAMING_BYTES:
            self.is_truncated = self.is_over = True

    def _is_length_known(self) -> bool:
        for name, value in self.headers:
            lowered = name.lower()
            if lowered == b"content-length":
                return True
            if lowered == b"transfer-encoding" and value.lower().rstrip().endswith(b"chunked"):
                return True
        return False
