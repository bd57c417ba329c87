"""A Mac with Messages as BlueBubbles sees it: rows, chats, people. In memory, and as strange as the real one.

Not here: the server before it (tests.bridge.bluebubbles.server).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]

#: What a row has, whoever wrote it (api/serializers/MessageSerializer.ts).
BLANK: Row = {
    "text": None,
    "attributedBody": None,
    "handle": None,
    "handleId": 0,
    "otherHandle": 0,
    "attachments": [],
    "subject": None,
    "error": 0,
    "dateRead": None,
    "dateDelivered": None,
    "isDelivered": False,
    "isFromMe": False,
    "hasDdResults": False,
    "isArchived": False,
    "itemType": 0,
    "groupTitle": None,
    "groupActionType": 0,
    "balloonBundleId": None,
    "associatedMessageGuid": None,
    "associatedMessageType": None,
    "expressiveSendStyleId": None,
    "threadOriginatorGuid": None,
    "hasPayloadData": False,
    "messageSummaryInfo": None,
    "payloadData": None,
    "dateEdited": None,
    "dateRetracted": None,
    "partCount": 1,
}
#: What the form for notifications lacks.
NOT_IN_NOTIFICATIONS: Row = {
    "country": None,
    "isDelayed": False,
    "isAutoReply": False,
    "isSystemMessage": False,
    "isServiceMessage": False,
    "isForward": False,
    "threadOriginatorPart": None,
    "isCorrupt": False,
    "datePlayed": None,
    "cacheRoomnames": None,
    "isSpam": False,
    "isExpired": False,
    "timeExpressiveSendPlayed": None,
    "isAudioMessage": False,
    "replyToGuid": None,
    "shareStatus": 0,
    "shareDirection": 0,
    "wasDeliveredQuietly": False,
    "didNotifyRecipient": False,
}


@dataclass
class Mac:
    """The state of Messages."""

    now_ms: Callable[[], int]
    #: Prefix of chats of this macOS: `iMessage`, or `any` from 26 on.
    service: str = "iMessage"
    line: str = "+15550100000"
    rows: list[Row] = field(default_factory=list)
    chats: dict[str, Row] = field(default_factory=dict)
    handles: dict[str, Row] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    #: guid of a row → guid of its chat.
    places: dict[str, str] = field(default_factory=dict)
    #: Everything that was ever done here, in words.
    deeds: list[str] = field(default_factory=list)
    #: How often each tempGuid made a message.
    sent: dict[str, int] = field(default_factory=dict)
    icons: dict[str, bytes] = field(default_factory=dict)

    def handle(self, address: str) -> Row:
        made = {
            "originalROWID": len(self.handles) + 1,
            "address": address,
            "service": "iMessage",
            "uncanonicalizedId": None,
            "country": "us",
        }
        return self.handles.setdefault(address, made)

    def direct(self, address: str, *, service: str | None = None) -> str:
        """Have a direct chat."""
        guid = f"{service or self.service};-;{address}"
        self._chat(guid, 45, address, [address])
        return guid

    def group(self, *addresses: str, name: str = "", identifier: str | None = None) -> str:
        """Have a group."""
        identifier = identifier or f"chat{len(self.chats) + 900001}"
        guid = f"{self.service};+;{identifier}"
        self._chat(guid, 43, identifier, list(addresses), name)
        return guid

    def _chat(self, guid: str, style: int, identifier: str, people: list[str], name: str = "") -> None:
        self.chats.setdefault(
            guid,
            {
                "originalROWID": len(self.chats) + 1,
                "guid": guid,
                "style": style,
                "chatIdentifier": identifier,
                "isArchived": False,
                "displayName": name,
                "participants": [self.handle(each) for each in people],
                "isFiltered": False,
                "groupId": None,
                "properties": None,
                "lastAddressedHandle": self.line,
            },
        )

    def write(self, chat: str, words: str | None, *, author: str | None = None, **fields: Any) -> Row:
        """Write a row; of ours where nobody else is the author."""
        handle = None if author is None else self.handle(author)
        row = {
            **BLANK,
            **NOT_IN_NOTIFICATIONS,
            "originalROWID": len(self.rows) + 1,
            "guid": str(uuid.uuid4()).upper(),
            "text": words,
            "handle": handle,
            "handleId": handle["originalROWID"] if handle else 0,
            "isFromMe": author is None,
            "dateCreated": self.now_ms(),
            **fields,
        }
        self.rows.append(row)
        self.places[row["guid"]] = chat
        return row

    def attach(self, row: Row, name: str, content: bytes, mime_type: str, **fields: Any) -> str:
        """Give a row a file, with the body that tells where it stands: behind the words."""
        guid = f"at_{len(row['attachments'])}_{row['guid']}"
        self.files[guid] = content
        row["attachments"] = [
            *row["attachments"],
            {
                "originalROWID": len(self.files),
                "guid": guid,
                "uti": None,
                "mimeType": mime_type,
                "transferName": name,
                "totalBytes": len(content),
                "transferState": 5,
                "isOutgoing": row["isFromMe"],
                "hideAttachment": False,
                "isSticker": False,
                "originalGuid": guid,
                "hasLivePhoto": False,
                "height": 0,
                "width": 0,
                "metadata": None,
                **fields,
            },
        ]
        row["attributedBody"] = body_of(row["text"] or "", [each["guid"] for each in row["attachments"]])
        return guid

    def row(self, guid: str) -> Row | None:
        return next((row for row in self.rows if row["guid"] == guid), None)


def body_of(words: str, files: list[str]) -> list[Row]:
    """An attributed body: the words, then the files."""
    runs: list[Row] = []
    if words:
        runs.append({"range": [0, _units(words)], "attributes": {"__kIMMessagePartAttributeName": 0}})
    for index, guid in enumerate(files):
        attributes = {"__kIMMessagePartAttributeName": index + 1, "__kIMFileTransferGUIDAttributeName": guid}
        runs.append({"range": [_units(words) + index, 1], "attributes": attributes})
    return [{"string": words + "\ufffc" * len(files), "runs": runs}]


def _units(words: str) -> int:
    return len(words.encode("utf-16-le")) // 2
