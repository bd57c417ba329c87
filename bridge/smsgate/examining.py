"""Try what a person would try to see whether the phone works; nothing is sent or changed."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.smsgate.api import PhoneApi
from bridge.smsgate.bridge import phone_state, webhook_name
from bridge.smsgate.reading import EVENTS
from bridge.smsgate.settings import SmsGateSettings
from bridge.taming import mapping_in
from hub.flow.bridge_kinds import Finding, Surroundings
from hub.flow.calling import CallFailed
from hub.rules.chatkeys import normalize_handle


async def examine(settings: SmsGateSettings, surroundings: Surroundings) -> Sequence[Finding]:
    """Ask the phone for its webhooks, and compare SIMs with lines."""
    findings = [_sims(settings, surroundings.lines())]
    try:
        answer = await PhoneApi(settings, surroundings.caller).webhooks()
    except CallFailed as error:
        return (*findings, Finding(name="phone", state="failed", detail=f"Not reached: {error.detail}"))
    state, reason = phone_state(answer)
    is_well = state == "online"
    findings.append(
        Finding(name="phone", state="ok" if is_well else "failed", detail=reason or "It answers.")
    )
    if is_well:
        findings.append(_webhooks(answer.items, surroundings.hook_url))
    return tuple(findings)


def _sims(settings: SmsGateSettings, lines: Sequence[str]) -> Finding:
    if not lines:
        return Finding(name="lines", state="failed", detail="The bridge has no line: add the phone's number.")
    named = {normalize_handle(handle) for handle in settings.sims}
    if len(lines) > 1 and set(lines) - named:
        detail = "There are several lines: say in `sims` which SIM carries which."
        return Finding(name="lines", state="failed", detail=detail)
    return Finding(name="lines", state="ok", detail=f"{len(lines)} on {len(settings.sims) or 1} SIM.")


def _webhooks(items: Sequence[object], hook_url: str | None) -> Finding:
    if hook_url is None:
        detail = "None can be set: set web.base_url to an https address that the phone reaches."
        return Finding(name="webhooks", state="failed", detail=detail)
    if not hook_url.startswith("https://"):
        detail = "The app only calls https addresses: set web.base_url to one."
        return Finding(name="webhooks", state="failed", detail=detail)
    known = {each.get("id") for each in map(mapping_in, items) if each.get("url") == hook_url}
    missing = [event for event in EVENTS if webhook_name(hook_url, event) not in known]
    if missing:
        detail = f"Not set yet: {', '.join(missing)}. A running hub sets them itself."
        return Finding(name="webhooks", state="warning", detail=detail)
    return Finding(name="webhooks", state="ok", detail="All lead to this hub.")
