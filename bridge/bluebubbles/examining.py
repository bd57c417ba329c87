"""Try what a person would try: `hub bridges doctor`. Reads only; shows no password, no words, no whole number."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bridge.bluebubbles.answers import Answer
from bridge.bluebubbles.frames import CONNECT, Connected, Event, Opened, Refused, read_packet
from bridge.bluebubbles.server_info import MOST_SKEW_SECONDS, ServerInfo, health_of, method_for, read_info
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.shapes import mapping, mappings, number
from bridge.bluebubbles.stand_ins import advice_for
from bridge.bluebubbles.state import why_not
from bridge.bluebubbles.wire import Patience, Server
from hub.flow.bridge_kinds import Finding, Surroundings
from hub.flow.calling import CallFailed, Socket
from hub.rules.chatkeys import normalize_handle

_PATIENCE = Patience(read=15.0)


async def examine(
    settings: BlueBubblesSettings, surroundings: Surroundings, *, patience: Patience = _PATIENCE
) -> Sequence[Finding]:
    """Look at the server from here."""
    server = Server(settings, surroundings.caller, patience=patience)
    first, answer = await _server(server)
    if answer is None:
        return (first,)
    info = read_info(mapping(answer.data))
    return (
        first,
        _versions(info),
        _private_api(info, settings),
        _account(info, surroundings),
        _clock(info),
        await _history(server, surroundings),
        await (
            _socket(server, surroundings) if settings.feed == "socket" else _webhook(server, surroundings)
        ),
        Finding(
            name="sending", state="skipped", detail="Not tried: nothing is sent to see whether it works."
        ),
    )


async def _server(server: Server) -> tuple[Finding, Answer | None]:
    try:
        answer = await server.get("/server/info", seconds=server.patience.probe)
    except CallFailed as failure:
        detail = f"Not reached: {failure.detail}. {advice_for(failure.detail)}"
        return Finding(name="server", state="failed", detail=detail), None
    if not answer.is_ok:
        return Finding(
            name="server", state="failed", detail=_sentence(f"Reached, but {why_not(answer)}")
        ), None
    return Finding(name="server", state="ok", detail="It answers, and knows the password."), answer


def _versions(info: ServerInfo) -> Finding:
    detail = f"BlueBubbles {info.server_version or '(unknown)'} on macOS {info.os_version or '(unknown)'}."
    if info.macos >= 26:
        more = " On macOS 26 AppleScript cannot send (server issue 777), and replies stall (814)."
        return Finding(name="versions", state="warning", detail=detail + more)
    if info.is_older_than_read:
        more = " The bridge was built after 1.9.9: update BlueBubbles, older ones may lack what it asks for."
        return Finding(name="versions", state="warning", detail=detail + more)
    return Finding(name="versions", state="ok", detail=detail)


def _private_api(info: ServerInfo, settings: BlueBubblesSettings) -> Finding:
    state, why = health_of(info, settings.method)
    method = method_for(info, settings.method)
    if info.has_private_api:
        detail = f"Its helper is connected; messages are sent by {method}."
        return Finding(name="private api", state="ok", detail=detail)
    if why is not None and state != "online":
        return Finding(name="private api", state="failed", detail=f"{why[0].upper()}{why[1:]}.")
    detail = (
        "It is off: words and files are sent by AppleScript; no tapbacks, typing, replies, edits or groups."
    )
    return Finding(name="private api", state="warning", detail=detail)


def _account(info: ServerInfo, surroundings: Surroundings) -> Finding:
    if not surroundings.lines():
        return Finding(name="line", state="failed", detail="The bridge has no line: add one with its number.")
    if info.account is None:
        return Finding(
            name="line", state="warning", detail="The Mac does not tell which account Messages uses."
        )
    known = {normalize_handle(line) for line in surroundings.lines()}
    if normalize_handle(info.account) in known:
        return Finding(name="line", state="ok", detail="The Mac's account is one of the bridge's lines.")
    detail = (
        f"The Mac's account ({_shortened(info.account)}) is no line here: fine if it has several addresses."
    )
    return Finding(name="line", state="warning", detail=detail)


def _clock(info: ServerInfo) -> Finding:
    if info.skew_seconds is None:
        return Finding(
            name="clock", state="skipped", detail="The Mac does not tell whether its clock is right."
        )
    is_right = abs(info.skew_seconds) <= MOST_SKEW_SECONDS
    detail = f"The Mac's clock is {abs(info.skew_seconds):.1f} s off."
    return Finding(name="clock", state="ok" if is_right else "failed", detail=detail)


async def _history(server: Server, surroundings: Surroundings) -> Finding:
    try:
        answer = await server.query("/message/query", {"with": ["chat"], "limit": 1, "sort": "DESC"})
    except CallFailed as failure:
        return Finding(name="history", state="failed", detail=f"Not read: {failure.detail}.")
    if not answer.is_ok:
        more = ". Has BlueBubbles Full Disk Access?" if answer.is_envelope else ""
        return Finding(name="history", state="failed", detail=_sentence(f"Not read: {why_not(answer)}{more}"))
    rows = mappings(answer.data)
    if not rows:
        return Finding(
            name="history", state="warning", detail="There is no message yet: is Messages signed in?"
        )
    hours = (surroundings.clock.now_ms() - (number(rows[0], "dateCreated") or 0)) // 3_600_000
    return Finding(
        name="history",
        state="ok" if hours < 72 else "warning",
        detail=f"It is readable; the newest message is {hours} h old.",
    )


async def _socket(server: Server, surroundings: Surroundings) -> Finding:
    try:
        async with (
            asyncio.timeout(server.patience.probe * 2),
            surroundings.sockets.connect(server.socket_call()) as socket,
        ):
            return await _greeting(socket, server.patience.greeting)
    except (CallFailed, TimeoutError) as error:
        why = error.detail if isinstance(error, CallFailed) else "no answer in time"
        detail = f"It does not open: {why}. A proxy between must pass WebSockets on; or use the webhook feed."
        return Finding(name="socket", state="failed", detail=detail)


async def _greeting(socket: Socket, seconds: float) -> Finding:
    """A wrong password is let in first, and shown out at once; the right one may stay, and nothing is said to it."""
    opens = Finding(name="socket", state="ok", detail="It opens, and the server lets the hub stay.")
    is_let_in = False
    while True:
        try:
            async with asyncio.timeout(seconds if is_let_in else None):
                packet = read_packet(await socket.receive())
        except TimeoutError:
            return opens
        is_let_in = is_let_in or isinstance(packet, Connected)
        if isinstance(packet, Opened):
            await socket.send(CONNECT)
        elif isinstance(packet, Refused):
            return Finding(name="socket", state="failed", detail="The server ends it: a wrong password.")
        elif isinstance(packet, Event):
            return opens


async def _webhook(server: Server, surroundings: Surroundings) -> Finding:
    if surroundings.hook_url is None:
        detail = "The hub has no public address (web.base_url): nothing but the history brings news."
        return Finding(name="webhook", state="failed", detail=detail)
    try:
        answer = await server.get("/webhook")
    except CallFailed as failure:
        return Finding(name="webhook", state="failed", detail=f"Not asked: {failure.detail}.")
    if any(each.get("url") == surroundings.hook_url for each in mappings(answer.data)):
        return Finding(name="webhook", state="ok", detail="The server is told to call this hub.")
    detail = "The server does not call this hub yet: the bridge tells it to when it is started."
    return Finding(name="webhook", state="warning", detail=detail)


def _sentence(words: str) -> str:
    return words if words.endswith(("?", ".")) else f"{words}."


def _shortened(handle: str) -> str:
    """Show enough of an address to know it by."""
    return f"…{handle[-4:]}"
