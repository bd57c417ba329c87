"""Files that go with one message only: the send that is first gets them, within the transaction that owes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hub.flow.ports import HotTransaction
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text


class FirstUse(NamedTuple):
    """The files that a request wants nobody to have used."""

    #: Of the request's first item.
    outbox_id: int
    file_ids: tuple[int, ...]


async def refuse_used(tx: HotTransaction, asked: Sequence[FirstUse]) -> dict[int, InvalidRequest]:
    """Give the refusals of those who come too late, by item; of one batch the first is first."""
    used = await tx.files.used([file_id for each in asked for file_id in each.file_ids])
    refused: dict[int, InvalidRequest] = {}
    for outbox_id, file_ids in asked:
        late = next((file_id for file_id in file_ids if file_id in used), None)
        if late is None:
            used.update(file_ids)
        else:
            message = (
                f"The file {id_text(Prefix.FILE, late)} is used already; upload it again to send it again."
            )
            refused[outbox_id] = InvalidRequest("file_in_use", message, param="attachments")
    return refused
