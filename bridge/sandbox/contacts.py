"""What simulated contacts do, as observations in the normal form. Pure: ids and times are given.

A scene is where it happens: one chat of one line, and who acts. The command `hub sandbox` and the REST surface put
scenes together and hand the observations to ingest, exactly as a bridge would.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bridge.sandbox.attachments import SIMULATED, attachment_part
from bridge.sandbox.content import SERVICE
from bridge.sandbox.ids import option_id
from bridge.sandbox.memory import after_acts
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedChat,
    ObservedError,
    ObservedMessage,
    ObservedOption,
    ObservedPoll,
    ObservedReaction,
    Part,
)
from hub.rules.capabilities import STANDARD_REACTIONS
from hub.rules.chatkeys import direct_chat_key, normalize_handle


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A chat of a line, and the contact who acts in it."""

    line: str
    chat: ObservedChat
    contact: str


def direct(line: str, contact: str) -> Scene:
    """Set the scene of a direct chat."""
    key = direct_chat_key(contact)
    return Scene(line=line, chat=ObservedChat(key=key, service=SERVICE), contact=normalize_handle(contact))


def group(
    line: str, contact: str, *, key: str, participants: tuple[str, ...] = (), name: str | None = None
) -> Scene:
    """Set the scene of a group chat; the contact and the participants given are in it."""
    actor = normalize_handle(contact)
    members = tuple(dict.fromkeys([actor, *map(normalize_handle, participants)]))
    chat = ObservedChat(key=key, is_group=True, service=SERVICE, name=name, participants=members)
    return Scene(line=line, chat=chat, contact=actor)


def say(
    scene: Scene, text: str, *, guid: str, at: int, reply_to: str | None = None, effect: str | None = None
) -> Observation:
    """The contact writes."""
    parts = (Part(type="text", text=text),)
    message = _message(guid, parts=parts, reply_to=reply_to, effect=effect, sent_at=at)
    return _seen(scene, "message.received", at, message=message)


def send_file(scene: Scene, file: Part, *, guid: str, at: int, text: str | None = None) -> Observation:
    """The contact sends a file (its metadata; a `url` where the bytes are), with or without words."""
    parts = (file,) if text is None else (file, Part(type="text", text=text))
    return _seen(scene, "message.received", at, message=_message(guid, parts=parts, sent_at=at))


def attachment_names() -> tuple[str, ...]:
    """Give the files that a contact has at hand, by name."""
    return tuple(SIMULATED)


def attach(scene: Scene, name: str, *, guid: str, at: int, text: str | None = None) -> Observation:
    """The contact sends one of the files at hand; its bytes are there for whoever fetches them."""
    return send_file(scene, attachment_part(name), guid=guid, at=at, text=text)


def speak(
    scene: Scene, *, guid: str, at: int, transcription: str | None = None, url: str | None = None
) -> Observation:
    """The contact sends a voice message, which the network may have transcribed."""
    voice = Part(
        type="audio",
        filename="Audio Message.caf",
        mime_type="audio/x-caf",
        url=url,
        transcription=transcription,
    )
    return send_file(scene, voice, guid=guid, at=at)


def react(
    scene: Scene, target: str, reaction: str, *, guid: str, at: int, is_removed: bool = False
) -> Observation:
    """The contact reacts to a message, or takes the reaction back: one of the six names, or an emoji."""
    is_standard = reaction in STANDARD_REACTIONS
    shown = ObservedReaction(
        type=reaction if is_standard else "emoji", provider_id=guid, emoji=None if is_standard else reaction
    )
    kind: ObservationKind = "reaction.removed" if is_removed else "reaction.added"
    return _seen(scene, kind, at, target=target, reaction=shown)


def typing(scene: Scene, *, at: int, is_typing: bool = True) -> Observation:
    """The contact begins or ends to type."""
    return _seen(scene, "typing.started" if is_typing else "typing.stopped", at)


def read(scene: Scene, target: str, *, at: int) -> Observation:
    """The contact reads a message of ours."""
    return _seen(scene, "status.read", at, target=target)


def edit(scene: Scene, target: str, text: str, *, at: int) -> Observation:
    """The contact changes the words of a message."""
    parts = (Part(type="text", text=text),)
    return _seen(scene, "message.edited", at, message=_message(target, parts=parts, edited_at=at))


def unsend(scene: Scene, target: str, *, at: int) -> Observation:
    """The contact takes a message back."""
    return _seen(scene, "message.unsent", at, message=_message(target, unsent_at=at))


def start_group(scene: Scene, *, at: int) -> tuple[Observation, ...]:
    """The contact makes the group: its members come in, and its name is set if it has one."""
    added = [_seen(scene, "chat.member_added", at, value=member) for member in scene.chat.participants]
    return (*added, rename_group(scene, scene.chat.name, at=at)) if scene.chat.name else tuple(added)


def rename_group(scene: Scene, name: str, *, at: int) -> Observation:
    """The contact gives the group another name."""
    return _seen(scene, "chat.renamed", at, value=name)


def add_member(scene: Scene, member: str, *, at: int) -> Observation:
    """The contact brings somebody into the group."""
    return _seen(scene, "chat.member_added", at, value=normalize_handle(member))


def remove_member(scene: Scene, member: str, *, at: int) -> Observation:
    """The contact puts somebody out of the group."""
    return _seen(scene, "chat.member_removed", at, value=normalize_handle(member))


def leave_group(scene: Scene, *, at: int) -> Observation:
    """The contact leaves the group."""
    return _seen(scene, "chat.left", at, value=scene.contact)


def change_icon(scene: Scene, *, at: int, is_removed: bool = False) -> Observation:
    """The contact gives the group another picture, or takes it away."""
    return _seen(scene, "chat.icon", at, value="removed" if is_removed else None)


def ask(scene: Scene, title: str, options: tuple[str, ...], *, guid: str, at: int) -> Observation:
    """The contact asks the chat to vote."""
    offered = tuple(ObservedOption(id=option_id(index), text=text) for index, text in enumerate(options))
    return _seen(scene, "poll.created", at, poll=ObservedPoll(provider_id=guid, title=title, options=offered))


def vote(scene: Scene, poll: str, choices: tuple[str, ...], *, at: int) -> Observation:
    """The contact votes; what it chose before no longer counts."""
    return _seen(scene, "poll.voted", at, poll=ObservedPoll(provider_id=poll, choices=choices))


def remembered(memory: str | None, observations: Iterable[Observation]) -> str | None:
    """Give what the network knows of a chat after these acts; None while there is nothing to know."""
    return after_acts(memory, observations)


def line_status(line: str, status: str, *, at: int, reason: str | None = None) -> Observation:
    """The line goes `online`, `degraded` or `offline`; nobody acts."""
    error = ObservedError(code="sandbox", raw=reason) if reason is not None else None
    return Observation(v=1, line=line, kind="line.status", at=at, value=status, error=error)


def _message(guid: str, **fields: Any) -> ObservedMessage:
    return ObservedMessage(provider_id=guid, is_from_me=False, service=SERVICE, **fields)


def _seen(scene: Scene, kind: ObservationKind, at: int, **fields: Any) -> Observation:
    return Observation(v=1, line=scene.line, kind=kind, at=at, chat=scene.chat, actor=scene.contact, **fields)
