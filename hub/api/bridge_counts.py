"""Counts what bridges and agents ask for, by what became of it: refusals show here before a line is missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.api.agent_sockets import WORDS
from hub.api.parts import Application, Receive, Send
from hub.model.errors import InvalidRequest
from hub.observe.metrics import Metrics

#: Path → what it is counted as.
_PATHS: Final[Mapping[str, str]] = {f"/v1/bridge/{word}": word for word in (*WORDS, "files")}


class BridgeCounts:
    """Passes everything on, and counts what is signed by a bridge."""

    def __init__(self, inside: Application, metrics: Metrics) -> None:
        self._inside = inside
        self._requests = metrics.bridge_requests

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        word = _PATHS.get(scope["path"])
        if word is None:
            await self._inside(scope, receive, send)
            return
        outcome = "unserved"
        try:
            await self._inside(scope, receive, send)
            outcome = "answered"
        except InvalidRequest as error:
            outcome = error.code
            raise
        finally:
            self._requests.labels(word, outcome).inc()
