"""Try what a person would try to see whether the WhatsApp bridge works; nothing is sent or changed."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.whatsapp.api import WhatsAppApi
from bridge.whatsapp.bridge import number_state
from bridge.whatsapp.reading import handle_of_wa
from bridge.whatsapp.settings import WhatsAppSettings
from hub.flow.bridge_kinds import Finding, Surroundings
from hub.flow.calling import CallFailed
from hub.rules.chatkeys import normalize_handle


async def examine(settings: WhatsAppSettings, surroundings: Surroundings) -> Sequence[Finding]:
    """Ask Meta for each number, and compare it with its line."""
    api = WhatsAppApi(settings, surroundings.caller)
    numbers = settings.phone_numbers.items()
    return (
        _address(surroundings.hook_url),
        _lines(settings, surroundings.lines()),
        *[await _number(api, handle, number_id) for handle, number_id in numbers],
    )


def _address(hook_url: str | None) -> Finding:
    if hook_url is None or not hook_url.startswith("https://"):
        detail = "Meta calls https addresses only, and tells everything so: set web.base_url to one."
        return Finding(name="public address", state="failed", detail=detail)
    detail = "Meta can call it. Whether it does, `last_heard_at` of the bridge shows after a message."
    return Finding(name="public address", state="ok", detail=detail)


def _lines(settings: WhatsAppSettings, lines: Sequence[str]) -> Finding:
    named = {normalize_handle(handle) for handle in settings.phone_numbers}
    lost, idle = named - set(lines), set(lines) - named
    if idle:
        detail = f"{len(idle)} of the bridge's lines have no phone number id in `phone_numbers`."
        return Finding(name="lines", state="failed", detail=detail)
    if lost:
        detail = (
            f"{len(lost)} of the numbers in `phone_numbers` are no lines of the bridge: they are passed over."
        )
        return Finding(name="lines", state="warning", detail=detail)
    return Finding(name="lines", state="ok", detail=f"{len(named)} with their ids.")


async def _number(api: WhatsAppApi, handle: str, number_id: str) -> Finding:
    name = f"line …{handle[-4:]}"
    try:
        answer = await api.number(number_id)
    except CallFailed as error:
        return Finding(name=name, state="failed", detail=f"Not reached: {error.detail}")
    state, reason = number_state(answer)
    if not answer.is_good:
        return Finding(name=name, state="failed", detail=reason or "Meta does not show it.")
    shown = handle_of_wa(_digits(answer.body.get("display_phone_number")))
    if shown is not None and shown != normalize_handle(handle):
        return Finding(name=name, state="failed", detail=f"This id is of another number, …{shown[-4:]}.")
    return Finding(
        name=name, state="ok" if state == "online" else "warning", detail=reason or "Meta knows it."
    )


def _digits(value: object) -> str | None:
    return "".join(filter(str.isdigit, value)) if isinstance(value, str) else None
