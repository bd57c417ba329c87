"""See whether a hub's public address leads to it: what networks call is tried from here.

A router may not lead back in, so silence from here is no proof: another network has to try, too.
"""

from __future__ import annotations

from typing import Final

from hub.flow.bridge_kinds import Finding, Surroundings
from hub.flow.calling import Call, CallFailed
from hub.rules.bridge_hooks import HOOKS_PATH

_NAME: Final = "web.base_url"
_PROBE: Final = "/healthz"
_SECONDS: Final = 10.0
_MOST_BYTES: Final = 65_536


async def tried(surroundings: Surroundings) -> Finding | None:
    """Call the hub where its networks do; None while it has no public address."""
    if surroundings.hook_url is None:
        return None
    base_url = surroundings.hook_url.partition(HOOKS_PATH)[0]
    call = Call(
        method="GET",
        url=base_url + _PROBE,
        headers=(),
        body=b"",
        timeout_seconds=_SECONDS,
        max_response_bytes=_MOST_BYTES,
        is_repeatable=True,
    )
    try:
        reply = await surroundings.caller.send(call)
    except CallFailed as error:
        detail = (
            f"{base_url} is not reached from here ({error.detail}). Try `curl {base_url}{_PROBE}` from another "
            "network: if that answers, all is well."
        )
        return Finding(name=_NAME, state="warning", detail=detail)
    if reply.status == 200 and b'"status"' in reply.body:
        return Finding(name=_NAME, state="ok", detail=f"{base_url} leads to a hub.")
    detail = (
        f"{base_url} is answered by something else than a hub (status {reply.status}): what stands in front of the hub "
        "leads elsewhere, or web.base_url is misspelt."
    )
    return Finding(name=_NAME, state="failed", detail=detail)
