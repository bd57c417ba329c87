"""Why something that a network told gives nothing: words for people, with the code under which it is kept.

Readers give such a text in the place of observations. A text without a code says that something was missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hub.flow.bridge_kinds import HookReply
from hub.model.refused import RefusalCode


class Unread(str):
    """A reason with its code."""

    __slots__ = ("code",)
    code: RefusalCode

    def __new__(cls, why: str, code: RefusalCode) -> Unread:
        made = super().__new__(cls, why)
        made.code = code
        return made


def unused(why: str) -> Unread:
    """Say why something known is of no use to a hub: it is counted and not kept."""
    return Unread(why, RefusalCode.UNUSED)


def unknown(why: str) -> Unread:
    """Say that this version of the hub does not know something."""
    return Unread(why, RefusalCode.UNKNOWN_TYPE)


def code_of(why: str) -> RefusalCode:
    """Give the code of a reason."""
    return why.code if isinstance(why, Unread) else RefusalCode.INCOMPLETE


def worst_of(reasons: Iterable[str]) -> RefusalCode | None:
    """Give the code that stands for several reasons: one for which it is kept, if there is any."""
    codes = [code_of(each) for each in reasons]
    kept = [code for code in codes if code is not RefusalCode.UNUSED]
    return (kept or codes or [None])[0]


def passed_over(why: str) -> HookReply:
    """Answer well to what was believed and gives nothing: sent again, it would be no better."""
    return HookReply(reason=f"Passed over: {why}.", refusal=code_of(why))


NO_JSON: Final = Unread("it is no JSON object", RefusalCode.UNREADABLE)
