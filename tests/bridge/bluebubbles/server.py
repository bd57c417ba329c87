"""A BlueBubbles server, true to the source of 1.9.9: real HTTP, a real WebSocket, its envelopes, waits and faults.

Each fault is a switch. What it does is read from routers/{message,chat,handle,attachment,webhook}Router.ts,
responses/*.ts, middleware/*.ts, services/webhookService and api/http/index.ts.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from tests.bridge.bluebubbles.mac import Mac, Row, body_of
from tests.bridge.bluebubbles.taking import Taking, read_form
from tests.bridge.bluebubbles.telling import PASSWORD
from tests.worker.time_by_hand import eventually

Handler = Callable[[Request], Awaitable[Response]]


class BlueBubblesServer(Taking):
    """One server before one Mac."""

    def routes(self) -> list[Route]:
        """The table of httpRoutes.ts, as far as a hub uses it."""
        plain: list[tuple[str, str, Handler]] = [
            ("GET", "/ping", self.ping),
            ("GET", "/server/info", self.info),
            ("POST", "/message/query", self.query),
            ("POST", "/handle/query", self.handle_page),
            ("POST", "/message/text", self.send_text),
            ("POST", "/message/attachment", self.send_attachment),
            ("GET", "/message/{guid}", self.message),
            ("GET", "/attachment/{guid}/download", self.download),
            ("GET", "/webhook", self.list_webhooks),
            ("POST", "/webhook", self.add_webhook),
            ("DELETE", "/webhook/{id}", self.delete_webhook),
            ("POST", "/chat/new", self.new_chat),
            ("GET", "/chat/{guid}", self.find_chat),
        ]
        private: list[tuple[str, str, Handler]] = [
            ("POST", "/attachment/upload", self.upload),
            ("POST", "/message/multipart", self.multipart),
            ("POST", "/message/react", self.react),
            ("POST", "/message/{guid}/edit", self.edit),
            ("POST", "/message/{guid}/unsend", self.unsend),
            ("GET", "/handle/availability/{service}", self.availability),
            ("POST", "/chat/{guid}/typing", self.type),
            ("DELETE", "/chat/{guid}/typing", self.type),
            ("POST", "/chat/{guid}/share/contact", self.mark),
            ("POST", "/chat/{guid}/participant", self.toggle),
            ("DELETE", "/chat/{guid}/participant", self.toggle),
            ("POST", "/chat/{guid}/icon", self.set_icon),
            ("DELETE", "/chat/{guid}/icon", self.remove_icon),
            ("POST", "/chat/{guid}/{deed}", self.mark),
            ("PUT", "/chat/{guid}", self.rename),
        ]
        routes = [self._route(*each, is_private=False) for each in plain]
        return routes + [self._route(*each, is_private=True) for each in private]

    def _route(self, method: str, path: str, handler: Handler, *, is_private: bool) -> Route:
        async def answer(request: Request) -> Response:
            self.asked.append(f"{method} {request.url.path.removeprefix('/api/v1')}")
            refusal = self._broken(request) or self._unknown(request)
            if refusal is None and is_private:
                refusal = self.refusal("private-api", "Bad Request") or self._without_chat(request)
            return refusal or await handler(request)

        return Route("/api/v1" + path, answer, methods=[method])

    def _broken(self, request: Request) -> Response | None:
        path = request.url.path.removeprefix("/api/v1")
        statuses = [status for begin, status in self.faults.broken.items() if path.startswith(begin)]
        pages = [page for begin, page in self.faults.pages.items() if path.startswith(begin)]
        if pages:
            return Response(pages[0][2], pages[0][0], pages[0][1])
        return Response("<html>tunnel</html>", statuses[0]) if statuses else None

    def _unknown(self, request: Request) -> Response | None:
        given = request.query_params.get("guid") or request.query_params.get("password")
        if given == PASSWORD:
            return None
        message = "You are not authorized to access this resource"
        return self.bad(401, "Authentication Error", "Unauthorized", message)

    def _without_chat(self, request: Request) -> Response | None:
        is_of_chat = request.url.path.startswith("/api/v1/chat/")
        if is_of_chat and request.path_params["guid"] not in self.mac.chats:
            return self.bad(404, "Database Error", "Chat does not exist!")
        return None

    async def ping(self, request: Request) -> Response:
        return self.good("pong")

    async def availability(self, request: Request) -> Response:
        service, address = request.path_params["service"], request.query_params["address"]
        return self.good({"available": address.startswith("+1555") or service == "imessage"})

    async def find_chat(self, request: Request) -> Response:
        chat = self.mac.chats.get(request.path_params["guid"])
        return self.good(chat) if chat else self.bad(404, "Database Error", "Chat does not exist!")

    async def list_webhooks(self, request: Request) -> Response:
        return self.good(self.webhooks)

    async def delete_webhook(self, request: Request) -> Response:
        number = request.path_params["id"]
        self.webhooks = [each for each in self.webhooks if str(each["id"]) != number]
        return self.good()

    async def info(self, request: Request) -> Response:
        return self.good(
            {
                "computer_id": "mini",
                "os_version": self.faults.os_version,
                "server_version": self.faults.server_version,
                "private_api": self.faults.is_private_api,
                "proxy_service": "dynamic-dns",
                "helper_connected": self.faults.is_helper_connected,
                "detected_icloud": "ada@example.com",
                "detected_imessage": self.mac.line,
                "macos_time_sync": 0.01,
                "local_ipv4s": ["192.0.2.7"],
                "local_ipv6s": [],
            }
        )

    async def query(self, request: Request) -> Response:
        body: Row = await request.json()
        given, limit, offset = body.get("with", []), body.get("limit", 100), body.get("offset", 0)
        if not 1 <= limit <= 1000:
            return self.bad(400, "Validation Error", "The limit may not be greater than 1000.")
        where = body.get("where") or []
        if where and self.faults.no_where:
            return self.bad(500, "Server Error", "SQLITE_ERROR: no such column")
        rows = [row for row in self.mac.rows if self._is_in(row, body, where)]
        rows.sort(key=lambda row: row["dateCreated"] or 0, reverse=body.get("sort", "DESC") == "DESC")
        page = rows[offset : offset + limit]
        if any(row["guid"] in self.faults.poison for row in page):
            return self.bad(500, "Server Error", "Cannot read properties of undefined")
        data = [
            self.shown(
                row,
                chats="chat" in given or "chats" in given,
                summary="message-summary-info" in given,
                body="attributed-body" in given,
                attachments="attachment" in given,
            )
            for row in page
        ]
        meta = {"offset": offset, "limit": limit, "total": len(rows), "count": len(data)}
        return self.good(data, "Successfully fetched messages!", metadata=meta)

    def _is_in(self, row: Row, body: Row, where: list[Row]) -> bool:
        at = row["dateCreated"] or 0
        if at < body.get("after", 0) or at > body.get("before", 2**60):
            return False
        if body.get("chatGuid") and self.mac.places[row["guid"]] != body["chatGuid"]:
            return False
        for each in where:
            changed = each["args"]["changed"] // 1_000_000 + 978_307_200_000
            if not any((row[name] or 0) >= changed for name in ("dateDelivered", "dateRead", "dateEdited")):
                return False
        return True

    async def handle_page(self, request: Request) -> Response:
        body: Row = await request.json()
        people = list(self.mac.handles.values())
        return self.good(people[body["offset"] : body["offset"] + body["limit"]])

    async def message(self, request: Request) -> Response:
        row = self.mac.row(request.path_params["guid"])
        if row is None:
            return self.bad(404, "Database Error", "Message does not exist!")
        asked = request.query_params.get("with", "").split(",")
        return self.good(
            self.shown(
                row,
                chats="chats" in asked or "chat" in asked,
                attachments="attachment" in asked,
                summary="message-summary-info" in asked,
                body="attributed-body" in asked,
            )
        )

    async def download(self, request: Request) -> Response:
        guid = request.path_params["guid"]
        if not any(each["guid"] == guid for row in self.mac.rows for each in row["attachments"]):
            return self.bad(404, "Database Error", "Attachment does not exist!")
        content = self.mac.files.get(guid)
        if content is None:
            return self.bad(500, "Server Error", "Attachment does not exist in disk!")
        return Response(content, media_type="application/octet-stream")

    async def react(self, request: Request) -> Response:
        body: Row = await request.json()
        target = self.mac.row(body["selectedMessageGuid"])
        if target is None:
            return self.bad(400, "Validation Error", "Selected message does not exist!")
        named = body["reaction"]
        allowed = {"love", "like", "dislike", "laugh", "emphasize", "question"}
        if named.removeprefix("-") not in allowed:
            return self.bad(400, "Validation Error", "The selected reaction is invalid.")
        fields = {"associatedMessageGuid": f"p:0/{target['guid']}", "associatedMessageType": named}
        row = self.mac.write(body["chatGuid"], "Loved “x”", **fields)
        self.mac.deeds.append(f"reacted {named}")
        await self.new_message(row)
        return self.good(self.shown(row), "Reaction sent!")

    async def edit(self, request: Request) -> Response:
        body: Row = await request.json()
        guid = request.path_params["guid"]
        row = self.mac.row(guid)
        if row is None:
            return self.bad(400, "Validation Error", "Selected message does not exist!")
        row |= {
            "text": body["editedMessage"],
            "attributedBody": body_of(body["editedMessage"], []),
            "dateEdited": self.mac.now_ms(),
            "messageSummaryInfo": [{"ep": [0], "ec": {"0": []}, "otr": {"0": {"lo": 0, "le": 1}}}],
        }
        self.mac.deeds.append(f"edited {guid}")
        await self.updated_message(row)
        return self.good(self.shown(row), "Message edited!")

    async def unsend(self, request: Request) -> Response:
        body: Row = await request.json()
        guid = request.path_params["guid"]
        row = self.mac.row(guid)
        if row is None:
            return self.bad(400, "Validation Error", "Selected message does not exist!")
        gone = sorted({*((row["messageSummaryInfo"] or [{}])[0].get("rp", [])), body.get("partIndex", 0)})
        total = max(len(row["attachments"]) + bool(row["text"]), len(gone), 1)
        row |= {
            "dateEdited": self.mac.now_ms(),
            "messageSummaryInfo": [{"rp": gone, "otr": {str(part): {} for part in range(total)}}],
            "partCount": max(total - len(gone), 0),
        }
        self.mac.deeds.append(f"unsent {guid}:{body.get('partIndex', 0)}")
        await self.updated_message(row)
        return self.good(self.shown(row), "Message unsent!")

    async def type(self, request: Request) -> Response:
        self.typing.append((request.method, request.path_params["guid"]))  # both start typing, in 1.9.9
        return self.good()

    async def mark(self, request: Request) -> Response:
        guid, deed = request.path_params["guid"], request.path_params.get("deed", "share")
        if deed not in {"leave", "read", "share", "unread"}:
            return Response("Not Found", 404)
        self.mac.deeds.append(f"{deed} {guid}")
        if deed == "leave":
            await self._group_row(guid, "participant-left", itemType=3, groupActionType=0)
        return self.good()

    async def set_icon(self, request: Request) -> Response:
        guid = request.path_params["guid"]
        _, (_, content, _) = await read_form(request, "icon")
        self.mac.icons[guid] = content
        await self._group_row(guid, "group-icon-changed", itemType=3, groupActionType=1)
        return self.good()

    async def remove_icon(self, request: Request) -> Response:
        guid = request.path_params["guid"]
        self.mac.icons.pop(guid, None)
        await self._group_row(guid, "group-icon-removed", itemType=3, groupActionType=2)
        return self.good()

    async def rename(self, request: Request) -> Response:
        guid, name = request.path_params["guid"], (await request.json())["displayName"]
        chat = self.mac.chats[guid]
        if len(chat["participants"]) <= 1:
            return self.bad(500, "iMessage Error", "Chat is not a group", "Cannot rename a non-group chat!")
        chat["displayName"] = name
        await self._group_row(guid, "group-name-change", itemType=2, groupTitle=name)
        return self.good(chat)

    async def toggle(self, request: Request) -> Response:
        guid, is_added = request.path_params["guid"], request.method == "POST"
        chat, person = self.mac.chats[guid], self.mac.handle((await request.json())["address"])
        others = [each for each in chat["participants"] if each["address"] != person["address"]]
        chat["participants"] = [*others, person] if is_added else others
        fields = {"groupActionType": 0 if is_added else 1, "otherHandle": person["originalROWID"]}
        event = "participant-added" if is_added else "participant-removed"
        await self._group_row(guid, event, itemType=1, **fields)
        return self.good(chat)

    async def _group_row(self, guid: str, event: str, **fields: Any) -> None:
        row = self.mac.write(guid, None, **fields)
        self.mac.deeds.append(event)
        await self.emit(event, self.shown(row))

    async def add_webhook(self, request: Request) -> Response:
        body: Row = await request.json()
        known = next((each for each in self.webhooks if each["url"] == body["url"]), None)
        if known is None:  # a known one is given back unchanged
            known = {"id": len(self.webhooks) + 1, "url": body["url"], "events": body["events"], "created": 0}
            self.webhooks.append(known)
        return self.good(known)


@contextlib.asynccontextmanager
async def serving(mac: Mac) -> AsyncIterator[BlueBubblesServer]:
    """Run a server on the loopback."""
    fake = BlueBubblesServer(mac)
    app = Starlette(routes=[*fake.routes(), WebSocketRoute("/socket.io/", fake.socket)])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            ws="websockets-sansio",
            ws_ping_interval=None,
            access_log=False,
        )
        server = uvicorn.Server(config)
        fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        task = asyncio.create_task(server.serve([listener]))
        try:
            await eventually(lambda: server.started)
            yield fake
        finally:
            fake.gone.set()
            await fake.hang_up()
            server.should_exit = True
            server.force_exit = True
            await asyncio.wait_for(task, 20)
