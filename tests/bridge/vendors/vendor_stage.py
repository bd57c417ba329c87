"""The five vendors as tests know them: how an account is opened at a hub of ours that plays the vendor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

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


VENDORS: Final = {each.name: each for each in (_blooio(),)}
