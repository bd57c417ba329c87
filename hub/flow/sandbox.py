"""Let simulated contacts act: what they do is taken in exactly as if a bridge had told it.

Not here: how each act looks (bridge.sandbox.contacts, given as `SimulatedContacts`).
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from hub.flow.bootstrap import SANDBOX_KIND
from hub.flow.directory import DirectoryHolder
from hub.flow.ingest import BridgeRequest, ObservationResult
from hub.flow.poll_payloads import Tally
from hub.flow.ports import Clock
from hub.flow.repositories import Chat, Store
from hub.flow.rows import MessageRow
from hub.model.errors import InvalidRequest
from hub.model.ids import InvalidId, Prefix, parse_id
from hub.model.line import Line
from hub.model.observation import Observation
from hub.rules.chatkeys import handle_of, normalize_handle

Ingesting = Callable[[BridgeRequest], Awaitable[tuple[ObservationResult, ...]]]


class SimulatedContacts(Protocol):
    """The acts of simulated contacts (the module bridge.sandbox.contacts); a scene is opaque here."""

    def direct(self, line: str, contact: str) -> Any: ...
    def group(
        self,
        line: str,
        contact: str,
        *,
        key: str,
        participants: tuple[str, ...] = (),
        name: str | None = None,
    ) -> Any: ...
    def say(
        self, scene: Any, text: str, *, guid: str, at: int, reply_to: str | None = None
    ) -> Observation: ...
    def attachment_names(self) -> tuple[str, ...]: ...
    def attach(
        self, scene: Any, name: str, *, guid: str, at: int, text: str | None = None
    ) -> Observation: ...
    def react(
        self, scene: Any, target: str, reaction: str, *, guid: str, at: int, is_removed: bool = False
    ) -> Observation: ...
    def typing(self, scene: Any, *, at: int, is_typing: bool = True) -> Observation: ...
    def read(self, scene: Any, target: str, *, at: int) -> Observation: ...
    def edit(self, scene: Any, target: str, text: str, *, at: int) -> Observation: ...
    def unsend(self, scene: Any, target: str, *, at: int) -> Observation: ...
    def start_group(self, scene: Any, *, at: int) -> tuple[Observation, ...]: ...
    def rename_group(self, scene: Any, name: str, *, at: int) -> Observation: ...
    def add_member(self, scene: Any, member: str, *, at: int) -> Observation: ...
    def remove_member(self, scene: Any, member: str, *, at: int) -> Observation: ...
    def change_icon(self, scene: Any, *, at: int, is_removed: bool = False) -> Observation: ...
    def leave_group(self, scene: Any, *, at: int) -> Observation: ...
    def ask(self, scene: Any, title: str, options: tuple[str, ...], *, guid: str, at: int) -> Observation: ...
    def vote(self, scene: Any, poll: str, choices: tuple[str, ...], *, at: int) -> Observation: ...
    def remembered(self, memory: str | None, observations: Sequence[Observation]) -> str | None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Acted:
    """What a contact's act led to."""

    event_ids: tuple[int, ...]
    #: The network's id of the new message, for an act that makes one.
    guid: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where an act happens: the contact, in a chat of a sandbox line."""

    line: Line
    scene: Any
    #: Of a group.
    group_key: str | None = None


class SandboxStage:
    """Brings simulated contacts onto a sandbox line."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        contacts: SimulatedContacts,
        ingest: Ingesting,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._store = store
        self._directory = directory
        self.contacts = contacts
        self._ingest = ingest
        self._clock = clock
        self._random_bytes = random_bytes

    async def line(self) -> Line | None:
        """The sandbox line; None when the sandbox is switched off."""
        directory = await self._directory.refresh()
        for line in sorted(directory.lines_by_id.values(), key=lambda each: each.id):
            bridge = directory.bridges_by_id.get(line.bridge_id)
            if bridge is not None and bridge.kind == SANDBOX_KIND and bridge.is_enabled:
                return line
        return None

    async def require_line(self) -> Line:
        """The sandbox line.

        Raises:
            InvalidRequest: line_not_found when the sandbox is switched off.
        """
        line = await self.line()
        if line is None:
            raise InvalidRequest(
                "line_not_found", "The sandbox is switched off (sandbox.enabled in hub.yaml)."
            )
        return line

    def direct(self, line: Line, contact: str) -> Stage:
        """Set a direct chat."""
        return Stage(line=line, scene=self.contacts.direct(line.handle, contact))

    async def group(
        self, line: Line, contact: str, *, key: str, participants: Sequence[str] = (), name: str | None = None
    ) -> Stage:
        """Set a group chat, new or known; a known one keeps its members and its name."""
        known = await self._store.chats.by_key(line.id, key)
        members = tuple(participants) if known is None else (*known.participants, *participants)
        scene = self.contacts.group(
            line.handle, contact, key=key, participants=members, name=name if known is None else None
        )
        return Stage(line=line, scene=scene, group_key=key)

    async def place(self, line: Line, contact: str, group: str | None) -> Stage:
        """Set the chat that a person names: a group by its `cht_` id or by any name for it, or a direct chat.

        Raises:
            InvalidRequest: chat_not_found for a `cht_` id that is no group of the line.
        """
        if group is None:
            return self.direct(line, contact)
        if not group.startswith(f"{Prefix.CHAT}_"):
            return await self.group(line, contact, key=f"chat-{group}", name=group)
        return await self.group(line, contact, key=await self._group_key(line, group))

    async def in_known_group(self, line: Line, contact: str, group: str) -> Stage:
        """As `place`, where the group must be there.

        Raises:
            InvalidRequest: chat_not_found.
        """
        stage = await self.place(line, contact, group)
        if stage.group_key is None or await self._store.chats.by_key(line.id, stage.group_key) is None:
            raise InvalidRequest("chat_not_found", "Chat not found.", param="group")
        return stage

    async def _group_key(self, line: Line, text: str) -> str:
        try:
            chat = await self._store.chats.get(parse_id(Prefix.CHAT, text))
        except InvalidId:
            chat = None
        if chat is None or chat.line_id != line.id or not chat.is_group:
            raise InvalidRequest("chat_not_found", "Chat not found.", param="group")
        return chat.chat_key

    async def at_poll(self, line: Line, poll_id: int, contact: str | None) -> tuple[Stage, Tally]:
        """Set the chat of a poll.

        Raises:
            InvalidRequest: poll_not_found; as `in_chat`.
        """
        tally = await self._store.chats.poll(poll_id)
        chat = None if tally is None else await self._store.chats.get(tally.poll.chat_id)
        if tally is None or chat is None or tally.poll.line_id != line.id:
            raise InvalidRequest("poll_not_found", "Poll not found.", param="poll_id")
        return await self.in_chat(line, chat, contact), tally

    async def in_chat(self, line: Line, chat: Chat, contact: str | None) -> Stage:
        """Set a known chat; in a direct one the contact is its other side, in a group it must be named.

        Raises:
            InvalidRequest: No contact, or one who is not in the chat.
        """
        other = handle_of(chat.chat_key)
        actor = normalize_handle(contact) if contact else other
        if actor is None:
            raise InvalidRequest(
                "missing_required_parameter", "The 'contact' field is required in a group.", param="contact"
            )
        if other is None:
            return await self.group(line, actor, key=chat.chat_key)
        if actor != other:
            raise InvalidRequest(
                "sandbox_contact_mismatch",
                "This contact is not in the chat of that message.",
                param="contact",
            )
        return self.direct(line, actor)

    async def at_message(self, line: Line, message: MessageRow, contact: str | None) -> Stage:
        """Set the chat of a message.

        Raises:
            InvalidRequest: As `in_chat`; chat_not_found while no chat is known for the message.
        """
        chat = await self._store.chats.get(message.chat_id)
        if chat is None:
            raise InvalidRequest("chat_not_found", "The message's chat is not known yet.")
        return await self.in_chat(line, chat, contact)

    async def act(
        self, stage: Stage, observations: Sequence[Observation], *, guid: str | None = None
    ) -> Acted:
        """Take in what a contact did."""
        request = BridgeRequest(
            bridge_id=stage.line.bridge_id,
            request_id=f"sandbox-{self._random_bytes(16).hex()}",
            body=msgspec.json.encode({"events": observations}),
            observations=tuple(observations),
        )
        results = await self._ingest(request)
        if stage.group_key is not None:
            await self._remember(stage.line.handle, stage.group_key, observations)
        return Acted(event_ids=tuple(each for result in results for each in result.event_ids), guid=guid)

    async def _remember(self, line_handle: str, key: str, observations: Sequence[Observation]) -> None:
        """Let the simulated network know what its contacts did, so that it judges our operations by it."""
        network = self._store.sandbox
        known = self.contacts.remembered(await network.recall(line_handle, key), observations)
        if known is not None:
            await network.remember(line_handle, key, known)

    def new_guid(self) -> str:
        """Draw a message's id as the network would."""
        return str(uuid.UUID(bytes=self._random_bytes(16), version=4)).upper()

    def now_ms(self) -> int:
        return self._clock.now_ms()
