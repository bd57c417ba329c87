"""How the fake server tells: its envelopes, its two forms of a message, its socket and webhooks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.bridge.bluebubbles.faults import Faults
from tests.bridge.bluebubbles.mac import NOT_IN_NOTIFICATIONS, Mac, Row

PASSWORD = "pa ss/wörd&hunter2%41"


class Telling:
    """What a server tells, and how it writes it."""

    def __init__(self, mac: Mac) -> None:
        self.mac = mac
        self.faults = Faults()
        self.url = ""
        #: tempGuids whose call is in flight.
        self.queue: set[str] = set()
        self.uploads: dict[str, tuple[str, bytes, str]] = {}
        self.webhooks: list[Row] = []
        self.sockets: set[WebSocket] = set()
        self.asked: list[str] = []
        self.connects = 0
        self.gone = asyncio.Event()
        self.typing: list[tuple[str, str]] = []
        #: Called with each webhook that would be sent.
        self.on_webhook: Callable[[str, bytes], None] = lambda url, body: None

    # What the server tells.

    async def emit(self, name: str, data: Any) -> None:
        """Tell everybody, over sockets and webhooks."""
        for each in list(self.sockets):
            with contextlib.suppress(Exception):
                await each.send_text("42" + json.dumps([name, data]))
        for hook in self.webhooks:
            if "*" in hook["events"] or name in hook["events"]:
                self.on_webhook(hook["url"], json.dumps({"type": name, "data": data}).encode())

    async def raw(self, text: str) -> None:
        """Send anything over the sockets."""
        for each in list(self.sockets):
            with contextlib.suppress(WebSocketDisconnect):  # it leaves at this moment
                await each.send_text(text)

    async def hang_up(self) -> None:
        """End all sockets, as a restart does."""
        for each in list(self.sockets):
            with contextlib.suppress(WebSocketDisconnect):  # as above
                await each.close(1001)

    async def new_message(self, row: Row, temp_guid: str | None = None) -> None:
        """Tell a row as new; of our own first with its tempGuid, in the form for notifications."""
        if temp_guid is not None and self.faults.double_new_message:
            await self.emit("new-message", {**self.shown(row, is_notification=True), "tempGuid": temp_guid})
        await self.emit("new-message", self.shown(row, summary=True, body=True))

    async def updated_message(self, row: Row) -> None:
        """Tell that something of a row has changed: without its chats."""
        await self.emit("updated-message", self.shown(row, is_notification=True, chats=False))

    def shown(
        self,
        row: Row,
        *,
        is_notification: bool = False,
        chats: bool = True,
        attachments: bool = True,
        summary: bool = False,
        body: bool = False,
    ) -> Row:
        """Serialise a row."""
        out = {
            key: value for key, value in row.items() if not (is_notification and key in NOT_IN_NOTIFICATIONS)
        }
        if not summary:
            out["messageSummaryInfo"] = None
        if not body:
            out["attributedBody"] = None
        if not attachments:
            out["attachments"] = []
        if chats:
            out["chats"] = [self.mac.chats[self.mac.places[row["guid"]]]]
        return out

    # The pieces of an answer.

    @staticmethod
    def good(data: Any = None, message: str = "Success", **more: Any) -> Response:
        body = {"status": 200, "message": message, "data": data, **more}
        return Response(json.dumps(body), media_type="application/json")

    @staticmethod
    def bad(
        status: int, kind: str, error: str, message: str = "You've made a bad request!", data: Any = None
    ) -> Response:
        body: Row = {"status": status, "message": message, "error": {"type": kind, "message": error}}
        if data is not None:
            body["data"] = data
        return JSONResponse(body, status)

    async def socket(self, websocket: WebSocket) -> None:
        self.connects += 1
        await websocket.accept()
        opened = {
            "sid": "a",
            "upgrades": [],
            "pingInterval": self.faults.ping_interval_ms,
            "pingTimeout": 20_000,
        }
        try:
            await websocket.send_text("0" + json.dumps(opened))
            while await websocket.receive_text() != "40":
                pass
            await websocket.send_text('40{"sid":"b"}')
            # Decoded once more than by Koa; what cannot be decoded throws, and nobody is shown out.
            given = _decode_uri(websocket.query_params.get("guid", ""))
            if self.faults.socket_refuses or given not in {None, PASSWORD}:
                await websocket.send_text("41")
                await websocket.close()
                return
            # Nothing is said: hello-world goes out once, when the server starts.
            self.sockets.add(websocket)
            while True:
                await websocket.receive_text()
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            self.sockets.discard(websocket)


def _decode_uri(text: str) -> str | None:
    """JavaScript's decodeURI: what would be reserved stays as it is; None where it throws."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        return None
    kept = re.sub(r"%(2[3-46BCF]|3[ABDF]|40)", r"%25\1", text, flags=re.IGNORECASE)
    return unquote(kept)
