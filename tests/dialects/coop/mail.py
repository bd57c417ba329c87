"""The worker's part for webhooks, without a worker: what is due is posted, and what was answered is recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hub.flow.deliver import Deliverer, Finished
from hub.flow.receivers import compile_receiver
from hub.rules.lanes import shard_of
from tests.flow.posting import DEFAULTS, Answer, Line, Unreachable
from tests.support.hub_world import HubWorld


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One request as a receiver got it."""

    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Mail:
    """Delivers what is due, to receivers that all answer the same."""

    world: HubWorld
    status: int = 200
    letters: list[Letter] = field(default_factory=list)

    async def deliver(self) -> list[Finished]:
        """Post everything that is due now; give what followed, oldest first."""
        finished = []
        for webhook in (await self.world.directory.refresh()).webhooks.values():
            if not webhook.is_active:
                continue
            poster, now_ms = Line(Answer(self.status)), self.world.clock.now_ms()
            forms = self.world.parts.webhook_forms
            compiled = compile_receiver(webhook, poster, DEFAULTS, forms, now_ms=now_ms, refused=Unreachable)
            deliverer = Deliverer(
                poster=poster,
                clock=self.world.clock,
                monotonic=lambda: 0.0,
                draw=lambda: 0.0,
                unreachable=Unreachable,
            )
            shard = shard_of(webhook.id)
            due = await self.world.store.hot.read(
                lambda tx, lane=webhook.id, shard=shard, now=now_ms: tx.due_deliveries(lane, shard, now, 100)  # type: ignore[misc] # bound
            )
            done = [await deliverer.attempt(compiled, each) for each in due]
            await self.world.store.hot.write(
                lambda tx, done=done: tx.finish_deliveries(  # type: ignore[misc] # bound
                    [each.finish for each in done], [each.attempt for each in done]
                )
            )
            self.letters += [_letter(webhook.url, *posted) for posted in poster.posted]
            finished += done
        return finished

    def of(self, event: str) -> list[Letter]:
        """The letters that tell of one kind of event."""
        return [letter for letter in self.letters if letter.json["event"] == event]


def _letter(url: str, head: bytes, body: bytes) -> Letter:
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
    return Letter(url=url, headers=dict(lines), body=body)
