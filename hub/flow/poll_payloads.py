"""How a poll looks on the wire: as an event, and when it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from hub.flow.chat_rows import PollRow, VoteRow
from hub.flow.event_shapes import PollData, PollOptionData
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.observation import Observation, ObservedOption
from hub.rules.chatkeys import normalize_handle

_options = msgspec.json.Decoder(tuple[ObservedOption, ...]).decode
_choices = msgspec.json.Decoder(tuple[str, ...]).decode


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """A poll with all its votes."""

    poll: PollRow
    votes: tuple[VoteRow, ...]


def choices_of(vote: VoteRow) -> tuple[str, ...]:
    """Give the ids of the options that a vote is for."""
    return _choices(vote.choices)


def options_named(tally: Tally, names: Sequence[str]) -> tuple[str, ...] | str:
    """Find the options that a person names, by id, words or number; give their ids, or the name that fits none."""
    offered = _options(tally.poll.options)
    chosen = []
    for name in names:
        found = [
            option.id
            for number, option in enumerate(offered, start=1)
            if name in {option.id, str(number)} or name.casefold() == option.text.casefold()
        ]
        if not found:
            return name
        chosen.append(found[0])
    return tuple(dict.fromkeys(chosen))


def counted(tally: Tally) -> tuple[PollOptionData, ...]:
    """Give the options of a poll, each with how many have chosen it."""
    counts = Counter(choice for vote in tally.votes for choice in choices_of(vote))
    return tuple(
        PollOptionData(id=option.id, text=option.text, votes=counts[option.id])
        for option in _options(tally.poll.options)
    )


def poll_data(tally: Tally, observation: Observation, *, line: Line) -> str:
    """Render the data of `poll.created` or `poll.voted`."""
    poll, seen = tally.poll, observation.poll
    is_vote = observation.kind == "poll.voted"
    poll_id = id_text(Prefix.POLL, poll.id)
    data = PollData(
        id=poll_id,
        poll_id=poll_id,
        chat_id=id_text(Prefix.CHAT, poll.chat_id) if poll.chat_id else None,
        line_id=id_text(Prefix.LINE, poll.line_id),
        line_handle=line.handle,
        guid=poll.guid,
        title=poll.title or None,
        options=counted(tally),
        is_from_me=bool(poll.is_from_me),
        creator=poll.creator,
        outbox_id=None if poll.outbox_id is None else id_text(Prefix.OUTBOX, poll.outbox_id),
        created_at=poll.created_at,
        actor=normalize_handle(observation.actor) if is_vote and observation.actor else None,
        choices=() if seen is None or not is_vote else tuple(sorted(set(seen.choices))),
        occurred_at=observation.at,
    )
    return msgspec.json.encode(data).decode()
