"""The two ways on which a send leaves a hub, and what a test can do there: a bridge in the hub, and one at an agent.

Sends are told apart by their words; what arrived is counted by the attempt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from hub.model.ids import Prefix, parse_id
from hub.model.outbox import attempt_id
from tests.chaos.carrier import Carrier, Where, call
from tests.support.agent_machine import Machine

CONTACT = "+15550100001"


class Network(Protocol):
    """What is behind a bridge."""

    name: str
    #: The line on which contacts write.
    inbox: str

    def hold(self, words: str, where: Where) -> None:
        """Let a send wait before or after the network has it."""
        ...

    def has_reached(self, words: str) -> bool:
        """Tell whether it stands there, or stood."""
        ...

    def let_go(self, words: str) -> None:
        """Let it go on."""
        ...

    def lose(self, words: str) -> None:
        """Lose its request on the way, from now on."""
        ...

    def cut(self, words: str) -> None:
        """Lose its answer."""
        ...

    def has_answered(self, words: str) -> bool:
        """Tell whether the answer was given."""
        ...

    def arrived(self, outbox: str) -> int:
        """Count how often the network has a send."""
        ...

    def looks(self, line: str) -> int:
        """Count how often the hub has looked a send of this line up; networks that cannot tell say 0."""
        ...

    def write(self, words: str, *, port: int) -> None:
        """Let a contact write; where nobody listens, the network does not say it again by itself."""
        ...


def _attempt(outbox: str) -> str:
    return attempt_id(parse_id(Prefix.OUTBOX, outbox))


class TwilioNetwork:
    """A bridge that the hub's worker drives."""

    name = "twilio"

    def __init__(self, carrier: Carrier, *, hook: str, inbox: str) -> None:
        self.carrier = carrier
        self.inbox = inbox
        self._hook = hook

    def hold(self, words: str, where: Where) -> None:
        self.carrier.held[words] = where

    def has_reached(self, words: str) -> bool:
        return words in self.carrier.reached

    def let_go(self, words: str) -> None:
        self.carrier.held.pop(words, None)

    def lose(self, words: str) -> None:
        self.carrier.lost.add(words)

    def cut(self, words: str) -> None:
        self.carrier.cut.add(words)

    def has_answered(self, words: str) -> bool:
        return words in self.carrier.answered

    def arrived(self, outbox: str) -> int:
        return self.carrier.arrived_of(_attempt(outbox))

    def looks(self, line: str) -> int:
        return self.carrier.looks_from(line)

    def write(self, words: str, *, port: int) -> None:
        self.carrier.sms_url = self._hook
        call(self.carrier.receive(words, sender=CONTACT, to=self.inbox, url=self._hook), port=port)

    def tell(self, outbox: str, status: str, *, port: int) -> int:
        """Tell how a send of ours stands; give the hub's answer, 0 where there is none."""
        return call(self.carrier.progress(self.carrier.sid_of(_attempt(outbox)), status), port=port)


class AgentNetwork:
    """A bridge behind an agent: its network is a folder."""

    name = "agent"

    def __init__(self, machine: Machine, *, inbox: str) -> None:
        self.machine = machine
        self.inbox = inbox

    def hold(self, words: str, where: Where) -> None:
        self._change(f"hold-{where}", add=words)

    def has_reached(self, words: str) -> bool:
        return words in self._lines("reached")

    def let_go(self, words: str) -> None:
        for where in ("before", "after"):
            self._change(f"hold-{where}", remove=words)

    def lose(self, words: str) -> None:
        """Nothing is between this agent and its network; only what dies with the agent is lost."""

    def cut(self, words: str) -> None:
        self._change("cut", add=words)

    def has_answered(self, words: str) -> bool:
        return words not in [*self._lines("hold-before"), *self._lines("hold-after")]

    def arrived(self, outbox: str) -> int:
        return self.machine.sent(outbox)

    def looks(self, line: str) -> int:
        return 0

    def write(self, words: str, *, port: int) -> None:
        with (self.machine.network / "inbox").open("a") as inbox:
            inbox.write(f"{words}\n")

    def _lines(self, name: str) -> list[str]:
        path = self.machine.network / name
        return path.read_text().splitlines() if path.exists() else []

    def _change(self, name: str, *, add: str | None = None, remove: str | None = None) -> None:
        """Change a list at once; an empty one is none: an empty file would mean every send."""
        path: Path = self.machine.network / name
        lines = [each for each in self._lines(name) if each != remove] + ([add] if add else [])
        if not lines:
            path.unlink(missing_ok=True)
            return
        path.with_suffix(".new").write_text("".join(f"{each}\n" for each in lines))
        path.with_suffix(".new").rename(path)
