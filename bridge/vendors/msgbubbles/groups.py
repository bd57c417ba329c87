"""Groups at MsgBubbles: made by the first words to all, renamed, joined, left by others (contracts: msgbubbles §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.http_api import Answer, accepted, unknown
from bridge.taming import id_in, mapping_in
from bridge.vendors.account import Act
from bridge.vendors.msgbubbles.errors import FAULTS, done
from bridge.vendors.operations import in_path, members_of, place_of, text_of
from bridge.vendors.vendor_api import VendorApi
from hub.model.outbox import Operation, OperationKind, OperationOutcome


class MsgBubblesGroups:
    """What can be done with groups."""

    def __init__(self, api: VendorApi) -> None:
        self._api = api

    @property
    def acts(self) -> Mapping[OperationKind, Act]:
        return {
            OperationKind.GROUP_ADD: self._add,
            OperationKind.GROUP_CREATE: self._create,
            OperationKind.GROUP_REMOVE: self._remove,
            OperationKind.GROUP_RENAME: self._rename,
        }

    async def _create(self, operation: Operation) -> OperationOutcome:
        handles, name = members_of(operation), text_of(operation.payload, "name")
        body: dict[str, Any] = {
            "from_handle": operation.line_handle,
            "addresses": handles,
            "message": text_of(operation.payload, "text") or "",
        }
        body |= {} if name is None else {"title": name}
        answer = await self._api.do("POST", "/chats", body, once_as=operation.attempt_id)
        if not answer.is_good:
            return FAULTS.verdict(answer, may_repeat=True)
        chat_id = id_in(mapping_in(answer.body.get("data")).get("id"))
        if chat_id is None:
            return unknown("unreadable_answer", "MsgBubbles took it and named no group.")
        return replace(accepted(), result={"chat_key": chat_id, "participants": handles})

    async def _rename(self, operation: Operation) -> OperationOutcome:
        body = {"title": text_of(operation.payload, "name") or ""}
        return done(await self._api.do("PATCH", _path(operation), body))

    async def _add(self, operation: Operation) -> OperationOutcome:
        body = {"handle": text_of(operation.payload, "handle") or ""}
        return _moved(await self._api.do("POST", f"{_path(operation)}/participants", body))

    async def _remove(self, operation: Operation) -> OperationOutcome:
        who = in_path(text_of(operation.payload, "handle") or "")
        return _moved(await self._api.do("DELETE", f"{_path(operation)}/participants/{who}"))


def _moved(answer: Answer) -> OperationOutcome:
    """Read the network's verdict: 502 and 503 say that nothing was done (contracts §6)."""
    return accepted() if answer.is_good else FAULTS.verdict(answer, may_repeat=answer.status in (502, 503))


def _path(operation: Operation) -> str:
    return f"/chats/{in_path(place_of(operation))}"
