"""What all providers' wires have in common: a request, an answer, pieces of one, and what went wrong.

A wire is pure: it never calls anybody. hub.ai.client does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

import msgspec

from hub.model.draft import Delta, Draft, FinishReason, Prompt

#: Most of a provider's own words that are passed on.
_LONGEST_MESSAGE: Final = 300


class Fault(Enum):
    """Whose fault it is that there is no draft, hence what can be done."""

    #: It may work in a moment.
    PASSING = "passing"
    #: The connection is set wrongly: key, model, address, account.
    SETTINGS = "settings"
    #: The provider will not answer this.
    REFUSED = "refused"


class WireProblem(Exception):
    """A provider gave no draft."""

    def __init__(self, fault: Fault, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message[:_LONGEST_MESSAGE]
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class WireRequest:
    """A POST to a provider."""

    url: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Wire(Protocol):
    """How one family of providers is spoken to."""

    def request(self, prompt: Prompt, *, max_output_tokens: int, is_streamed: bool) -> WireRequest:
        """Say what is to be posted."""
        ...

    def draft(self, body: bytes) -> Draft:
        """Read a whole answer.

        Raises:
            WireProblem: It is none, or holds a refusal.
        """
        ...

    def delta(self, data: str) -> Delta | None:
        """Read one server-sent event; None for one that says nothing.

        Raises:
            WireProblem: It tells of a fault.
        """
        ...

    def problem(self, status: int, body: bytes) -> WireProblem:
        """Read an answer that is no success."""
        ...


class Document:
    """Foreign JSON, tamed: whatever is missing or of another kind is simply not there."""

    def __init__(self, value: object) -> None:
        self._value = value

    @classmethod
    def read(cls, text: bytes | str) -> Document:
        """Read JSON.

        Raises:
            WireProblem: It is none.
        """
        try:
            return cls(msgspec.json.decode(text))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise WireProblem(Fault.PASSING, "its answer is not JSON") from None

    def __getitem__(self, key: str | int) -> Document:
        value = self._value
        if isinstance(key, str):
            return Document(value.get(key) if isinstance(value, dict) else None)
        return Document(value[key] if isinstance(value, list) and -len(value) <= key < len(value) else None)

    def items(self) -> list[Document]:
        """The elements of a list."""
        return [Document(each) for each in self._value] if isinstance(self._value, list) else []

    @property
    def text(self) -> str | None:
        return self._value if isinstance(self._value, str) else None

    @property
    def count(self) -> int | None:
        """A whole number that is not negative."""
        value = self._value
        is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return value if is_count and isinstance(value, int) else None


def finish_reason(text: str | None, table: Mapping[str, FinishReason]) -> FinishReason:
    """Translate why a model stopped."""
    return table.get(text or "", FinishReason.OTHER)


def fault_of(status: int) -> Fault:
    """Judge an answer by its status alone."""
    if status in {408, 409, 425, 429} or status >= 500:
        return Fault.PASSING
    return Fault.REFUSED if status in {400, 413, 422} else Fault.SETTINGS
