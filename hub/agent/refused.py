"""What an agent's bridge brought and the agent cannot take in: told to the hub, which keeps it for the operator."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import structlog

from hub.agent.link import HubAway, HubLink, HubRefused
from hub.agent.pauses import Pauses
from hub.model.refused import Form, RefusedPayload

log = structlog.get_logger("agent")

#: An agent has one bridge, and does not know its number.
OWN_BRIDGE: Final = 0
#: Of one payload: in Base64 it fits into the smallest request that hubs are usually set to.
MOST_TOLD_BYTES: Final = 32_768
_TOO_LARGE: Final = 413


class _Noted(msgspec.Struct):
    is_taken: bool


class ToldRefusals:
    """Tells the hub of each payload, until it hears it."""

    def __init__(self, link: HubLink, pauses: Callable[[], Pauses]) -> None:
        self._link = link
        self._pauses = pauses

    async def keep(self, rows: Sequence[RefusedPayload]) -> None:
        for row in rows:
            await self._tell(_told(row))

    async def _tell(self, told: dict[str, Any]) -> None:
        pauses = self._pauses()
        while True:
            try:
                await self._link.ask("refused", told, _Noted)
                return
            except HubAway as error:
                log.warning("hub.away", error=str(error))
                await pauses.take()
            except HubRefused as error:
                if error.status != _TOO_LARGE or not told["content"]:
                    # A hub of before knows nothing of this.
                    log.error("payload.unkept", code=error.code, reason=str(error))
                    return
                told["content"] = ""


def _told(row: RefusedPayload) -> dict[str, Any]:
    said = row.refused
    return {
        "code": said.code.value,
        "reason": said.reason,
        "content": base64.b64encode(said.raw[:MOST_TOLD_BYTES]).decode(),
        "form": said.form.value if said.form is Form.OBSERVATION else Form.OTHER.value,
        "event": said.event,
        "size": max(said.size, len(said.raw)),
        "count": row.count,
        "same_as": said.same_as,
    }
