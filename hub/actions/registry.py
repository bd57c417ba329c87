"""Every action that the hub brings along, in the order of the alphabet."""

from __future__ import annotations

from typing import Any, Final

from hub.actions import contacts, conversations, drafts, logs, sends, signs, suppression
from hub.actions.built_in import BuiltIn, BuiltInActions
from hub.actions.desk import ActionParts, open_desk

BUILT_INS: Final[tuple[BuiltIn[Any], ...]] = (
    drafts.REPLY,
    suppression.SUPPRESS,
    contacts.TAG,
    contacts.UPDATE,
    conversations.ASSIGN,
    logs.LOG,
    signs.REACT,
    signs.READ,
    sends.REPLY,
    sends.SEND,
    signs.TYPING,
)


def built_in_actions(parts: ActionParts) -> BuiltInActions:
    """Open all of them in a process."""
    return BuiltInActions(desk=open_desk(parts), actions=BUILT_INS)
