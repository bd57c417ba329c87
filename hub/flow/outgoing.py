"""Accept what lines are to do: check it, then owe it to the line's bridge. Accepted is not delivered.

What comes at the same time shares one durable transaction. A message exists from then on, beside its outbox item
(decision 9). An idempotency key is inserted in the same transaction as the items it names, so of concurrent
duplicates one is done and the others get its answer.
Not here: performing it (hub.flow.send), who the recipient is (hub.flow.recipients), and what happens to an accepted
message before it is sent, or after it failed (hub.flow.second_thoughts).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from hub.flow.batching import Batcher
from hub.flow.capabilities import require_able
from hub.flow.directory import DirectoryHolder
from hub.flow.file_links import FileLinks
from hub.flow.file_ports import USED_BY_MESSAGE, FileUseRow
from hub.flow.first_use import FirstUse, refuse_used
from hub.flow.guards import PERMISSIVE, SendGuard
from hub.flow.ports import Clock, HotTransaction, WakeUps
from hub.flow.record import Recorder
from hub.flow.remaining import PARTS_KEPT
from hub.flow.repeating import Accepted, AcceptedItem, Answer, Repeatable, answer_of, key_row
from hub.flow.repositories import Store
from hub.flow.rows import EventRow, IdempotencyRow, MessageRow, OutboxRow
from hub.flow.safety import CONFIRMS, RESTLESS
from hub.flow.safety import Wish as Guarded
from hub.flow.sent_parts import file_ids, sent_parts
from hub.flow.snapshots import fold_chats
from hub.flow.wishes import Wish, asked_chat, asked_message, outbox_row, own_event
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory
from hub.model.line import Line
from hub.model.outbox import AS_SMS, OperationKind

#: Tries of a send that certainly did not start; what the wire shows as `max_attempts`.
MOST_ATTEMPTS = 8
#: Requests in one transaction at the most.
MOST_SENDS = 256
#: Fields that we add to the client's request for the bridge; they are not shown again.
RESOLVED_FIELDS = frozenset(
    {
        AS_SMS,
        "chat_key",
        "files",
        "last_received_guid",
        "message_guid",
        "message_guids",
        "reply_to_guid",
        CONFIRMS,
        PARTS_KEPT,
        RESTLESS,
    }
)


class Order(NamedTuple):
    """One of many operations that are accepted together (a bulk job)."""

    wish: Wish
    repeatable: Repeatable | None


class _Asked(NamedTuple):
    """One request on its way into the batch."""

    line: Line
    wishes: Sequence[Wish]
    rows: Sequence[OutboxRow]
    #: For each row the id of the message that it makes, or acts on.
    message_ids: Sequence[int | None]
    repeatable: Repeatable | None

    @property
    def accepted(self) -> Accepted:
        pairs = zip(self.rows, self.message_ids, strict=True)
        return Accepted(items=tuple(AcceptedItem(row.id, message_id) for row, message_id in pairs))


class Outgoing:
    """Takes what lines are to do."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        clock: Clock,
        new_id: IdFactory,
        wake_ups: WakeUps,
        can_send: Callable[[Line], bool] = lambda line: True,
        guard: SendGuard = PERMISSIVE,
        links: FileLinks | None = None,
    ) -> None:
        #: Makes the addresses of attachments in events.
        self.links = links
        self._can_send = can_send
        self._guard = guard
        self._clock = clock
        self._new_id = new_id
        self._wake_ups = wake_ups
        self._recorder = Recorder(
            store=store.hot, directory=directory, take_ids=new_id.take, wake_ups=wake_ups, clock=clock
        )
        self._batches: Batcher[_Asked, Answer] = Batcher(self._record, most_items=MOST_SENDS)

    async def accept(
        self,
        line: Line,
        kind: OperationKind,
        payload: Mapping[str, object],
        *,
        api_key_id: int | None,
        repeatable: Repeatable | None = None,
        message_id: int | None = None,
    ) -> Accepted:
        """Owe one operation to a line's bridge; durable when this returns.

        Args:
            line: Whose lane it joins.
            kind: What to do.
            payload: The client's request, checked, with what it names resolved (`RESOLVED_FIELDS`).
            api_key_id: Who asked.
            repeatable: None when the client gave no idempotency key.
            message_id: The message acted on.

        Raises:
            InvalidRequest: advanced_features_required, line_inactive, idempotency_key_conflict, or what the guard says.
        """
        wish = Wish(kind=kind, payload=payload, message_id=message_id)
        return await self.accept_set(line, [wish], api_key_id=api_key_id, repeatable=repeatable)

    async def accept_set(
        self,
        line: Line,
        wishes: Sequence[Wish],
        *,
        api_key_id: int | None,
        repeatable: Repeatable | None = None,
    ) -> Accepted:
        """Owe what one request asks for, all of it or nothing.

        Raises:
            InvalidRequest: As `accept`; then nothing of it is owed.
        """
        for wish in wishes:
            self.check(line, wish)
        answer = await self._batches.submit(self._asked(line, wishes, api_key_id, repeatable))
        if isinstance(answer, InvalidRequest):
            raise answer
        return answer

    async def accept_many(
        self, line: Line, orders: Sequence[Order], *, api_key_id: int | None
    ) -> list[Answer]:
        """Owe many operations in one transaction, each for itself; one that is refused does not hold up the others.

        A caller that may be killed in between gives each order a `Repeatable`: repeating the call then adds nothing.
        """
        answers: list[Answer | None] = []
        asked: list[_Asked] = []
        for wish, repeatable in orders:
            try:
                self.check(line, wish)
            except InvalidRequest as refusal:
                answers.append(refusal)
            else:
                answers.append(None)
                asked.append(self._asked(line, [wish], api_key_id, repeatable))
        recorded = iter(await self._record(asked) if asked else ())
        return [answer or next(recorded) for answer in answers]

    async def admit(self, tx: HotTransaction, line: Line, wish: Wish, row: OutboxRow) -> None:
        """Check and guard an operation that somebody else owes within a transaction of theirs.

        Raises:
            InvalidRequest: As `accept`; nothing of the transaction may stay.
        """
        self.check(line, wish)
        [refusal] = await self._guard.admit(tx, [_guarded(line, wish, row)], self._clock.now_ms())
        if refusal is not None:
            raise refusal

    def check(self, line: Line, wish: Wish) -> None:
        """Refuse what the line cannot do at all.

        Raises:
            InvalidRequest: advanced_features_required or line_inactive.
        """
        if not self._can_send(line):
            raise InvalidRequest(
                "advanced_features_required",
                "The bridge of this line only brings events in; it cannot send. Use another line.",
                param="from",
            )
        require_able(line, wish.kind, wish.payload)
        if not line.is_active:
            raise InvalidRequest("line_inactive", "The line is switched off; nothing is sent.", param="from")

    def _asked(
        self, line: Line, wishes: Sequence[Wish], api_key_id: int | None, repeatable: Repeatable | None
    ) -> _Asked:
        now_ms, ids = self._clock.now_ms(), self._new_id.take(len(wishes))
        rows = [
            outbox_row(wish, outbox_id=outbox_id, line=line, api_key_id=api_key_id, now_ms=now_ms)
            for wish, outbox_id in zip(wishes, ids, strict=True)
        ]
        if len(rows) > 1:
            rows = [row._replace(set_id=rows[0].id) for row in rows]
        message_ids = [
            self._new_id() if wish.kind is OperationKind.SEND else wish.message_id for wish in wishes
        ]
        return _Asked(line, wishes, rows, message_ids, repeatable)

    async def _record(self, asked: Sequence[_Asked]) -> list[Answer]:
        """Insert a batch; a refusal where a key was used with another request, or the guard forbids it."""
        answers = await self._recorder.write(lambda tx: self._record_in(tx, asked))
        first: dict[int, int] = {}
        for row in (row for request in asked for row in request.rows):
            first[row.line_id] = min(row.next_attempt_at, first.get(row.line_id, row.next_attempt_at))
        for line_id, at_ms in first.items():
            self._wake_ups.line_due(line_id, at_ms)
        return answers

    async def _record_in(
        self, tx: HotTransaction, asked: Sequence[_Asked]
    ) -> tuple[list[Answer], list[EventRow]]:
        firsts = _firsts(asked, self._clock.now_ms())
        known = await tx.insert_idempotency(list(firsts.values()))
        held = {place: existing or own for (place, own), existing in zip(firsts.items(), known, strict=True)}
        answers = [_answer(request, held) for request in asked]
        fresh = [
            request
            for request, answer in zip(asked, answers, strict=True)
            if isinstance(answer, Accepted) and not answer.is_replayed
        ]
        refused = await self._refused(tx, fresh)
        if refused:
            fresh = [request for request in fresh if request.rows[0].id not in refused]
            answers = [_or_refusal(answer, refused) for answer in answers]
        messages = await self._messages(tx, fresh)
        made = {message.outbox_id: message for message, _, _ in messages}
        await tx.merge_own_messages(list(made.values()))
        await tx.files.use(_file_uses(fresh, made))
        await tx.insert_outbox([_with_message(row, made) for request in fresh for row in request.rows])
        events = [
            own_event(
                "message.queued",
                message,
                outbox_id=message.outbox_id or 0,
                line_handle=line.handle,
                chat_key=chat_key,
                at_ms=message.synced_at,
                links=self.links,
            )
            for message, line, chat_key in messages
        ]
        return answers, events

    async def _refused(self, tx: HotTransaction, asked: Sequence[_Asked]) -> dict[int, InvalidRequest]:
        """Look at files that must not be used yet, and ask the guard; give refusals by the first item of their request.

        Raises:
            InvalidRequest: One of several wishes of a request is refused, so all of it must be undone.
        """
        refused = await refuse_used(tx, [_first_use(request) for request in asked])
        guarded = [
            (request, _guarded(request.line, wish, row))
            for request in asked
            if request.rows[0].id not in refused
            for wish, row in zip(request.wishes, request.rows, strict=True)
        ]
        verdicts = await self._guard.admit(tx, [wish for _, wish in guarded], self._clock.now_ms())
        for (request, _), refusal in zip(guarded, verdicts, strict=True):
            if refusal is None:
                continue
            if len(request.rows) > 1:
                raise refusal
            refused[request.rows[0].id] = refusal
        repeatables = [request.repeatable for request in asked if request.rows[0].id in refused]
        await tx.forget_idempotency([(each.scope, each.key) for each in repeatables if each is not None])
        return refused

    async def _messages(
        self, tx: HotTransaction, asked: Sequence[_Asked]
    ) -> list[tuple[MessageRow, Line, str]]:
        """Give the messages that sends make, with the keys of their chats, which exist from now on if they did not."""
        sends = [
            (request.line, wish, row, message_id)
            for request in asked
            for wish, row, message_id in zip(request.wishes, request.rows, request.message_ids, strict=True)
            if message_id is not None and wish.kind is OperationKind.SEND
        ]
        chats = [
            asked_chat(wish.chat_key or "", chat_id=self._new_id(), line_id=line.id, now_ms=row.created_at)
            for line, wish, row, _ in sends
        ]
        merged = await tx.merge_chats(fold_chats(chats))
        chat_ids = {(chat.line_id, chat.chat_key): chat.id for chat in merged}
        return [
            (
                asked_message(
                    wish, row, message_id=message_id, chat_id=chat_ids[chat.line_id, chat.chat_key]
                ),
                line,
                chat.chat_key,
            )
            for (line, wish, row, message_id), chat in zip(sends, chats, strict=True)
        ]


