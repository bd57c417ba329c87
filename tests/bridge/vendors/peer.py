"""A hub of ours that plays a vendor, on the loopback; and the way to it, on which tests lose and forge answers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.taming import json_in, mapping_in
from hub.api.dialect import webhook_forms
from hub.dialects.registry import DIALECTS
from hub.flow.bridge_kinds import HookRequest, Surroundings
from hub.flow.calling import Call, CallFailed, Reply, StreamedBody, StreamedReply
from hub.flow.keys import KeyWish
from hub.flow.ports import OutgoingFile
from hub.flow.rows import DueDelivery
from hub.flow.webhook_forms import NATIVE_FORMS
from hub.model.key import SCOPES
from hub.outbound.calling import GuardedCaller
from hub.rules.lanes import shard_of
from tests.bridge.networks import Links, Shelf, serving
from tests.bridge.vendors.vendor_stage import Vendor
from tests.flow.posting import Line as PostingLine
from tests.flow.posting import receiver
from tests.support.asgi import Caller
from tests.support.calling import local_client
from tests.support.hub_world import HubWorld, open_world
from tests.support.sandbox_worker import SandboxWorker
from tests.support.served import served

#: Seconds; who waits longer waits for the next round.
LONGEST_WAIT = 30
PICTURE = b"\x89PNG\r\n\x1a\n picture"
SOUND = b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x64" + bytes(400)
_SCOPES = frozenset(SCOPES) - {"admin", "sandbox:write"}


@dataclass
class Way:
    """The way to the vendor: a real caller, whose requests and answers a test may lose."""

    caller: GuardedCaller
    #: Words whose request is lost, or whose answer is, or is another one: (status, headers, body).
    loses_request: set[bytes] = field(default_factory=set)
    loses_answer: set[bytes] = field(default_factory=set)
    forges: dict[bytes, Reply] = field(default_factory=dict)
    #: What was written: path and body of each request that is no question, with the answer.
    written: list[tuple[Call, Reply]] = field(default_factory=list)
    asked: list[Call] = field(default_factory=list)

    async def send(self, call: Call) -> Reply:
        return await self._passed(call, lambda: self.caller.send(call))

    async def upload(self, call: Call, body: StreamedBody) -> Reply:
        return await self._passed(call, lambda: self.caller.upload(call, body))

    async def _passed(self, call: Call, ask: Callable[[], Awaitable[Reply]]) -> Reply:
        self.asked.append(call)
        text = call.url.encode() + b" " + call.body
        if call.method != "GET":
            forged = next((reply for word, reply in self.forges.items() if word in text), None)
            if forged is not None:
                return forged
            if any(word in text for word in self.loses_request):
                raise CallFailed("unknown", "the connection broke off")
        reply = await ask()
        if call.method != "GET":
            self.written.append((call, reply))
            if any(word in text for word in self.loses_answer):
                raise CallFailed("unknown", "the connection broke off")
        return reply

    def stream(self, call: Call) -> AbstractAsyncContextManager[StreamedReply]:
        return self.caller.stream(call)


@dataclass
class Peer:
    """The hub that plays the vendor, and what it tells its customer."""

    world: HubWorld
    vendor: Vendor
    way: Way
    url: str
    key: str
    files_url: str
    secret: str | None = None
    _posted: set[int] = field(default_factory=set)

    @property
    def settings(self) -> dict[str, Any]:
        """What the bridge is told."""
        given: dict[str, Any] = {"api_key": self.key, "api_url": self.url + self.vendor.root}
        if self.secret is not None:
            given["webhook_secret"] = self.secret
        return {**given, **(self.vendor.settings or {})}

    @property
    def client(self) -> Caller:
        """Asks with the customer's key."""
        return self.world.api.with_token(self.key)

    def forget(self) -> None:
        """Have nothing lost, forged or written down any more."""
        for each in (self.way.loses_request, self.way.loses_answer, self.way.forges, self._posted):
            each.clear()
        self.way.written.clear()
        self.way.asked.clear()

    async def work(self) -> None:
        """Perform what is owed, and let the network show what it shows: a worker's time ends with a minute."""
        await SandboxWorker(self.world).work()

    async def act(self, deed: str, **body: Any) -> dict[str, Any]:
        """Let a contact do something at the vendor."""
        self.world.clock.advance(1000)
        answered = await self.world.api.post(f"/v1/sandbox/{deed}", body)
        assert answered.status == 201, answered.body
        acted: dict[str, Any] = answered.json
        return acted

    async def deliveries(self, *, again: bool = False) -> list[HookRequest]:
        """Give the webhooks that the vendor owes; those of before only `again`, signed anew."""
        webhooks = await self.world.store.webhooks.all()
        now_ms = self.world.clock.now_ms()
        requests = []
        for webhook in webhooks:
            forms = {**NATIVE_FORMS, **webhook_forms(DIALECTS)}
            render = receiver(webhook, PostingLine(), forms=forms, now_ms=now_ms).render
            due = await self._due(webhook.id)
            for each in due:
                if again or each.id not in self._posted:
                    self._posted.add(each.id)
                    head, body = render(each, now_ms)
                    requests.append(_hook_request(head, body))
        return requests

    async def _due(self, webhook_id: int) -> Sequence[DueDelivery]:
        return await self.world.store.hot.read(
            lambda tx: tx.due_deliveries(webhook_id, shard_of(webhook_id), self.world.clock.now_ms(), 500)
        )

    async def messages(self) -> list[dict[str, Any]]:
        """Give all messages of the vendor's number, newest first, as its own surface shows them."""
        line = self.world.sandbox_line.handle.replace("+", "%2B")
        listed = await self.world.api.get(f"/v1/messages?from={line}&limit=100")
        assert listed.status == 200, listed.body
        found: list[dict[str, Any]] = listed.json["data"]
        return found

    async def name_of(self, guid: str) -> str:
        """Give how the vendor calls the message with this guid."""
        message = next(each for each in await self.messages() if each["guid"] == guid)
        return self.vendor.called(message)

    def surroundings(self, given: Surroundings) -> Surroundings:
        """Put the way to this vendor into surroundings; while the bridge waits for a send, the vendor works."""

        async def sleep(seconds: float) -> None:
            if seconds >= LONGEST_WAIT:
                return await given.sleep(seconds)
            return await SandboxWorker(self.world).perform()

        return replace(given, caller=self.way, sleep=sleep)


