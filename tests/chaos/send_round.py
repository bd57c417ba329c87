"""One round: sends stand at every step at once, somebody is killed, and everything is let go on.

Then each send was made once, or ends as `delivery_unknown`; whoever is told `sent` has sent; each thing that a contact
wrote is one message and one event; and each event was delivered.
"""

from __future__ import annotations

import http.client
import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from tests.chaos.carrier import Where
from tests.chaos.networks import CONTACT, Network
from tests.chaos.send_stage import LINES, Blow, Stage
from tests.e2e.rest import Answer
from tests.e2e.running import wait_for

_ROUNDS = itertools.count(1)
_until = partial(wait_for, seconds=120.0, every_seconds=0.05)
#: The step that has the words of another send.
TWIN: Final = "second twin"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """A send that is asked for, under a key of its own."""

    network: Network
    #: Where it stands when the blow falls.
    step: str
    line: str
    words: str

    @property
    def name(self) -> str:
        return f"{self.network.name}, {self.step}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """What became of a send: `sent` or the code of its error, and how often its network has it."""

    end: str
    arrived: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reckoning:
    """What came of a round."""

    #: By network and step.
    fates: dict[str, Fate]
    #: Words of contacts → messages, and events of them.
    heard: dict[str, tuple[int, int]]
    #: What events tell twice.
    doubled: list[str]
    #: Events that were recorded and not delivered to a webhook, or the other way round.
    untold: list[str]


@dataclass(kw_only=True)
class Round:
    """Plays one round."""

    stage: Stage
    blow: Blow
    name: str = field(default_factory=lambda: f"round {next(_ROUNDS)}")
    _sent: dict[Wish, str] = field(default_factory=dict)
    _heard: list[str] = field(default_factory=list)
    _since: str | None = None

    def play(self) -> Reckoning:
        """Bring sends to their steps, strike, let go, and look."""
        stage, twilio = self.stage, self.stage.twilio
        self._since = self._events()[1]
        self._write("before")
        told, hooked = self._wish(twilio, "told later", 1), self._wish(twilio, "told, not passed on", 2)
        first = self._wish(twilio, "first twin", 3, words="the same words")
        for each in (told, hooked, first):
            self._ask_until_accepted(each)
            self._wait_for_end(each)
        held = self._held()
        stage.receiver.hold("/hooked")
        assert twilio.tell(self._sent[hooked], "delivered", port=stage.port) == 200
        _until(lambda: self._has_been_posted(self._sent[hooked]) or None)
        late = held["twilio, late"]
        looks = twilio.looks(late.line)
        with ThreadPoolExecutor() as pool:
            self._strike(held, pool)
        self.blow.mend()
        if self.blow.ends_sends:
            _until(lambda: twilio.looks(late.line) > looks or None)
        self.blow.thaw()
        self._go_on(held)
        status = self._sent[told], "delivered"
        _until(lambda: twilio.tell(*status, port=stage.port) == 200 or None)
        return self._reckoning()

    # ---- the steps

    def _held(self) -> dict[str, Wish]:
        """Let sends stand at their steps, with another one behind each."""
        twilio, agent = self.stage.twilio, self.stage.agent
        held = [
            self._hold(self._wish(twilio, "lost", 0), "before"),
            self._hold(self._wish(twilio, TWIN, 3, words="the same words"), "before"),
            self._hold(self._wish(twilio, "late", 4), "before"),
            self._hold(self._wish(twilio, "taken", 5), "after"),
            self._hold(self._wish(twilio, "unrecorded", 6), "after"),
            self._hold(self._wish(agent, "lost", 0), "before"),
            self._hold(self._wish(agent, "taken", 1), "after"),
            self._hold(self._wish(agent, "unrecorded", 2), "after"),
        ]
        cut = [self._wish(twilio, "cut", 7), self._wish(agent, "cut", 3)]
        for each in cut:
            each.network.cut(each.words)
            self._ask_until_accepted(each)
        for each in cut:
            _until(partial(self._has_been_tried, each))
        for each in (*held, *cut):
            behind = f"behind {each.step}"
            number = LINES[each.network.name].index(each.line)
            self._ask_until_accepted(self._wish(each.network, behind, number))
        return {each.name: each for each in held}

    def _hold(self, wish: Wish, where: Where) -> Wish:
        wish.network.hold(wish.words, where)
        self._ask_until_accepted(wish)
        _until(lambda: wish.network.has_reached(wish.words) or None)
        return wish

    def _strike(self, held: dict[str, Wish], pool: ThreadPoolExecutor) -> None:
        """Kill while answers are given, a send is asked for and contacts write; none of it can be recorded."""
        stage = self.stage
        with stage.gate.shut():
            unrecorded = [held["twilio, unrecorded"], held["agent, unrecorded"]]
            for each in unrecorded:
                each.network.let_go(each.words)
            pool.submit(self._ask, self._wish(stage.twilio, "asked", 8))
            for network in stage.networks:
                pool.submit(network.write, self._to_hear(network, "unrecorded"), port=stage.port)
            _until(lambda: all(each.network.has_answered(each.words) for each in unrecorded) or None)
            _until(lambda: stage.gate.waiting() >= 2 or None)
            self.blow.strike()
        self._write("while it was away")
        pool.submit(self._ask, self._wish(stage.twilio, "asked while it was away", 8))

    def _go_on(self, held: dict[str, Wish]) -> None:
        stage = self.stage
        for name in ("twilio, lost", f"twilio, {TWIN}"):
            held[name].network.lose(held[name].words)
        for each in held.values():
            each.network.let_go(each.words)
        stage.receiver.let_go("/hooked")
        for step in ("asked", "asked while it was away"):
            self._ask_until_accepted(self._wish(stage.twilio, step, 8))
        self._write("after")

    # ---- asking

    def _wish(self, network: Network, step: str, number: int, *, words: str = "") -> Wish:
        words = f"{self.name}, {network.name}: {words or step}"
        return Wish(network=network, step=step, line=LINES[network.name][number], words=words)

    def _ask(self, wish: Wish) -> Answer | None:
        body = {"from": wish.line, "to": CONTACT, "text": wish.words}
        key = {"Idempotency-Key": f"{self.name}.{wish.name}".replace(" ", "-").replace(",", "")}
        try:
            return self.stage.rest.ask("POST", "/v1/messages", body, **key)
        except (OSError, http.client.HTTPException):
            return None

    def _ask_until_accepted(self, wish: Wish) -> None:
        """Repeat under the same key, as clients do, while nobody answers or the hub asks for it."""

        def accepted() -> Answer | None:
            answer = self._ask(wish)
            if answer is None or answer.status in {409, 503}:
                return None
            assert answer.status < 300, answer
            return answer

        self._sent[wish] = _until(accepted).document["id"]

    def _write(self, when: str) -> None:
        """Let contacts write."""
        for network in self.stage.networks:
            network.write(self._to_hear(network, when), port=self.stage.port)

    def _to_hear(self, network: Network, when: str) -> str:
        self._heard.append(f"{self.name}, {network.name}: heard {when}")
        return self._heard[-1]

    # ---- looking

    def _get(self, path: str, **query: object) -> Any:
        """Ask until somebody answers."""

        def answered() -> Any:
            try:
                return self.stage.rest.get(path, **query)
            except (OSError, http.client.HTTPException, AssertionError):
                return None

        return _until(answered)

    def _item(self, wish: Wish) -> dict[str, Any]:
        item: dict[str, Any] = self._get("/v1/outbox", id=self._sent[wish])
        return item

    def _wait_for_end(self, wish: Wish) -> dict[str, Any]:
        def ended() -> dict[str, Any] | None:
            item = self._item(wish)
            return item if item["state"] in {"sent", "failed", "cancelled"} else None

        return _until(ended)

    def _has_been_tried(self, wish: Wish) -> bool:
        return self._item(wish)["state"] not in {"pending", "dispatched"}

    def _has_been_posted(self, outbox: str) -> bool:
        posted = self.stage.receiver.requests("/hooked")
        return any(
            each.type == "message.delivered" and each.event["data"]["outbox_id"] == outbox for each in posted
        )

    def _events(self) -> tuple[list[dict[str, Any]], str | None]:
        """Give what was recorded since the round began, and where that ends."""
        found: list[dict[str, Any]] = []
        cursor = self._since
        while True:
            query = {"order": "asc", "limit": 100, "type": "message.*"} | (
                {"cursor": cursor} if cursor else {}
            )
            page = self._get("/v1/events", **query)
            found += page["data"]
            cursor = page["next_cursor"]
            if not page["has_more"]:
                return found, cursor

    def _reckoning(self) -> Reckoning:
        fates = {}
        for wish, outbox in self._sent.items():
            item = self._wait_for_end(wish)
            end = str(item["error"] or item["state"]).partition(":")[0]
            fates[wish.name] = Fate(end=end, arrived=wish.network.arrived(outbox))
        _until(self._has_heard_all)
        _until(lambda: not self._untold() or None)
        events = self._events()[0]
        told = Counter(f"{each['type']} {each['data'].get('guid')}" for each in events)
        return Reckoning(
            fates=fates,
            heard={words: self._count(words, events) for words in self._heard},
            doubled=sorted(name for name, count in told.items() if count > 1),
            untold=self._untold(),
        )

    def _inbound(self) -> list[str]:
        lines = [network.inbox for network in self.stage.networks]
        return [
            each["text"]
            for line in lines
            for each in self._get("/v1/messages", direction="inbound", limit=100, **{"from": line})["data"]
        ]

    def _has_heard_all(self) -> bool:
        return set(self._heard) <= set(self._inbound())

    def _count(self, words: str, events: list[dict[str, Any]]) -> tuple[int, int]:
        told = [each for each in events if each["type"] == "message.received"]
        return (
            self._inbound().count(words),
            sum(1 for each in told if each["data"].get("text") == words),
        )

    def _untold(self) -> list[str]:
        """Compare what was recorded with what came to the webhooks."""
        receiver = self.stage.receiver
        came = {
            each.headers["webhook-id"] for path in ("/all", "/hooked") for each in receiver.requests(path)
        }
        return sorted({each["id"] for each in self._events()[0]} - came)
