"""Groups at Blooio: made by the first words to all, renamed, given a picture, left (contracts: blooio §0, §3).

Not here: members who come and go, which the vendor answers with 501.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bridge.file_forms import file_form
from bridge.http_api import accepted, rejected, unknown
from bridge.taming import handle_in, id_in, list_in, mapping_in, tame
from bridge.vendors.account import Act
from bridge.vendors.blooio.errors import FAULTS, done
from bridge.vendors.blooio.reading import message_id_in
from bridge.vendors.operations import in_path, members_of, place_of, text_of
from bridge.vendors.vendor_api import VendorApi
from hub.flow.calling import CallFailed
from hub.model.outbox import Operation, OperationKind, OperationOutcome

_ICON: Final = "icon"


class BlooioGroups:
    """What can be done with groups."""

    def __init__(self, api: VendorApi) -> None:
        self._api = api

    @property
    def acts(self) -> Mapping[OperationKind, Act]:
        return {
            OperationKind.GROUP_CREATE: self._create,
            OperationKind.GROUP_ICON: self._change_icon,
            OperationKind.GROUP_LEAVE: self._leave,
            OperationKind.GROUP_RENAME: self._rename,
        }

    async def _create(self, operation: Operation) -> OperationOutcome:
        """Write to a list of people: the group of exactly these is made, or is there."""
        handles = members_of(operation)
        body = {"from_number": operation.line_handle, "text": text_of(operation.payload, "text") or ""}
        path = f"/chats/{in_path(','.join(handles))}/messages"
        answer = await self._api.do("POST", path, body, once_as=operation.attempt_id)
        if not answer.is_good:
            return FAULTS.verdict(answer, may_repeat=True)
        group_id = id_in(answer.body.get("group_id"))
        if group_id is None:
            return unknown("unreadable_answer", "Blooio took it and named no group.")
        name = text_of(operation.payload, "name")
        if name is not None:
            await self._name(group_id, name)
        told = [handle for each in list_in(answer.body.get("participants")) if (handle := handle_in(each))]
        result = {"chat_key": group_id, "participants": told or handles}
        return replace(accepted(message_id_in(answer.body)), result=result)

    async def _name(self, group_id: str, name: str) -> None:
        """Name a new group; it is there whether that works or not, and can be renamed later."""
        try:
            await self._api.do("PATCH", f"/groups/{in_path(group_id)}", {"name": name})
        except CallFailed:
            return

    async def _rename(self, operation: Operation) -> OperationOutcome:
        name = text_of(operation.payload, "name")
        answer = await self._api.do("PATCH", _path(operation), {"name": name or ""})
        synced = mapping_in(answer.body.get("device_sync"))
        if answer.is_good and synced.get("error"):
            return rejected(
                "device_error", f"Blooio's device has not renamed it: {tame(synced['error'], 300)}"
            )
        return done(answer)

    async def _change_icon(self, operation: Operation) -> OperationOutcome:
        path = f"{_path(operation)}/icon"
        if operation.payload.get("remove"):
            return done(await self._api.do("DELETE", path))
        file = await self._api.open_file(text_of(operation.payload, "file_id") or "")
        form = file_form(file, field=_ICON, filename=file.filename or _ICON)
        return done(await self._api.upload(path, form.body, content_type=form.content_type))

    async def _leave(self, operation: Operation) -> OperationOutcome:
        answer = await self._api.do("DELETE", _path(operation))
        return accepted() if answer.is_good else FAULTS.verdict(answer, may_repeat=False)


def _path(operation: Operation) -> str:
    return f"/groups/{in_path(place_of(operation))}"
