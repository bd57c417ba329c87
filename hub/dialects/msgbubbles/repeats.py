"""Idempotency keys of requests that wait for the network: kept twice, under two names.

The frame keeps the whole answer under the caller's key, so a repeat gets it though what was asked for could not be done
again. Where the network had not answered in time nothing is kept; then the outbox knows the request by a key of its
own, and a repeat waits for what was begun instead of beginning it again.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from hub.api.calls import Call
from hub.api.idempotency import wanted_key


def outbox_key(call: Call[Any, Any]) -> str | None:
    """Give the key by which the outbox knows a request; None where the caller gave none.

    Raises:
        InvalidRequest: It cannot be a key.
    """
    key = wanted_key(call)
    return None if key is None else f"msgbubbles-{blake2b(key.encode(), digest_size=16).hexdigest()}"