def _hook_request(head: bytes, body: bytes) -> HookRequest:
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n") if line]
    headers = {name.lower(): value for name, value in lines}
    return HookRequest(
        method="POST",
        url="https://hub.example/hook",
        query=(),
        headers={"content-type": "application/json", **headers},
        body=body,
    )


@contextlib.asynccontextmanager
async def playing(vendor: Vendor, place: Path) -> AsyncIterator[Peer]:
    """Open a hub that plays a vendor; a contact has written to its number."""
    place.mkdir(exist_ok=True)  # noqa: ASYNC240 - a folder of the test, at once
    client = local_client()
    async with open_world(place) as world, served(world) as server, serving(_files()) as files_url:
        worker = SandboxWorker(world)
        await worker.tell_capabilities()
        worker.attend()
        key = await world.keys.create(
            KeyWish(
                name="customer",
                scopes=_SCOPES,
                dialect=vendor.dialect,
                line_ids=frozenset({world.sandbox_line.id}),
            )
        )
        peer = Peer(world, vendor, Way(GuardedCaller(client)), server.url, key.text, files_url)
        if vendor.webhook is not None:
            path, body, secret_of = vendor.webhook
            registered = await peer.client.post(path, body)
            assert registered.status == 201, registered.body
            peer.secret = secret_of(registered)
        try:
            yield peer
        finally:
            await client.aclose()


def _files() -> Starlette:
    async def give(request: Request) -> Response:
        return Response(PICTURE, media_type="image/png")

    return Starlette(routes=[Route("/{name}", give)])


def files_of_all_kinds() -> Shelf:
    """Give the hub's files: pictures, and one that is sound."""

    class Pictures(Shelf):
        async def open_file(self, file_id: str) -> OutgoingFile:
            self.files.setdefault(file_id, ("image/png", PICTURE))
            return await super().open_file(file_id)

    return Pictures({"file_0000000000002": ("audio/mpeg", SOUND)})


def links_to(peer: Peer) -> Links:
    """Give public addresses of files, on this machine."""

    class Here(Links):
        def address(self, file_id: str) -> str | None:
            return None if self.base is None else f"{peer.files_url}/{file_id}.png"

    return Here()


def ids_in(written: Sequence[tuple[Call, Reply]], wanted: Callable[[Call], bool]) -> set[str]:
    """Give the ids that good answers to such requests named."""
    found: set[str] = set()
    for call, reply in written:
        body = json_in(reply.body) or {}
        told = mapping_in(body.get("data")) or body
        if wanted(call) and reply.status < 300:
            found.add(str(told.get("message_id") or told.get("id")))
    return found
