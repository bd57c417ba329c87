"""What imsg is asked for an operation: method and parameters, as its docs/rpc.md has them. Pure.

Unknown parameters are refused by imsg, so nothing is added that a method does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridge.macos.requests import chat_key_of, text_of, texts_of
from hub.model.outbox import Operation, OperationKind
from hub.rules.capabilities import STANDARD_REACTIONS
from hub.rules.chatkeys import handle_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One request to imsg."""

    method: str
    params: Mapping[str, Any]


#: imsg's word for a tapback, where it is another.
_TAPBACKS: Final = {"emphasize": "emphasis"}


def chat_of(operation: Operation) -> dict[str, str]:
    """Name the chat as most methods want it."""
    key = chat_key_of(operation) or ""
    return {"chat_identifier": handle_of(key) or key}


def recipient_of(operation: Operation) -> dict[str, str]:
    """Name the chat as `send`, `typing` and `read` want it: a person by `to`, for whom there may be no chat yet."""
    handle = handle_of(chat_key_of(operation) or "")
    return chat_of(operation) if handle is None else {"to": handle}


def question_of(operation: Operation, *, path: str | None) -> Question | None:
    """Give what to ask for an operation that is no send and no check; None for one that imsg does not know.

    Args:
        operation: What is wanted.
        path: The staged file that it names.
    """
    ask = _QUESTIONS.get(operation.kind)
    return None if ask is None else ask(operation, path)


def _react(operation: Operation, path: str | None) -> Question:
    name = text_of(operation, "type") or "love"
    kind = {"kind": _TAPBACKS.get(name, name)} if name in STANDARD_REACTIONS else {"emoji": name}
    params: dict[str, Any] = {**chat_of(operation), **_message(operation), **kind}
    return Question(method="tapback", params=params | _if_removed(operation))


def _if_removed(operation: Operation) -> dict[str, Any]:
    return {"remove": True} if operation.payload.get("remove") is True else {}


def _message(operation: Operation) -> dict[str, str]:
    return {"message_id": text_of(operation, "message_guid") or text_of(operation, "message_id") or ""}


def _edit(operation: Operation, path: str | None) -> Question:
    words = {"text": text_of(operation, "text") or ""}
    return Question(method="message.edit", params=chat_of(operation) | _message(operation) | words)


def _unsend(operation: Operation, path: str | None) -> Question:
    return Question(method="message.unsend", params=chat_of(operation) | _message(operation))


def _typing(operation: Operation, path: str | None) -> Question:
    is_typing = operation.payload.get("state") not in {"off", "stop", "stopped", False}
    return Question(method="typing", params={**recipient_of(operation), "typing": is_typing})


def _create(operation: Operation, path: str | None) -> Question:
    more = {name: text for name in ("name", "text") if (text := text_of(operation, name))}
    return Question(
        method="chats.create", params={"addresses": list(texts_of(operation, "participants")), **more}
    )


def _icon(operation: Operation, path: str | None) -> Question:
    return Question(
        method="group.setIcon", params=chat_of(operation) | ({} if path is None else {"file": path})
    )


def _rename(operation: Operation, path: str | None) -> Question:
    return Question(
        method="group.rename", params=chat_of(operation) | {"name": text_of(operation, "name") or ""}
    )


def _member(method: str) -> Callable[[Operation, str | None], Question]:
    def ask(operation: Operation, path: str | None) -> Question:
        return Question(
            method=method, params=chat_of(operation) | {"address": text_of(operation, "handle") or ""}
        )

    return ask


def _of_chat(method: str) -> Callable[[Operation, str | None], Question]:
    def ask(operation: Operation, path: str | None) -> Question:
        return Question(method=method, params=chat_of(operation))

    return ask


def _read(operation: Operation, path: str | None) -> Question:
    return Question(method="read", params=recipient_of(operation))


def _poll(operation: Operation, path: str | None) -> Question:
    asked = {"question": text_of(operation, "title") or "", "options": list(texts_of(operation, "options"))}
    return Question(method="poll.send", params=chat_of(operation) | asked)


_QUESTIONS: Final[dict[OperationKind, Callable[[Operation, str | None], Question]]] = {
    OperationKind.EDIT: _edit,
    OperationKind.GROUP_ADD: _member("group.addParticipant"),
    OperationKind.GROUP_CREATE: _create,
    OperationKind.GROUP_ICON: _icon,
    OperationKind.GROUP_LEAVE: _of_chat("group.leave"),
    OperationKind.GROUP_REMOVE: _member("group.removeParticipant"),
    OperationKind.GROUP_RENAME: _rename,
    OperationKind.POLL: _poll,
    OperationKind.REACT: _react,
    OperationKind.READ: _read,
    OperationKind.TYPING: _typing,
    OperationKind.UNREAD: _of_chat("chats.markUnread"),
    OperationKind.UNSEND: _unsend,
}
