"""Read STOP, START and HELP; decide whose word counts, and what may still be sent to whom.

A keyword is the whole message: "stop by the shop" says nothing of consent. Compared is the text in NFKC and folded
case, without the punctuation, spaces and invisible characters around it, and with single spaces inside; so `Stop.`,
` "STOP" ` and STOP in full-width letters are STOP. Emoji are words: with one behind it, it is not the whole message.
In doubt it is silence: an opt-out beats whatever was said at the same time.
Not here: where consent is kept (the store) and who asks (hub.flow.consent).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from hub.model.consent import Consent, ConsentAction, ConsentSource
from hub.model.line_safety import SafetyPolicy
from hub.model.outbox import OperationKind

#: Longer messages are not looked at: no keyword is so long, however it is dressed up.
LONGEST_SAID: Final = 100
#: Unicode's punctuation, separators and control, format and unassigned characters.
_AROUND: Final = frozenset("PZC")
_ASCII_AROUND: Final = "".join(
    chr(code) for code in range(128) if unicodedata.category(chr(code))[0] in _AROUND
)

Keywords = Mapping[str, ConsentAction]


def folded(text: str) -> str:
    """Spell a text as keywords are compared; empty if nothing is left."""
    if text.isascii():  # the same, at a fifth of the cost: every short message that comes in is folded
        return " ".join(text.strip(_ASCII_AROUND).lower().split())
    plain = unicodedata.normalize("NFKC", text).casefold()
    start, end = 0, len(plain)
    while start < end and unicodedata.category(plain[start])[0] in _AROUND:
        start += 1
    while end > start and unicodedata.category(plain[end - 1])[0] in _AROUND:
        end -= 1
    return " ".join(plain[start:end].split())


def keyword_in(text: str | None, keywords: Keywords) -> tuple[ConsentAction, str] | None:
    """Give what a message says of consent, and the word; None for every ordinary message."""
    if text is None or len(text) > LONGEST_SAID:
        return None
    word = folded(text)
    action = keywords.get(word)
    return None if action is None else (action, word)


@lru_cache(maxsize=1024)
def keywords_of(
    stop_words: tuple[str, ...], start_words: tuple[str, ...], help_words: tuple[str, ...]
) -> Keywords:
    """Compile words; one that stands in two lists means the stricter."""
    words = {folded(word): ConsentAction.HELP for word in help_words}
    words |= {folded(word): ConsentAction.OPTED_IN for word in start_words}
    words |= {folded(word): ConsentAction.OPTED_OUT for word in stop_words}
    words.pop("", None)
    return words


def policy_keywords(policy: SafetyPolicy) -> Keywords:
    """The words of one line."""
    return keywords_of(policy.stop_words, policy.start_words, policy.help_words)


def supersedes(standing: Consent | None, *, action: ConsentAction, said_at: int) -> bool:
    """Tell whether a new word counts against the one that stands. The store's merge says the same in SQL.

    The later one counts. An opt-out also counts against an earlier-heard consent that the contact did not give
    with a message: whoever recorded that did not know of it yet.
    """
    if standing is None:
        return True
    if action is ConsentAction.OPTED_OUT and standing.action is ConsentAction.OPTED_IN:
        return said_at >= standing.said_at or standing.source is not ConsentSource.KEYWORD
    return said_at > standing.said_at


def decisive(consents: Iterable[Consent]) -> Consent | None:
    """Of what was said to a line and what was said to all, the word that counts: as if one log had heard both."""
    standing: Consent | None = None
    for each in sorted(consents, key=lambda each: (each.recorded_at, each.entry_id)):
        if supersedes(standing, action=each.action, said_at=each.said_at):
            standing = each
    return standing


#: The US rules let one text confirm an opt-out if it goes out within five minutes of it (FCC 12-143, from memory).
CONFIRM_WITHIN_MS: Final = 300_000


def may_confirm(consents: Iterable[Consent], *, entry_id: object, now_ms: int) -> bool:
    """Tell whether an opt-out may be confirmed now: it is the word that counts, and was recorded a moment ago.

    Args:
        consents: What was said to a line and what was said to all.
        entry_id: Of the opt-out, in the log.
        now_ms: Unix ms.
    """
    standing = decisive(consents)
    return (
        standing is not None
        and standing.entry_id == entry_id
        and now_ms - standing.recorded_at <= CONFIRM_WITHIN_MS
    )


def is_silenced(consents: Iterable[Consent]) -> bool:
    """Tell whether a handle has opted out of a line."""
    standing = decisive(consents)
    return standing is not None and standing.action is ConsentAction.OPTED_OUT


#: Whether an operation reaches the contact. One that does not (our own read marks, leaving, taking back) is never
#: withheld: it only makes us quieter.
REACHES_CONTACT: Final[dict[OperationKind, bool]] = {
    OperationKind.BACKGROUND: True,
    OperationKind.CHECK: False,
    OperationKind.CONTACT_CARD: True,
    OperationKind.EDIT: True,
    OperationKind.FACETIME: True,
    OperationKind.GROUP_ADD: True,
    OperationKind.GROUP_CREATE: True,
    OperationKind.GROUP_ICON: True,
    OperationKind.GROUP_LEAVE: False,
    OperationKind.GROUP_REMOVE: False,
    OperationKind.GROUP_RENAME: True,
    OperationKind.LOCATION: False,
    OperationKind.POLL: True,
    OperationKind.REACT: True,
    OperationKind.READ: False,
    OperationKind.SEND: True,
    OperationKind.TYPING: True,
    OperationKind.UNREAD: False,
    OperationKind.UNSEND: False,
}

#: Bring people into a group: nobody may be brought in who opted out, whatever `group_sends` says.
_INVITES: Final = frozenset({OperationKind.GROUP_ADD, OperationKind.GROUP_CREATE})


def asks_everybody(kind: OperationKind, *, is_group: bool, policy: SafetyPolicy) -> bool:
    """Tell whether the operation needs the consent of everybody it reaches."""
    if not REACHES_CONTACT[kind]:
        return False
    return kind in _INVITES or not is_group or policy.group_sends == "block"
