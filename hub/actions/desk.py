"""The use cases that built-in actions call, built once from the parts of a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hub.flow.assignments import AssignmentDesk
from hub.flow.consent import ConsentBook
from hub.flow.contacts import ContactBook
from hub.flow.directory import DirectoryHolder
from hub.flow.downloads import Downloads
from hub.flow.files import FileDesk, FileParts
from hub.flow.generate import AiConnection, DraftDesk
from hub.flow.line_choice import LineChoice
from hub.flow.line_policies import LinePolicies
from hub.flow.lines import LineBook
from hub.flow.outgoing import Outgoing
from hub.flow.ports import Clock, WakeUps
from hub.flow.record import Recorder
from hub.flow.repositories import Store
from hub.flow.safety import LineGuard
from hub.model.ids import IdFactory
from hub.model.key import ApiKey
from hub.model.line import Line

#: The hub itself, where a use case asks for whom it works: it may use every line. It stands in no table.
THE_HUB: Final = ApiKey(
    id=0,
    name="routes",
    hint="",
    scopes=frozenset({"admin"}),
    line_ids=None,
    requests_per_hour=None,
    created_at=0,
    expires_at=None,
    revoked_at=None,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ActionParts:
    """What built-in actions are made of."""

    store: Store
    directory: DirectoryHolder
    policies: LinePolicies
    clock: Clock
    new_id: IdFactory
    wake_ups: WakeUps
    files: FileParts
    #: For attachments that are named by an address.
    downloads: Downloads
    #: Longest time of fetching one.
    fetch_seconds: float
    #: Whether the line's bridge can be asked to send at all.
    can_send: Callable[[Line], bool]
    #: The language model; None where there is none.
    ai: AiConnection | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What actions call."""

    store: Store
    directory: DirectoryHolder
    clock: Clock
    assignments: AssignmentDesk
    consents: ConsentBook
    contacts: ContactBook
    downloads: Downloads
    drafts: DraftDesk
    fetch_seconds: float
    files: FileDesk
    line_choice: LineChoice
    outgoing: Outgoing


def open_desk(parts: ActionParts) -> Desk:
    """Build the use cases."""
    store, directory, clock, new_id = parts.store, parts.directory, parts.clock, parts.new_id
    wake_ups = parts.wake_ups
    lines = LineBook(store=store, directory=directory, clock=clock, new_id=new_id, wake_ups=wake_ups)
    return Desk(
        store=store,
        directory=directory,
        clock=clock,
        assignments=AssignmentDesk(
            recorder=Recorder(
                store=store.hot, directory=directory, take_ids=new_id.take, wake_ups=wake_ups, clock=clock
            ),
            clock=clock,
            new_id=new_id,
        ),
        consents=ConsentBook(
            store=store, directory=directory, take_ids=new_id.take, wake_ups=wake_ups, clock=clock
        ),
        contacts=ContactBook(store=store, lines=lines, clock=clock, new_id=new_id),
        downloads=parts.downloads,
        drafts=DraftDesk(store=store, clock=clock, new_id=new_id, connection=parts.ai),
        fetch_seconds=parts.fetch_seconds,
        files=FileDesk(store=store, parts=parts.files, clock=clock, new_id=new_id, wake_ups=wake_ups),
        line_choice=LineChoice(store=store, lines=lines, can_send=parts.can_send),
        outgoing=Outgoing(
            store=store,
            directory=directory,
            clock=clock,
            new_id=new_id,
            wake_ups=wake_ups,
            can_send=parts.can_send,
            guard=LineGuard(parts.policies),
            links=parts.files.links,
        ),
    )
