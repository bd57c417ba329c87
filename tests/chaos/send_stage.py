"""A running hub with two bridges, one inside it and one at an agent, and a receiver of its webhooks.

Whoever is killed is mended as it would be in earnest: by `hub up` itself, or by what watches over services.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from anyio.from_thread import BlockingPortal

from tests.bridge.twilio.fake_twilio import ACCOUNT, TOKEN
from tests.chaos.carrier import Carrier, running_carrier
from tests.chaos.gates import Gate, PostgresGate, SqliteGate
from tests.chaos.networks import AgentNetwork, Network, TwilioNetwork
from tests.e2e.receiver import Receiver
from tests.e2e.rest import Rest
from tests.load.hub_rest import is_ready
from tests.load.postgres import PostgresServer, running_postgres
from tests.load.services import Service
from tests.load.topologies import Apart, Embedded, Topology
from tests.load.waiting import wait_for
from tests.support.agent_machine import Machine

#: More lines than a round has steps.
LINES: Mapping[str, tuple[str, ...]] = {
    "twilio": tuple(f"+155501007{number:02}" for number in range(9)),
    "agent": tuple(f"+155501008{number:02}" for number in range(5)),
}
#: The line whose webhook a round holds up.
HOOKED = LINES["twilio"][2]
UNKNOWN_AFTER_SECONDS = 6
#: Short times, so that a test sees the end of what takes minutes; and an address for the network to call.
IMPATIENT: Mapping[str, str] = {
    "HUB_DELIVERY__SCHEDULE_SECONDS": ",".join(["1"] * 20),
    "HUB_DELIVERY__BREAKER_OPEN_SECONDS": "1",
    "HUB_DELIVERY__BREAKER_OPEN_MAX_SECONDS": "2",
    "HUB_SENDS__PACE_SECONDS": "0",
    "HUB_SENDS__UNKNOWN_AFTER_SECONDS": str(UNKNOWN_AFTER_SECONDS),
    "HUB_WORKER__SHARDS_LEASE_SECONDS": "2",
    "HUB_WORKER__SWEEP_SECONDS": "1",
    "HUB_WEB__BASE_URL": "https://hub.example",
    "HUB_TWILIO": TOKEN,
}
_BACK_SECONDS = 150.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Blow:
    """Who is killed."""

    name: str
    #: Kills, and returns when it is dead.
    strike: Callable[[], None]
    #: Starts it again where nobody else does, and returns when all is there.
    mend: Callable[[], None]
    #: It asked the networks inside the hub: their answers go nowhere, or come too late.
    ends_sends: bool = False
    #: Lets who was only held up go on, when others have taken its work over.
    thaw: Callable[[], None] = lambda: None


@dataclass(kw_only=True, slots=True)
class Stage:
    """Everything that a round needs."""

    hub: Topology
    rest: Rest
    twilio: TwilioNetwork
    agent: AgentNetwork
    gate: Gate
    receiver: Receiver
    blows: Mapping[str, Blow]

    @property
    def port(self) -> int:
        return self.hub.web_ports[0]

    @property
    def networks(self) -> tuple[Network, ...]:
        return (self.twilio, self.agent)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Around:
    """What is beside a hub."""

    machine: Machine
    carrier: Carrier
    api_url: str
    portal: BlockingPortal
    receiver: Receiver


#: How the agent asks the hub, and the settings that make it so.
WAYS: Mapping[str, Mapping[str, str]] = {"websocket": {}, "long-poll": {"HUB_BRIDGE__AGENT_SOCKETS": "0"}}


@contextlib.contextmanager
def embedded_stage(folder: Path, way: str = "websocket") -> Iterator[Stage]:
    """Run `hub up`: SQLite, Valkey, web and worker in its hands."""
    hub = Embedded(folder, env={**IMPATIENT, **WAYS[way]})
    with _running(hub, folder) as around:
        gate = SqliteGate(folder / "data" / "hub.db")
        yield _furnished(hub, around, gate, _embedded_blows(hub, around.machine))


@contextlib.contextmanager
def apart_stage(folder: Path, way: str = "websocket") -> Iterator[Stage]:
    """Run web, worker, Valkey and PostgreSQL as services."""
    with running_postgres() as server:
        env = {**IMPATIENT, **WAYS[way]}
        hub = Apart(folder, postgres_url=server.url, postgres_pid=server.pid, env=env)
        with _running(hub, folder) as around:
            gate = PostgresGate(server.url, around.portal)
            yield _furnished(hub, around, gate, _apart_blows(hub, server, around.machine))


@contextlib.contextmanager
def _running(hub: Topology, folder: Path) -> Iterator[_Around]:
    machine = Machine(folder / "machine", hub_url=f"http://127.0.0.1:{hub.web_ports[0]}")
    with (
        contextlib.closing(Receiver()) as receiver,
        running_carrier(set(LINES["twilio"])) as (carrier, api_url, portal),
    ):
        try:
            hub.start()
            yield _Around(machine=machine, carrier=carrier, api_url=api_url, portal=portal, receiver=receiver)
        finally:
            machine.stop()
            hub.stop()


def _furnished(hub: Topology, around: _Around, gate: Gate, blows: Mapping[str, Blow]) -> Stage:
    """Add the bridges and their lines."""
    machine, receiver = around.machine, around.receiver
    printed = hub.command(
        "bridges", "add", "sms", "--kind", "twilio", *(f"--line={each}" for each in LINES["twilio"]),
        "--set", f"account_sid={ACCOUNT}", "--set", "auth_token=env:HUB_TWILIO",
        "--set", f"api_url={around.api_url}", "--set", "poll_seconds=1",
    )  # fmt: skip
    hook = next(line.removeprefix("hook: ") for line in printed.splitlines() if line.startswith("hook: "))
    rest = Rest(hub.web_ports[0], hub.rest().key)
    machine.enrol(f"token: {rest.post('/v1/enrolments', {'name': 'mini'})['token']}\n")
    bridge = next(each for each in rest.get("/v1/bridges")["data"] if each["name"] == "mini")
    for handle in LINES["agent"]:
        rest.post("/v1/lines", {"handle": handle, "bridge_id": bridge["id"]})
    for line in rest.get("/v1/lines", limit=100)["data"]:
        rest.ask("PATCH", f"/v1/lines/{line['id']}", {"is_contact_first": False})
    for handle in (*LINES["twilio"], *LINES["agent"]):
        rest.register(receiver.url("/hooked" if handle == HOOKED else "/all"), "message.*", line=handle)
    machine.start()
    machine.wait_until_started()
    return Stage(
        hub=hub,
        rest=rest,
        twilio=TwilioNetwork(around.carrier, hook=hook, inbox=LINES["twilio"][0]),
        agent=AgentNetwork(machine, inbox=min(LINES["agent"])),
        gate=gate,
        receiver=receiver,
        blows=blows,
    )


def _agent_blow(machine: Machine) -> Blow:
    return Blow(name="agent", strike=lambda: _dead(machine.end(signal.SIGKILL)), mend=machine.start)


def _dead(code: int) -> None:
    assert code == -signal.SIGKILL, code


def _embedded_blows(hub: Embedded, machine: Machine) -> Mapping[str, Blow]:
    def kill(role: str) -> Callable[[], None]:
        return lambda: os.kill(hub.roles()[role], signal.SIGKILL)

    def are_back() -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):  # it is just being started anew
            # A web that does not listen yet looks like a second worker.
            return hub.roles().keys() == {"valkey", "web", "worker"} and is_ready(hub.web_ports[0])
        return False

    def mend() -> None:
        wait_for("hub up has mended itself", are_back, seconds=_BACK_SECONDS)

    def all_at_once() -> None:
        hub.crash()
        _dead(machine.end(signal.SIGKILL))

    def all_back() -> None:
        hub.start()
        machine.start()

    roles = ("valkey", "web", "worker")
    blows = [Blow(name=role, strike=kill(role), mend=mend, ends_sends=role == "worker") for role in roles]
    blows += [
        _agent_blow(machine),
        Blow(name="supervisor", strike=hub.crash, mend=lambda: _started(hub), ends_sends=True),
        Blow(name="power", strike=all_at_once, mend=all_back, ends_sends=True),
    ]
    return {each.name: each for each in blows}


def _started(hub: Embedded) -> None:
    hub.start()


def _apart_blows(hub: Apart, server: PostgresServer, machine: Machine) -> Mapping[str, Blow]:
    def of(name: str) -> Blow:
        def services() -> list[Service]:
            return [service for each, service in hub.services.items() if each.startswith(name)]

        return Blow(
            name=name,
            strike=lambda: _kill(services()),
            mend=lambda: _start(services()),
            ends_sends=name == "worker",
        )

    def all_at_once() -> None:
        server.kill()
        _kill(hub.services.values())
        _dead(machine.end(signal.SIGKILL))

    def all_back() -> None:
        server.start()
        _start(hub.services.values())
        machine.start()

    blows = [of("valkey"), of("web"), of("worker"), _agent_blow(machine), _lease_blow(hub)]
    blows.append(Blow(name="postgres", strike=server.kill, mend=server.start))
    blows.append(Blow(name="power", strike=all_at_once, mend=all_back, ends_sends=True))
    return {each.name: each for each in blows}


def _lease_blow(hub: Apart) -> Blow:
    """A worker stands still for longer than its lease, as on a machine that sleeps; another one takes over."""

    def signal_first(number: signal.Signals) -> None:
        os.kill(hub.services["worker1"].pid, number)

    return Blow(
        name="lease",
        strike=lambda: signal_first(signal.SIGSTOP),
        mend=lambda: _start([hub.add_worker()]),
        thaw=lambda: signal_first(signal.SIGCONT),
        ends_sends=True,
    )


def _kill(services: Iterable[Service]) -> None:
    """Kill all at once, then see that they are dead."""
    killed = list(services)
    for service in killed:
        os.kill(service.pid, signal.SIGKILL)
    for service in killed:
        service.kill()


def _start(services: Iterable[Service]) -> None:
    """Start all at once, and wait until they are ready."""
    started = list(services)
    for service in started:
        service.start_without_waiting()
    for service in started:
        service.wait_until_ready()
