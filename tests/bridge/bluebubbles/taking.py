"""How the fake server takes sends: words, files and new chats, with the waits and faults of the real one.

Read from routers/{message,chat,attachment}Router.ts and responses/*.ts of 1.9.9.
"""

from __future__ import annotations

import io
import json

from multipart import (  # type: ignore[import-untyped]  # it has no stubs
    MultipartParser,
    parse_options_header,
)
from starlette.requests import Request
from starlette.responses import Response

from tests.bridge.bluebubbles.mac import Row, body_of
from tests.bridge.bluebubbles.telling import Telling


class Taking(Telling):
    """Takes what is sent."""

    async def send_text(self, request: Request) -> Response:
        body: Row = await request.json()
        method = body.get("method") or "apple-script"
        if body.get("effectId") or body.get("subject") or body.get("selectedMessageGuid"):
            method = "private-api"
        if method == "apple-script" and not body.get("tempGuid"):
            return self.bad(400, "Validation Error", "A 'tempGuid' is required when sending via AppleScript")
        if (refusal := self.refusal(method)) is not None:
            return refusal
        return await self._send(body, body["message"])

    def refusal(self, method: str, message: str = "Message Send Error") -> Response | None:
        if method == "private-api" and not (self.faults.is_private_api and self.faults.is_helper_connected):
            why = "is not enabled!" if not self.faults.is_private_api else "Helper is not connected!"
            return self.bad(500, "iMessage Error", f"iMessage Private API {why}", message)
        return None

    async def _send(
        self, body: Row, words: str, *, files: list[tuple[str, bytes, str]] | None = None
    ) -> Response:
        temp_guid, chat = body.get("tempGuid") or "", body["chatGuid"]
        if temp_guid and temp_guid in self.queue:
            why = f"Message is already queued to be sent! (Temp GUID: {temp_guid})"
            return self.bad(400, "Validation Error", why)
        if chat not in self.mac.chats:
            return self.bad(500, "iMessage Error", f"Chat does not exist! {chat}", "Message Send Error")
        self.queue.add(temp_guid)
        try:
            return await self._write(body, words, files or [])
        finally:
            self.queue.discard(temp_guid)

    async def _write(self, body: Row, words: str, files: list[tuple[str, bytes, str]]) -> Response:
        fate = self.faults.by_words.get(words, "")
        if fate == "refused":
            return self.bad(500, "iMessage Error", "execution error: -1728", "Message Send Error")
        if fate == "hang_unsent":
            await self.gone.wait()
        temp_guid = body.get("tempGuid") or ""
        row = self.mac.write(
            body["chatGuid"],
            words or None,
            subject=body.get("subject"),
            expressiveSendStyleId=body.get("effectId"),
            threadOriginatorGuid=body.get("selectedMessageGuid"),
            error=22 if fate == "error22" else 0,
            partCount=len(files) + bool(words),
            isAudioMessage=body.get("isAudioMessage") == "true",
        )
        for name, content, mime_type in files:
            self.mac.attach(row, name, content, mime_type)
        if not row["attributedBody"]:
            row["attributedBody"] = body_of(words, [])
        self.mac.sent[temp_guid] = self.mac.sent.get(temp_guid, 0) + 1
        self.mac.deeds.append(f"sent {row['guid']}")
        if fate == "error22":
            await self.emit(
                "message-send-error", {**self.shown(row, is_notification=True), "tempGuid": temp_guid}
            )
            data = self.shown(row)
            why = "Failed to send message! See attached message error code."
            return self.bad(500, "iMessage Error", why, "Message Send Error", data)
        await self.new_message(row, temp_guid)
        if fate == "hang_sent":
            await self.gone.wait()
        if fate == "timeout":
            why = "Failed to send message! See attached message error code."
            return self.bad(500, "iMessage Error", why, "Message Send Error")
        if fate == "lost":
            return Response(status_code=504)
        return self.good({**self.shown(row, body=True, summary=True), "tempGuid": temp_guid}, "Message sent!")

    async def send_attachment(self, request: Request) -> Response:
        fields, (_, content, mime_type) = await read_form(request, "attachment")
        if "name" not in fields or "chatGuid" not in fields:
            return self.bad(400, "Validation Error", "The name field is required.")
        if (refusal := self.refusal(fields.get("method", "apple-script"))) is not None:
            return refusal
        answer = await self._send(fields, "", files=[(fields["name"], content, mime_type)])
        if answer.status_code != 200:
            return answer
        data = json.loads(bytes(answer.body))["data"]
        del data["tempGuid"]  # it is not injected here
        return self.good(data, "Attachment sent!")

    async def multipart(self, request: Request) -> Response:
        body: Row = await request.json()
        words = "".join(part.get("text", "") for part in body["parts"])
        files = []
        for part in body["parts"]:
            if "attachment" in part:
                if part["attachment"] not in self.uploads:
                    return self.bad(
                        400, "Validation Error", f"Attachment '{part['attachment']}' does not exist"
                    )
                _, content, mime_type = self.uploads[part["attachment"]]
                files.append((part["name"], content, mime_type))
            if part.get("mention"):
                self.mac.deeds.append(f"mentioned {part['mention']}")
        return await self._send(body, words, files=files)

    async def upload(self, request: Request) -> Response:
        _, (name, content, mime_type) = await read_form(request, "attachment")
        path = f"{len(self.uploads)}/hash.{name.rpartition('.')[2]}"
        self.uploads[path] = (name, content, mime_type)
        return self.good({"path": path})

    async def new_chat(self, request: Request) -> Response:
        body: Row = await request.json()
        method, addresses = body.get("method", "apple-script"), body["addresses"]
        if (refusal := self.refusal(method)) is not None:
            return refusal
        if not body.get("message"):
            why = "A message is required when creating chats with the Private API!"
            return self.bad(500, "Server Error", why)
        if method == "apple-script" and len(addresses) > 1:
            return self.bad(500, "Server Error", "Cannot create group chats on macOS Big Sur or newer!")
        guid = self.mac.direct(addresses[0]) if len(addresses) == 1 else self.mac.group(*addresses)
        answer = await self._send({**body, "chatGuid": guid}, body["message"])
        if answer.status_code != 200:
            return answer
        row = {**json.loads(bytes(answer.body))["data"], "chats": []}
        return self.good({**self.mac.chats[guid], "messages": [row]}, "Successfully created chat!")


async def read_form(request: Request, field: str) -> tuple[Row, tuple[str, bytes, str]]:
    """Read a form: its fields, and the file of one of them."""
    _, options = parse_options_header(request.headers["content-type"])
    parser = MultipartParser(io.BytesIO(await request.body()), options["boundary"])
    fields: Row = {}
    file = ("", b"", "")
    for part in parser:
        if part.name == field:
            file = (part.filename or "", part.raw, part.content_type or "")
        else:
            fields[part.name] = part.value
    return fields, file
