"""What of a message filter only a look into the row can decide, as SQL that means the same on both databases.

A status is the rule of hub.rules.message_status in SQL; tests hold it to that. Words: text_search.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, not_, or_

from hub.flow.message_pages import MessageFilter
from hub.model.observation import ATTACHED
from hub.rules.message_status import MessageStatus
from hub.store.repositories.text_search import holds_words
from hub.store.schema import messages

Condition = ColumnElement[bool]

_columns = messages.c
_OURS = _columns.is_from_me == 1
_IS_SENT = or_(_columns.accepted_at.is_not(None), _columns.queued_at.is_(None))
#: Highest first, as the rule ranks them.
_RANKS: tuple[tuple[MessageStatus, Condition], ...] = (
    (MessageStatus.UNSENT, _columns.unsent_at.is_not(None)),
    (MessageStatus.READ, _columns.read_at.is_not(None)),
    (MessageStatus.DELIVERED, _columns.delivered_at.is_not(None)),
    (MessageStatus.CANCELLED, _columns.cancelled_at.is_not(None)),
    (MessageStatus.FAILED, _columns.failed_at.is_not(None)),
    (MessageStatus.SENT, _IS_SENT),
)
#: The marks of parts that people see as attachments; within words the quotes would be escaped.
_MARKS = tuple(f'"type":"{name}"' for name in sorted(ATTACHED))


def conditions(wanted: MessageFilter, dialect: str) -> list[Condition]:
    """Give the conditions beyond the index range."""
    found: list[Condition] = []
    if wanted.job_id is not None:
        found += [_columns.job_id == wanted.job_id, _columns.line_id.in_(wanted.line_ids)]
    if wanted.is_from_me is not None:
        found.append(_columns.is_from_me == int(wanted.is_from_me))
    if wanted.service is not None:
        found.append(_columns.service == wanted.service)
    if wanted.status is not None:
        found.append(has_status(wanted.status))
    if wanted.has_attachments is not None:
        found.append(_has_attachments() if wanted.has_attachments else not_(_has_attachments()))
    if wanted.words is not None:
        found.append(holds_words(_columns.text, wanted.words, dialect))
    return found


def has_status(status: MessageStatus) -> Condition:
    """Tell whether a message has a status: its own mark is there, and no higher one."""
    if status is MessageStatus.RECEIVED:
        return _columns.is_from_me == 0
    ranked = dict(_RANKS)
    higher = [mark for each, mark in _RANKS if each is not status]
    if status in ranked:
        higher = higher[: [each for each, _ in _RANKS].index(status)]
        return and_(_OURS, ranked[status], *(not_(mark) for mark in higher))
    return and_(_OURS, *(not_(mark) for mark in higher))


def _has_attachments() -> Condition:
    marks = (_columns.parts.contains(mark, autoescape=True) for mark in _MARKS)
    return and_(_columns.parts.is_not(None), or_(*marks))
