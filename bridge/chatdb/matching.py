"""Tell whether a row of chat.db is a message that we asked for: its chat, its words or its file, and when. Pure.

Messages corrects quotes and blanks, so words are compared by their letters and digits, as BlueBubbles does.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from bridge.chatdb.content import shown, words_of
from bridge.chatdb.rows import MessageRow
from bridge.chatdb.summary import NOTHING
from bridge.macos.apple_time import unix_ms
from bridge.macos.sends import Expected
from hub.rules.chatkeys import normalize_chat_key

#: How much the dates of Messages and ours may differ.
SLACK_MS: Final = 10_000


def comparable(words: str) -> str:
    """Give words as they are compared; what has no letters at all stays as it is."""
    letters = "".join(each for each in unicodedata.normalize("NFC", words) if each.isalnum())
    return letters or words.replace("\ufffc", "").strip()


def matches(expected: Expected, row: MessageRow) -> bool:
    """Tell whether the row is what was asked for, whoever it says has sent it."""
    if row.chat is None or row.item_type or row.associated_type:
        return False
    if normalize_chat_key(row.chat.guid, is_group=row.chat.is_group) != expected.chat_key:
        return False
    return _is_in_time(expected, row) and _says_it(expected, row)


def is_ghost(row: MessageRow) -> bool:
    """Tell whether it is what macOS 26 leaves of a message that it did not send: of ours, empty, SMS, in no chat."""
    is_empty = not row.text and not row.attributed_body and not row.attachments
    return row.is_from_me and row.chat is None and is_empty and row.service == "SMS"


def _is_in_time(expected: Expected, row: MessageRow) -> bool:
    if expected.after_rowid is not None:
        return row.rowid > expected.after_rowid
    at = unix_ms(row.date)
    return at is not None and at >= expected.since_ms - SLACK_MS


def _says_it(expected: Expected, row: MessageRow) -> bool:
    if expected.filename is None:
        return comparable(words_of(row, NOTHING)) == expected.words
    names = {
        (each.transfer_name or each.filename or "").rpartition("/")[2] for each in shown(row.attachments)
    }
    return expected.filename in names
