"""Bulk sends, wired: for those who make them on the command line, and for the worker that feeds them."""

from __future__ import annotations

from dataclasses import dataclass

from hub.flow.bulk import BulkDesk
from hub.flow.bulk_feeding import BulkFeeding, FeedingParts
from hub.flow.directory import DirectoryHolder
from hub.flow.file_links import FileLinks
from hub.flow.line_policies import LinePolicies
from hub.flow.outgoing import Outgoing
from hub.flow.ports import Clock, WakeUps
from hub.flow.record import Recorder
from hub.flow.repositories import Store
from hub.flow.safety import LineGuard
from hub.flow.second_thoughts import SecondThoughts
from hub.model.ids import IdFactory


@dataclass(frozen=True, kw_only=True, slots=True)
class Workshop:
    """What both are made of."""

    store: Store
    directory: DirectoryHolder
    policies: LinePolicies
    clock: Clock
    new_id: IdFactory
    wake_ups: WakeUps
    links: FileLinks

    def desk(self) -> BulkDesk:
        """Make the desk that takes orders."""
        outgoing, recorder = self._outgoing(), self._recorder()
        return BulkDesk(
            store=self.store,
            outgoing=outgoing,
            second_thoughts=self._second_thoughts(outgoing, recorder),
            recorder=recorder,
            clock=self.clock,
            new_id=self.new_id,
            wake_ups=self.wake_ups,
        )

    def feeding(self) -> BulkFeeding:
        """Make what turns recipients into messages."""
        outgoing, recorder = self._outgoing(), self._recorder()
        return BulkFeeding(
            FeedingParts(
                store=self.store,
                directory=self.directory,
                outgoing=outgoing,
                second_thoughts=self._second_thoughts(outgoing, recorder),
                recorder=recorder,
                clock=self.clock,
            )
        )

    def _outgoing(self) -> Outgoing:
        return Outgoing(
            store=self.store,
            directory=self.directory,
            clock=self.clock,
            new_id=self.new_id,
            wake_ups=self.wake_ups,
            guard=LineGuard(self.policies),
            links=self.links,
        )

    def _recorder(self) -> Recorder:
        return Recorder(
            store=self.store.hot,
            directory=self.directory,
            take_ids=self.new_id.take,
            wake_ups=self.wake_ups,
            clock=self.clock,
        )

    def _second_thoughts(self, outgoing: Outgoing, recorder: Recorder) -> SecondThoughts:
        return SecondThoughts(
            outgoing=outgoing,
            recorder=recorder,
            clock=self.clock,
            new_id=self.new_id,
            wake_ups=self.wake_ups,
        )
