"""What observations of groups and polls leave behind, for the merges of ingest: who is in, what is asked, who voted.

Bridges repeat and reorder. The latest word on each member, and the latest vote of each voter, count; a poll is made
once. All of it is seldom, so a batch of messages pays nothing.
Not here: names and lists of members that come with messages (hub.flow.snapshots).
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import msgspec

from hub.flow.chat_rows import ChatState, MemberRow, PollRow, VoteRow
from hub.flow.poll_payloads import Tally
from hub.flow.ports import HotTransaction
from hub.flow.rows import ChatRow
from hub.model.line import Line
from hub.model.observation import Observation
from hub.model.outbox import outbox_id_of
from hub.rules.chatkeys import normalize_handle

_MOVES: Final = frozenset({"chat.member_added", "chat.member_removed", "chat.left"})
_CHANGES: Final = _MOVES | {"chat.icon", "chat.renamed"}
_NOBODY: Final = "[]"

Row = TypeVar("Row")
Key = TypeVar("Key")
Rank = TypeVar("Rank", tuple[int, int], tuple[int, str])


class Item(Protocol):
    """One observation on its way through a batch (hub.flow.ingest)."""

    observation: Observation
    line: Line | None
    chat: ChatRow | None
    poll: Tally | None


def undated(row: ChatRow, observation: Observation) -> ChatRow:
    """Leave a group's name and list out of the merge where the observation dates them: `keep_groups` weighs them."""
    if observation.kind not in _CHANGES or not row.is_group:
        return row
    return row._replace(name=None, participants=_NOBODY)


async def keep_groups(tx: HotTransaction, items: Sequence[Item]) -> None:
    """Let members come and go, names and pictures change; the items' chats stand as they are then.

    Bridges repeat and reorder: a name, a list or a word on a member that is older than what was told changes nothing.
    """
    changes = [item for item in items if item.observation.kind in _CHANGES and _is_group(item)]
    if not changes:
        return
    words = _latest(
        (_word(item) for item in changes if item.observation.kind in _MOVES), _of_member, _by_date
    )
    await tx.chats.merge_members(words)
    chat_ids = sorted({_chat(item).id for item in changes})
    standing = await tx.chats.members(chat_ids)
    groups = {
        state.id: _Group(state, [word for word in standing if word.chat_id == state.id])
        for state in await tx.chats.states(chat_ids)
    }
    for item in sorted(changes, key=lambda each: each.observation.at):
        groups[_chat(item).id].change(item.observation)
    told = {_of_member(word) for word in words}
    handles = {_chat(item).id: _line(item).handle for item in changes}
    for chat_id, group in groups.items():
        group.move(told, line_handle=handles[chat_id])
    await tx.chats.save_states([group.state for group in groups.values()])
    for item in items:
        if item.chat is not None and (found := groups.get(item.chat.id)) is not None:
            item.chat = item.chat._replace(name=found.state.name, participants=found.state.participants)


async def keep_polls(
    tx: HotTransaction, items: Sequence[Item], ids: Callable[[int], list[int]], now_ms: int
) -> None:
    """Keep polls and votes; give each item its poll with the votes as they are then."""
    asked = [item for item in items if item.observation.poll is not None]
    if not asked:
        return
    rows = [
        _poll_row(item, poll_id=poll_id, now_ms=now_ms)
        for poll_id, item in zip(ids(len(asked)), asked, strict=True)
    ]
    rows = await _believed(tx, rows)
    polls: dict[tuple[int, str], PollRow] = {}
    for wave in _waves(rows):
        polls.update({_of_poll(row): row for row in await tx.chats.merge_polls(wave)})
    votes = [_vote_row(item) for item in asked if item.observation.kind == "poll.voted"]
    await tx.chats.merge_votes(_latest(votes, _of_voter, _by_vote_date))
    cast: dict[tuple[int, str], list[VoteRow]] = {}
    for vote in await tx.chats.votes(sorted(polls)):
        cast.setdefault((vote.line_id, vote.poll_guid), []).append(vote)
    for item, row in zip(asked, rows, strict=True):
        key = _of_poll(row)
        item.poll = Tally(poll=polls[key], votes=tuple(cast.get(key, ())))


def _is_group(item: Item) -> bool:
    return item.chat is not None and bool(item.chat.is_group)


def _chat(item: Item) -> ChatRow:
    assert item.chat is not None, "only items with a chat change one"
    return item.chat


def _line(item: Item) -> Line:
    assert item.line is not None, "items without a line are answered before the merge"
    return item.line


def _word(item: Item) -> MemberRow:
    """Read who came or went; without a name it is our line that left."""
    seen, line = item.observation, _line(item)
    who = (seen.actor or seen.value) if seen.kind == "chat.left" else seen.value
    is_in = int(seen.kind == "chat.member_added")
    return MemberRow(_chat(item).id, normalize_handle(who) if who else line.handle, is_in, seen.at)