def _file_uses(asked: Sequence[_Asked], made: Mapping[int | None, MessageRow]) -> list[FileUseRow]:
    """Say which files the messages need: from now on they stay. One that went just now fails its send."""
    return [
        FileUseRow(file_id, USED_BY_MESSAGE, message.id, message.line_id)
        for request in asked
        for row, wish in zip(request.rows, request.wishes, strict=True)
        if (message := made.get(row.id)) is not None
        for file_id in file_ids(sent_parts(wish.payload))
    ]


def _first_use(request: _Asked) -> FirstUse:
    """Say which files a request wants to be the first to use."""
    wanted = [wish.payload for wish in request.wishes if wish.payload.get("first_use")]
    files = [file_id for payload in wanted for file_id in file_ids(sent_parts(payload))]
    return FirstUse(outbox_id=request.rows[0].id, file_ids=tuple(dict.fromkeys(files)))


def _with_message(row: OutboxRow, made: Mapping[int | None, MessageRow]) -> OutboxRow:
    message = made.get(row.id)
    return row if message is None else row._replace(message_id=message.id)


def _firsts(asked: Sequence[_Asked], now: int) -> dict[tuple[str, str], IdempotencyRow]:
    """For each idempotency key of the batch, the row of the first request that carries it."""
    rows: dict[tuple[str, str], IdempotencyRow] = {}
    for request in asked:
        if (repeatable := request.repeatable) is not None:
            rows.setdefault((repeatable.scope, repeatable.key), key_row(repeatable, request.accepted, now))
    return rows


def _guarded(line: Line, wish: Wish, row: OutboxRow) -> Guarded:
    return Guarded(
        outbox_id=row.id,
        line=line,
        kind=wish.kind,
        payload=wish.payload,
        is_counted=bool(row.is_counted),
    )


def _or_refusal(answer: Answer, refused: Mapping[int, InvalidRequest]) -> Answer:
    """Give the refusal of the request that made what is answered."""
    return refused.get(answer.outbox_id, answer) if isinstance(answer, Accepted) else answer


def _answer(request: _Asked, held: Mapping[tuple[str, str], IdempotencyRow]) -> Answer:
    repeatable = request.repeatable
    if repeatable is None:
        return request.accepted
    row = held[repeatable.scope, repeatable.key]
    return answer_of(row, repeatable, own_id=request.rows[0].id)
