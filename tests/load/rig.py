"""A running hub with a receiver, lines and webhooks: what every measurement needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.load.behaviours import Behaviour
from tests.load.generator import LoadOrder
from tests.load.hub_rest import HubRest
from tests.load.observations import LoadPlan
from tests.load.receiver_control import ReceiverControl
from tests.load.signatures import standard_key
from tests.load.topologies import Topology, add_bridge

_RUN_NUMBERS = count(1)


@dataclass(slots=True)
class Rig:
    """One hub under measurement. Each kind of load has a line of its own, with its webhooks."""

    topology: Topology
    receiver: ReceiverControl
    folder: Path
    bridge_id: str
    bridge_key: bytes
    rest: HubRest
    #: Paths of the receiver by line.
    paths: dict[str, list[str]] = field(default_factory=dict)
    #: Deliveries owed so far, one number a load.
    owed: list[int] = field(default_factory=list)

    @classmethod
    def attach(
        cls,
        topology: Topology,
        receiver: ReceiverControl,
        folder: Path,
        lines: tuple[str, ...],
        *,
        name: str = "load",
    ) -> Rig:
        """Add a bridge with these lines to a running hub."""
        bridge_id, secret = add_bridge(topology, name, lines)
        return cls(
            topology=topology,
            receiver=receiver,
            folder=folder,
            bridge_id=bridge_id,
            bridge_key=standard_key(secret),
            rest=topology.rest(),
        )

    def webhooks(self, line: str, number: int = 1, *, behaviour: Behaviour | None = None) -> list[str]:
        """Register webhooks of a line at the receiver's first port; return their paths."""
        port = self.receiver.ports[0]
        urls = [
            (f"/{self.topology.name}/{line}/{index}", f"http://127.0.0.1:{port}") for index in range(number)
        ]
        return self.register(line, urls, self.receiver, behaviour)

    def register(
        self,
        line: str,
        urls: list[tuple[str, str]],
        receiver: ReceiverControl,
        behaviour: Behaviour | None = None,
    ) -> list[str]:
        """Register (path, base URL) pairs with the hub and with the receiver."""
        secrets = {path: self.rest.register(line, base + path) for path, base in urls}
        self.rest.close()
        receiver.expect(secrets, behaviour)
        self.paths[line] = list(secrets)
        return list(secrets)

    def paths_of(self, lines: tuple[str, ...]) -> list[str]:
        """Give all paths of some lines."""
        return [path for line in lines for path in self.paths[line]]

    def order(
        self,
        lines: tuple[str, ...],
        events: int,
        *,
        rate: float | None = None,
        connections: int = 64,
        events_per_request: int = 1,
        retries: bool = False,
    ) -> LoadOrder:
        """Write the order for a load on some lines."""
        plan = LoadPlan(
            run=f"r{next(_RUN_NUMBERS)}",
            lines=lines,
            key=self.bridge_key,
            count=events,
            events_per_request=events_per_request,
            headers=(("X-Bridge-Id", self.bridge_id),),
        )
        return LoadOrder(
            plan=plan, ports=self.topology.web_ports, connections=connections, rate=rate, retries=retries
        )
