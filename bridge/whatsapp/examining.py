"""Try what a person would try to see whether the WhatsApp bridge works; nothing is sent or changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from bridge.taming import mapping_in
from bridge.whatsapp.api import WhatsAppApi
from bridge.whatsapp.bridge import number_state
from bridge.whatsapp.reading import handle_of_wa
from bridge.whatsapp.settings import WhatsAppSettings
from hub.flow.bridge_kinds import Finding, Surroundings
from hub.flow.calling import CallFailed
from hub.rules.chatkeys import normalize_handle

#: The address of a number goes before that of its account, and this before the app's (from memory of Meta's pages).
_CALLED: Final = ("phone_number", "whatsapp_business_account", "application")


async def examine(settings: WhatsAppSettings, surroundings: Surroundings) -> Sequence[Finding]:
    """Ask Meta for each number, compare it with its line, and see where Meta tells of it."""
    api = WhatsAppApi(settings, surroundings.caller)
    findings = [_address(surroundings.hook_url), _lines(settings, surroundings.lines())]
    for handle, number_id in settings.phone_numbers.items():
        found = await _number(api, handle, number_id)
        findings.append(found)
        if found.state != "failed":
            findings.append(await _callback(api, handle, number_id, surroundings.hook_url))
    return findings


def _address(hook_url: str | None) -> Finding:
    if hook_url is None or not hook_url.startswith("https://"):
        detail = "Meta calls https addresses only, and tells everything so: set web.base_url to one."
        return Finding(name="public address", state="failed", detail=detail)
    detail = "Meta takes it. Whether it calls it, `webhook` below says."
    return Finding(name="public address", state="ok", detail=detail)


def _lines(settings: WhatsAppSettings, lines: Sequence[str]) -> Finding:
    named = {normalize_handle(handle) for handle in settings.phone_numbers}
    if len(set(settings.phone_numbers.values())) < len(named):
        detail = "Two numbers in `phone_numbers` have the same phone number id: each has its own."
        return Finding(name="lines", state="failed", detail=detail)
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
    if not answer.is_good or not answer.is_read:
        return Finding(name=name, state="failed", detail=reason or "Meta does not show it.")
    shown = handle_of_wa(_digits(answer.body.get("display_phone_number")))
    if shown is not None and shown != normalize_handle(handle):
        return Finding(name=name, state="failed", detail=f"This id is of another number, …{shown[-4:]}.")
    return Finding(
        name=name, state="ok" if state == "online" else "warning", detail=reason or "Meta knows it."
    )


async def _callback(api: WhatsAppApi, handle: str, number_id: str, hook_url: str | None) -> Finding:
    name = f"webhook …{handle[-4:]}"
    try:
        answer = await api.callbacks(number_id)
    except CallFailed as error:
        return Finding(name=name, state="skipped", detail=f"Not reached: {error.detail}")
    shown = mapping_in(answer.body.get("webhook_configuration"))
    called = next((url for each in _CALLED if isinstance(url := shown.get(each), str) and url), None)
    if not answer.is_good or (called is None and not shown):
        return Finding(name=name, state="skipped", detail="Meta does not show which address it calls.")
    if called is None:
        detail = "Meta calls nobody: paste the bridge's `hook` as callback URL (WhatsApp, Configuration)."
        return Finding(name=name, state="failed", detail=detail)
    if called == hook_url:
        return Finding(name=name, state="ok", detail="Meta calls this hub. Is `messages` subscribed to, too?")
    place = urlsplit(called).hostname or "another host"
    detail = f"Meta calls another address, at {place}: paste `hook` anew, all of it."
    return Finding(name=name, state="failed", detail=detail)


def _digits(value: object) -> str | None:
    return "".join(filter(str.isdigit, value)) if isinstance(value, str) else None
