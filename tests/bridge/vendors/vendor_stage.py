"""The five vendors as tests know them: how an account is opened at a hub of ours that plays the vendor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.dialects.msgbubbles.identifiers import uuid_of
from hub.flow.bridge_kinds import BridgeKind
from tests.support.asgi import Answered

#: Where the vendor's webhooks are said to lead: nothing is sent there, tests carry them.
RECEIVER: Final = "https://receiver.example/hook"


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """One vendor."""

    kind: BridgeKind
    #: Of the key at the hub that plays it.
    dialect: str
    #: Below its address.
    root: str = ""
    #: How its webhook is registered: path, body, and where the answer has the secret; None where it has none.
    webhook: tuple[str, Mapping[str, Any], Callable[[Answered], str]] | None = None
    #: What else must be set.
    settings: Mapping[str, Any] | None = None
    #: Whether it tells its customer's own reactions, too.
    tells_own_reactions: bool = True
    #: How the vendor calls a message, by what the native surface of the hub that plays it says.
    called: Callable[[Mapping[str, Any]], str] = lambda message: str(message["id"])

    @property
    def name(self) -> str:
        return self.kind.name


def _blooio() -> Vendor:
    from bridge.vendors.blooio.kind import KIND

    body = {"webhook_url": RECEIVER, "webhook_type": "all"}
    return Vendor(
        kind=KIND,
        dialect="blooio",
        root="/v2/api",
        webhook=("/v2/api/webhooks", body, lambda answered: str(answered.json["signing_secret"])),
    )


def _messages_dev() -> Vendor:
    from bridge.vendors.messages_dev.kind import KIND

    events = ["message.received", "message.sent", "reaction.added", "reaction.removed"]
    body = {"from": "+15550100000", "url": RECEIVER, "events": events}
    return Vendor(
        kind=KIND,
        dialect="native",
        webhook=("/v1/webhooks", body, lambda answered: str(answered.json["secret"])),
        called=lambda message: str(message["guid"]),
    )


def _msgbubbles() -> Vendor:
    from bridge.vendors.msgbubbles.kind import KIND

    return Vendor(
        kind=KIND,
        dialect="msgbubbles",
        tells_own_reactions=False,
        root="/v1",
        webhook=("/v1/webhooks", {"url": RECEIVER}, lambda answered: str(answered.json["data"]["secret"])),
        called=lambda message: uuid_of(str(message["id"])),
    )


def _coop() -> Vendor:
    from bridge.vendors.coop.kind import KIND

    events = [
        "message.delivered", "message.failed", "message.queued", "message.received", "message.sent",
    ]  # fmt: skip
    secret = "the secret of the webhook"
    body = {"url": RECEIVER, "events": events, "secret": secret.replace(" ", "-")}
    return Vendor(
        kind=KIND,
        dialect="coop",
        webhook=("/api/v1/webhooks", body, lambda answered: secret.replace(" ", "-")),
        called=lambda message: str(message["id"]),
    )


def _ava() -> Vendor:
    from bridge.vendors.ava.kind import KIND

    # Waits as long as the others: shorter ones are those for a send, during which the vendor works.
    return Vendor(kind=KIND, dialect="ava", settings={"poll_seconds": 120})


VENDORS: Final = {each.name: each for each in (_ava(), _blooio(), _coop(), _messages_dev(), _msgbubbles())}
