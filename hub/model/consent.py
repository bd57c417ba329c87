"""Consent: whether a contact wants to hear from a line, and the log of everything that was said about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: The line id of a word that counts for every line of the hub.
EVERY_LINE: Final = 0


class ConsentAction(StrEnum):
    """What was said."""

    OPTED_OUT = "opted_out"
    OPTED_IN = "opted_in"
    #: The contact asked for help; changes nothing.
    HELP = "help"


class ConsentSource(StrEnum):
    """Who said it, on which way."""

    #: The contact, with a message.
    KEYWORD = "keyword"
    #: A program, with POST /v1/consents.
    API = "api"
    IMPORT = "import"
    #: A person, with `hub consents set`.
    OPERATOR = "operator"
    #: The network, which heard the contact itself: it refuses a send, or tells us.
    NETWORK = "network"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentEntry:
    """One line of the log; entries are added, never changed."""

    id: int
    #: For which line it counts; EVERY_LINE for all.
    scope_line_id: int
    #: The line that heard it, or that was named; None where none was.
    line_id: int | None
    handle: str
    action: ConsentAction
    source: ConsentSource
    #: Unix ms: when it was said, by the network's clock, never later than `recorded_at`.
    said_at: int
    recorded_at: int
    #: The message that said it.
    message_id: int | None = None
    #: The word, as it is compared.
    keyword: str | None = None
    #: Why, as a person or a program says it.
    reason: str | None = None
    #: The API key that asked for it.
    api_key_id: int | None = None
    #: Whether it changed anything; False for a repetition and for what a later word had overtaken.
    is_applied: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Consent:
    """Where one handle stands with one line, or with all of them."""

    scope_line_id: int
    handle: str
    action: ConsentAction
    source: ConsentSource
    said_at: int
    recorded_at: int
    #: The line that heard it.
    line_id: int | None
    #: The entry of the log that says so.
    entry_id: int
