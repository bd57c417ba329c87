"""The webhook feed: the server is told where to send to, and what it sends is looked up before it is believed.

Its webhooks have no signature, no order and no repetition (services/webhookService/index.ts): the address is the
secret, each message is asked for again, and the history makes up for what was lost.
"""

from __future__ import annotations

from typing import Final

from bridge.bluebubbles.event_names import ABOUT_ROWS
from bridge.bluebubbles.knowledge import Knowledge
from bridge.bluebubbles.looking import Looking
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.shapes import mapping, mappings, number, read_json, text
from bridge.bluebubbles.state import why_not
from bridge.bluebubbles.wire import Patience, Server
from hub.flow.bridge_kinds import HookReply, HookRequest, Surroundings
from hub.flow.calling import CallFailed
from hub.model.observation import Observation
from hub.model.refused import RefusalCode

MOST_BODY_BYTES: Final = 1_048_576
EVENTS: Final = ("*",)
_PATIENCE: Final = Patience(probe=8.0, read=8.0)


async def ensure_registered(server: Server, hook_url: str) -> None:
    """Have the server call us, for all events; an entry with other events stays as it was unless it is deleted first.

    Raises:
        CallFailed: It cannot be told.
    """
    answer = await server.get("/webhook")
    if not answer.is_ok:
        raise CallFailed("unknown", why_not(answer))
    mine = [each for each in mappings(answer.data) if each.get("url") == hook_url]
    if any("*" in str(each.get("events")) for each in mine):
        return
    for each in mine:
        await server.do("DELETE", f"/webhook/{number(each, 'id') or 0}")
    made = await server.do("POST", "/webhook", {"url": hook_url, "events": list(EVENTS)})
    if not made.is_ok:
        raise CallFailed("unknown", why_not(made))


class BlueBubblesHooks:
    """The way in of one bridge. That the address is the right one, the hub has seen to."""

    def __init__(self, settings: BlueBubblesSettings, surroundings: Surroundings) -> None:
        server = Server(settings, surroundings.caller, patience=_PATIENCE)
        self._looking = Looking(server, Knowledge(), settings=settings, surroundings=surroundings)

    async def receive(self, request: HookRequest) -> HookReply:
        """Look up what is told; never raises for what was sent."""
        if request.method != "POST" or len(request.body) > MOST_BODY_BYTES:
            return HookReply(status=400, reason="no webhook of BlueBubbles: not a POST, or too large")
        return await self.read(request)

    async def read(self, request: HookRequest) -> HookReply:
        told = mapping(read_json(request.body))
        name = text(told, "type", most=128)
        if name is None:
            reason = "no webhook of BlueBubbles: there is no type"
            return HookReply(status=400, reason=reason, refusal=RefusalCode.UNREADABLE)
        if name not in ABOUT_ROWS:
            if name == "typing-indicator":
                return _replied(self._looking.of_typing(told.get("data")))
            self._looking.pass_over_event(name, told.get("data"))
            return _replied(())
        try:
            return _replied(await self._looking.of_event(name, told.get("data")))
        except CallFailed as failure:
            # It is not sent again; the next look at the history finds it.
            return HookReply(status=503, reason=f"the server could not be asked: {failure.detail}")


def _replied(seen: tuple[Observation, ...]) -> HookReply:
    """Answer well: it would not be told again. Why it gave nothing stands in the log (Looking.pass_over)."""
    return HookReply(
        observations=seen, reason=None if seen else "Passed over: it tells nothing that is taken in."
    )
