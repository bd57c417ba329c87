"""An `imsg rpc` that is none: JSON-RPC as openclaw/imsg docs/rpc.md has it, with its faults as switches.

Run as: fake_imsg.py FOLDER rpc. FOLDER holds network.db, time.json and switches.json:
`words`: words or a method's name → a fault; `off`: methods that do not work now; `emoji`: version; `watch`: a fault.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.bridge.imsg.network import Network, iso
from tests.bridge.macos.fast_time import now_in

CHAT = {"chat_id", "chat_identifier", "chat_guid"}
REPLY = {"reply_to", "replyTo", "reply_to_guid", "message_guid"}
SEND = (
    {"to", "text", "file", "service", "region", "transport", "allow_sms_fallback", "text_formatting"}
    | CHAT
    | REPLY
)
#: Method → the parameters that it knows; any other is refused.
METHODS: dict[str, set[str]] = {
    "bridge.events.subscribe": {"buffer_limit"},
    "chats.create": {"addresses", "service", "name", "text"},
    "chats.list": {"limit", "unread_only"},
    "chats.markUnread": CHAT,
    "group.addParticipant": CHAT | {"address"},
    "group.leave": CHAT,
    "group.removeParticipant": CHAT | {"address"},
    "group.rename": CHAT | {"name"},
    "group.setIcon": CHAT | {"file"},
    "handles.check": {"address", "alias_type", "service"},
    "initialize": {"protocol_version"},
    "message.edit": CHAT | {"message_id", "message_guid", "text", "part_index"},
    "message.send_status": {"guid"},
    "message.unsend": CHAT | {"message_id", "message_guid", "part_index"},
    "messages.after": {"since_rowid", "chat_id", "limit", "attachments", "convert_attachments", "include_reactions"},
    "messages.history": {"chat_id", "limit", "participants", "start", "end", "attachments"},
    "messages.search": {"query", "match", "limit"},
    "poll.send": CHAT | {"question", "options", "comment", "suppress_comment"},
    "read": CHAT | {"to"},
    "send": SEND,
    "send.attachment": CHAT | REPLY | {"file", "path", "audio", "is_audio", "as_voice", "part_index"},
    "send.rich": CHAT | REPLY | {"text", "file", "path", "effect", "effect_id", "subject", "part_index", "url"},
    "send.tracked": SEND | {"attempt_id"},
    "status": set(),
    "tapback": CHAT | {"message_id", "message_guid", "reaction", "kind", "emoji", "remove", "part_index"},
    "typing": CHAT | {"to", "typing", "service"},
    "watch.subscribe": {
        "chat_id", "since_rowid", "participants", "start", "end", "attachments", "convert_attachments",
        "include_reactions", "debounce_ms", "buffer_limit",
    },
    "watch.unsubscribe": {"subscription"},
}  # fmt: skip
MUTATIONS = {
    name
    for name in METHODS
    if name.startswith(("send", "message.e", "message.u", "group.", "chats.c", "poll"))
}
KINDS = {"love", "like", "dislike", "laugh", "emphasis", "question"}


class Failure(Exception):
    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "data": data}


def delivery(disposition: str, detail: str = "redacted", code: int = -32001) -> Failure:
    data = {"disposition": disposition, "retry_safe": disposition == "not_started", "transport": "bridge_v2"}
    return Failure(code, "Delivery failed", data | {"operation": "send", "detail": detail})


class Server:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.network = Network(folder)
        self.is_poisoned = False
        self.subscriptions = 0
        #: Before the call that is being answered.
        self.seen_events = 0
        self.lock = threading.Lock()

    @property
    def switches(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.folder / "switches.json").read_text())
        return read

    def write(self, record: dict[str, Any]) -> None:
        with self.lock:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", **record}) + "\n")
            sys.stdout.flush()

    def hang(self) -> None:
        (self.folder / "hangs").touch()
        time.sleep(60)

    def run(self) -> None:
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                result = self.answer(asked["method"], asked.get("params", {}))
                self.write({"id": asked["id"], "result": result})
                if asked["method"] == "bridge.events.subscribe":
                    asked_for = (result["subscription"], self.seen_events)
                    threading.Thread(target=self.tell_typing, args=asked_for, daemon=True).start()
                if asked["method"] == "watch.subscribe":
                    self.begin_watch(result["subscription"], asked["params"])
            except Failure as failure:
                self.write({"id": asked["id"], "error": failure.error})

    def answer(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        switches = self.switches
        self.seen_events = len(switches.get("events", []))
        if method not in METHODS:
            raise Failure(-32601, f"unknown method {method}")
        if unknown := params.keys() - METHODS[method]:
            raise Failure(-32602, "Invalid params", f"unknown params: {sorted(unknown)}")
        if method in MUTATIONS and self.is_poisoned:
            raise delivery("not_started", "blocked", code=-32004)
        fault = switches["words"].get(
            params.get("text") or params.get("file", "").rpartition("/")[2]
        ) or switches["words"].get(method)
        if fault == "wedged":
            self.hang()
        if method in switches["off"]:
            raise Failure(-32003, "The bridge is not running")
        with (self.folder / "calls.jsonl").open("a") as calls:
            calls.write(json.dumps([method, params]) + "\n")
        handler = getattr(self, "on_" + method.replace(".", "_").lower(), None)
        if method.startswith("send"):
            return self.send(method, params, fault or "")
        if fault == "internal":
            raise Failure(-32603, "Internal error", "it broke")
        return handler(params) if handler else {"ok": True}

    # ---- what is asked

    def on_initialize(self, params: dict[str, Any]) -> dict[str, Any]:
        return self.on_status(params)

    def on_status(self, params: dict[str, Any]) -> dict[str, Any]:
        switches = self.switches
        is_ready = not switches.get("no_database")
        database = (
            {"ready": True, "features": {}} if is_ready else {"ready": False, "error": "Full Disk Access"}
        )
        is_helped = "tapback" not in switches["off"]
        return {
            "version": "0.15.10",
            "protocol_version": 1,
            "database": {"path": "/Users/me/Library/Messages/chat.db", **database},
            "bridge": {"ready": is_helped} | ({} if is_helped else {"error": "The bridge is not started."}),
            "methods": [name for name in METHODS if name not in switches["off"]],
            "supported_methods": list(METHODS),
            "capabilities": {"features": {"tapback.emoji": switches["emoji"]}},
        }

    def on_chats_list(self, params: dict[str, Any]) -> dict[str, Any]:
        chats = [{"id": 1, "identifier": "x"}] if self.network.newest() else []
        # One whose last row is a tapback: its history shows no message.
        bare = [{"id": 7, "identifier": "y"}] if self.switches.get("bare_chat") else []
        return {"chats": [*bare, *chats][: params.get("limit", 20)]}

    def on_messages_history(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [] if params["chat_id"] == 7 else self.network.newest()}

    def on_messages_after(self, params: dict[str, Any]) -> dict[str, Any]:
        shown, reached, has_more = self.network.after(
            params["since_rowid"],
            params.get("limit", 100),
            with_reactions=params.get("include_reactions", False),
        )
        return {"messages": shown, "next_rowid": reached, "has_more": has_more}

    def on_messages_search(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"messages": [each for each in self.network.all() if each["text"] == params["query"]]}

    def on_message_send_status(self, params: dict[str, Any]) -> dict[str, Any]:
        fields = self.network.fields(params["guid"])
        state = "pending"
        if fields is not None:
            is_there = "delivered" if fields["is_delivered"] else "sent" if fields["is_sent"] else "pending"
            state = "failed" if fields["error"] else is_there
        now = iso(now_in(self.folder))
        return {
            "ok": True, "guid": params["guid"], "send_state": state, "service": fields and "iMessage",
            "checked_at": now, "status_fields": fields,
        }  # fmt: skip

    def on_handles_check(self, params: dict[str, Any]) -> dict[str, Any]:
        return {
            "ok": True,
            "address": params["address"],
            "id_status": 1,
            "available": True,
            "service": "iMessage",
        }

    def on_chats_create(self, params: dict[str, Any]) -> dict[str, Any]:
        made = {"ok": True, "chat_guid": "iMessage;+;chat123456789", "service": "iMessage"}
        if params.get("text"):
            made["message_guid"] = self.add("chat123456789", params["text"])
        return made

    def on_tapback(self, params: dict[str, Any]) -> dict[str, Any]:
        kind = params.get("kind")
        if kind is not None and kind not in KINDS:
            raise Failure(-32602, "Invalid params", f"no such kind: {kind}")
        guid = self.add(
            self.chat(params), "", is_reaction=True, reaction_type=kind or "custom",
            reaction_emoji=params.get("emoji"), is_reaction_add=not params.get("remove", False),
            reacted_to_guid=f"p:0/{params['message_id']}",
        )  # fmt: skip
        return {"ok": True, "guid": guid}

    def on_poll_send(self, params: dict[str, Any]) -> dict[str, Any]:
        options = [{"id": f"opt-{index}", "text": text} for index, text in enumerate(params["options"])]
        poll = {"kind": "created", "question": params["question"], "options": options}
        guid = self.add(self.chat(params), "", poll=poll)
        return {"ok": True, "guid": guid, "message_id": guid, "poll": poll}

    def on_bridge_events_subscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        self.subscriptions += 1
        return {"subscription": self.subscriptions, "buffer_limit": 256, "resumable": False}

    def on_watch_subscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        self.subscriptions += 1
        return {"subscription": self.subscriptions, "buffer_limit": params.get("buffer_limit", 256)}

    # ---- sends

    def chat(self, params: dict[str, Any]) -> str:
        given = [params[name] for name in ("to", *sorted(CHAT)) if name in params]
        if len(given) != 1:
            raise Failure(-32602, "Invalid params", "exactly one target is required")
        return str(given[0]).rpartition(";")[2]

    def add(self, chat: str, text: str, **more: Any) -> str:
        return self.network.add(at_ms=now_in(self.folder), chat=chat, own=True, text=text, **more)

    def send(self, method: str, params: dict[str, Any], fault: str) -> dict[str, Any]:
        chat, text = self.chat(params), params.get("text", "")
        if method == "send.tracked":
            if fault == "no_chat":
                raise Failure(-32602, "Invalid params", "bridge transport requires an existing chat target")
            if fault == "chat_gone":
                raise delivery("not_started", "Chat not found: [redacted]")
            if self.network.fields(params["attempt_id"]) is not None:
                raise delivery("not_started", "attempt_id already identifies a message; choose a new UUID")
        self.fail_before(fault)
        guid = self.write_message(method, chat, text, params)
        self.fail_after(fault, guid)
        return {"ok": True} if fault == "no_receipt" else {"ok": True, "guid": guid, "message_id": guid}

    def fail_before(self, fault: str) -> None:
        match fault:
            case "not_started":
                raise delivery("not_started")
            case "database":
                raise Failure(-32002, "The database is unavailable")
            case "busy":
                raise Failure(-32000, "Server busy")
            case "denied":
                raise Failure(-32603, "Internal error", "not authorized")
            case "hangs_unsent":
                self.hang()

    def fail_after(self, fault: str, guid: str) -> None:
        match fault:
            case "hangs_sent":
                self.hang()
            case "dies":
                sys.exit(1)
            case "may_have_completed":
                raise delivery("may_have_completed")
            case "still_in_flight":
                self.is_poisoned = True
                raise delivery("still_in_flight")
            case "fails":
                self.network.mark(guid, error=22, is_sent=False)

    def write_message(self, method: str, chat: str, text: str, params: dict[str, Any]) -> str:
        path = params.get("file")
        more: dict[str, Any] = {}
        if path:
            file = Path(path)
            more["attachments"] = [
                {"filename": path, "transfer_name": file.name, "mime_type": "image/png", "path": path,
                 "byte_size": file.stat().st_size, "is_sticker": False, "missing": False}
            ]  # fmt: skip
        if "reply_to" in params:
            more["thread_originator_guid"] = params["reply_to"]
        # A tracked send's guid is its attempt id, in small letters.
        guid = params["attempt_id"].lower() if method == "send.tracked" else None
        return self.add(chat, text, guid=guid, **more)

    # ---- watching

    def begin_watch(self, subscription: int, params: dict[str, Any]) -> None:
        threading.Thread(target=self.watch, args=(subscription, params), daemon=True).start()

    def watch(self, subscription: int, params: dict[str, Any]) -> None:
        network, since = Network(self.folder), params.get("since_rowid", 0)
        rowid = 0 if since == -1 else since
        fault, told = self.switches.get("watch"), 0
        if fault == "garbage":
            sys.stdout.write('not json\n[1, 2]\n{"jsonrpc": "2.0", "method": 7}\n{"id": 99, "result": {}}\n')
            sys.stdout.write(
                '{"jsonrpc": "2.0", "method": "message", "params": {"subscription": 1, "message": 5}}\n'
            )
        while True:
            shown, rowid, _ = network.after(rowid, 100, with_reactions=params.get("include_reactions", False))
            for message in shown:
                about = {"subscription": subscription}
                if fault == "overflow" and told == 3:
                    (self.folder / "switches.json").write_text(json.dumps(self.switches | {"watch": None}))
                    resume = {"resume_after_rowid": message["id"] - 1, "reason": "buffer_limit_exceeded"}
                    self.write({"method": "watch.overflow", "params": about | resume | {"terminal": True}})
                    return
                if fault == "dies" and told == 3:
                    (self.folder / "switches.json").write_text(json.dumps(self.switches | {"watch": None}))
                    sys.stdout.flush()
                    os._exit(1)
                self.write(
                    {"method": "message", "params": about | {"message": message | {"cursor": message["id"]}}}
                )
                told += 1
            time.sleep(0.01)

    def tell_typing(self, subscription: int, seen: int) -> None:
        """Tell what the helper says, from now on; `ends` ends it, as a full buffer does."""
        while True:
            events = self.switches.get("events", [])
            for event in events[seen:]:
                about = {"subscription": subscription}
                if event == "ends":
                    reason = {"reason": "buffer_limit_exceeded", "resumable": False, "terminal": True}
                    self.write({"method": "bridge.events.overflow", "params": about | reason})
                    return
                self.write({"method": "bridge.event", "params": about | {"event": event}})
            seen = len(events)
            time.sleep(0.01)


if __name__ == "__main__":
    if sys.argv[2:] != ["rpc"]:
        sys.exit("usage: imsg rpc")
    Server(Path(sys.argv[1])).run()
