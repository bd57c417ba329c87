"""Become a bridge: POST /v1/bridge/enrol with a token, and a secret that is drawn here and kept first (decision 21)."""

from __future__ import annotations

import platform
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from hub import __version__
from hub.agent.folder import AgentConfig, AgentUnready, find_config, write_config
from hub.agent.link import HubAway, require_good
from hub.flow.calling import Call, Caller, CallFailed
from hub.rules.agent_versions import PROGRAM

ENROL_SECONDS: Final = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class EnrolWish:
    """How a machine wants to become a bridge."""

    token: str = field(repr=False)
    name: str | None
    #: What to keep, without the bridge that is not known yet.
    config: AgentConfig
    #: Whether one that is enrolled already is to become another bridge.
    is_again: bool


def system_name() -> str:
    """Name this machine's system: `macOS 15.1`, `Linux 6.8.0`."""
    mac = platform.mac_ver()[0]
    return (f"macOS {mac}" if mac else f"{platform.system()} {platform.release()}")[:200]


class _Enrolled(msgspec.Struct):
    id: str
    name: str


async def enrol(folder: Path, wish: EnrolWish, caller: Caller) -> str:
    """Become a bridge; give its name. Asked again after a lost answer, it gets the same bridge.

    Raises:
        AgentUnready: The machine is enrolled already.
        HubAway: The hub did not answer: run it again with the same token.
        HubRefused: The token is used up, or over, or the name is taken.
    """
    known, config = find_config(folder), wish.config
    if known is not None and known.bridge and not wish.is_again:
        raise AgentUnready(
            f"This machine is enrolled already ({folder}). To make it another bridge, add --again; to change a "
            "setting, edit agent.json there."
        )
    if known is not None and not known.bridge and known.hub == config.hub:
        config = msgspec.structs.replace(config, secret=known.secret)
    write_config(folder, config)
    enrolled = await _ask(wish, config, caller)
    write_config(folder, msgspec.structs.replace(config, bridge=enrolled.id))
    return enrolled.name


async def _ask(wish: EnrolWish, config: AgentConfig, caller: Caller) -> _Enrolled:
    body = {
        "token": wish.token,
        "secret": config.secret,
        "system": {
            "os": system_name(),
            "hostname": socket.gethostname()[:200],
            "agent": f"{PROGRAM} {__version__}",
        },
        **({} if wish.name is None else {"name": wish.name}),
    }
    call = Call(
        method="POST",
        url=f"{config.hub}/v1/bridge/enrol",
        headers=((b"content-type", b"application/json"),),
        body=msgspec.json.encode(body),
        timeout_seconds=ENROL_SECONDS,
        max_response_bytes=65_536,
        is_repeatable=True,
    )
    try:
        reply = await caller.send(call)
    except CallFailed as error:
        raise HubAway(error.detail) from None
    require_good(reply.status, reply.body)
    try:
        return msgspec.json.decode(reply.body, type=_Enrolled)
    except msgspec.MsgspecError as error:
        raise HubAway(f"what answered is no hub: {error}") from None