@dataclass
class _Group:
    """A group while a batch changes it."""

    state: ChatState
    #: The latest word on each who ever came or went.
    standing: Sequence[MemberRow]
    #: Whether the batch tells a newer list of members: then every word since counts anew.
    is_listed: bool = False

    def change(self, seen: Observation) -> None:
        """Take over the name, the list and the picture, unless something newer was told."""
        state, chat = self.state, seen.chat
        name = (
            seen.value or None if seen.kind == "chat.renamed" else (chat.name if chat is not None else None)
        )
        is_named = seen.kind == "chat.renamed" or name is not None
        if is_named and seen.at >= (state.named_at or 0):
            state = state._replace(name=name, named_at=seen.at)
        if chat is not None and chat.participants and seen.at >= (state.listed_at or 0):
            members = list(dict.fromkeys(map(normalize_handle, chat.participants)))
            state = state._replace(participants=_json(members), listed_at=seen.at)
            self.is_listed = True
        # A picture that somebody else gave, or that was taken away, is not the one that we gave.
        if seen.kind == "chat.icon" and (seen.actor is not None or seen.value == "removed"):
            state = state._replace(icon_file_id=None)
        self.state = state

    def move(self, told: Container[tuple[int, str]], *, line_handle: str) -> None:
        """Let members come and go by the words that count now."""
        for word in self.standing:
            is_newer = word.changed_at >= (self.state.listed_at or 0)
            if word.handle == line_handle or (is_newer and (self.is_listed or _of_member(word) in told)):
                self.state = after_move(self.state, word, line_handle=line_handle)


def after_move(state: ChatState, word: MemberRow, *, line_handle: str) -> ChatState:
    """Give how a chat stands after the latest word on one who came or went."""
    if word.handle == line_handle:
        return state._replace(left_at=None if word.is_member else word.changed_at)
    members: list[str] = msgspec.json.decode(state.participants)
    if bool(word.is_member) is (word.handle in members):
        return state
    changed = [*members, word.handle] if word.is_member else [each for each in members if each != word.handle]
    return state._replace(participants=_json(changed))


def _json(members: list[str]) -> str:
    return msgspec.json.encode(members).decode()


def _poll_row(item: Item, *, poll_id: int, now_ms: int) -> PollRow:
    """Give the poll as the observation shows it; a vote shows hardly more than that there is one."""
    seen, poll = item.observation, item.observation.poll
    assert poll is not None, "only items with a poll are asked"
    is_made = seen.kind == "poll.created"
    return PollRow(
        id=poll_id,
        line_id=_line(item).id,
        chat_id=item.chat.id if item.chat is not None else 0,
        guid=poll.provider_id,
        title=poll.title or "",
        options=msgspec.json.encode(poll.options).decode(),
        creator=normalize_handle(seen.actor) if is_made and seen.actor else None,
        is_from_me=int(is_made and seen.actor is None),
        outbox_id=outbox_id_of(poll.attempt_id) if poll.attempt_id is not None else None,
        created_at=seen.at if is_made else None,
        synced_at=now_ms,
    )


async def _believed(tx: HotTransaction, rows: list[PollRow]) -> list[PollRow]:
    """Believe no poll that quotes an item of another line."""
    quotes = sorted({row.outbox_id for row in rows if row.outbox_id is not None})
    own = {(claim.id, claim.line_id) for claim in await tx.outbox_claims(quotes)} if quotes else set()
    return [
        # A poll that we were asked for has the id of its outbox item, whoever is first to tell of it.
        row._replace(id=row.outbox_id)
        if row.outbox_id is not None and (row.outbox_id, row.line_id) in own
        else row._replace(outbox_id=None)
        for row in rows
    ]


def _vote_row(item: Item) -> VoteRow:
    seen, poll, line = item.observation, item.observation.poll, _line(item)
    assert poll is not None, "only items with a poll are asked"
    voter = normalize_handle(seen.actor) if seen.actor else line.handle
    choices = msgspec.json.encode(sorted(set(poll.choices))).decode()
    return VoteRow(line.id, poll.provider_id, voter, choices, seen.at)


def _of_member(row: MemberRow) -> tuple[int, str]:
    return row.chat_id, row.handle


def _of_poll(row: PollRow) -> tuple[int, str]:
    return row.line_id, row.guid


def _of_voter(row: VoteRow) -> tuple[int, str, str]:
    return row.line_id, row.poll_guid, row.voter


def _by_date(row: MemberRow) -> tuple[int, int]:
    return row.changed_at, row.is_member


def _by_vote_date(row: VoteRow) -> tuple[int, str]:
    return row.voted_at, row.choices


def _latest(rows: Iterable[Row], key: Callable[[Row], Key], rank: Callable[[Row], Rank]) -> list[Row]:
    """Of the rows of one batch under the same key, the one that ranks highest."""
    found: dict[Key, Row] = {}
    for row in rows:
        known = found.get(key(row))
        if known is None or rank(row) >= rank(known):
            found[key(row)] = row
    return list(found.values())


def _waves(rows: Iterable[PollRow]) -> list[list[PollRow]]:
    """Split rows so that no poll repeats within a wave."""
    waves: list[dict[tuple[int, str], PollRow]] = []
    for row in rows:
        key = _of_poll(row)
        free = [wave for wave in waves if key not in wave]
        if not free:
            waves.append({})
        (free or waves[-1:])[0][key] = row
    return [list(wave.values()) for wave in waves]
