"""Try what a person would try to see whether the phone works; nothing is sent or changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from bridge.smsgate.api import PhoneApi
from bridge.smsgate.bridge import fleet_state, phone_state, phones_in, webhook_name
from bridge.smsgate.reading import EVENTS
from bridge.smsgate.settings import SmsGateSettings
from bridge.taming import handle_in, list_in, mapping_in, tame
from hub.flow.bridge_kinds import Finding, Surroundings
from hub.flow.calling import CallFailed
from hub.rules.chatkeys import normalize_handle


async def examine(settings: SmsGateSettings, surroundings: Surroundings) -> Sequence[Finding]:
    """Ask the phone for its webhooks and its SIMs, and compare these with lines."""
    findings = [_sims(settings, surroundings.lines())]
    api = PhoneApi(settings, surroundings.caller)
    try:
        answer = await api.webhooks()
        devices = await api.devices()
    except CallFailed as error:
        return (*findings, Finding(name="phone", state="failed", detail=f"Not reached: {error.detail}"))
    state, reason = phone_state(answer)
    if state == "online":
        state, reason = fleet_state(devices.items, settings, surroundings.clock.now_ms())
    detail = reason or "It answers."
    if state == "offline" and devices.items:
        detail = f"{detail} Phones: {', '.join(_ids(devices.items))}."
    findings.append(Finding(name="phone", state=_STATES[state], detail=detail))
    if not answer.is_good or not answer.is_read:
        return tuple(findings)
    phones = phones_in(devices.items, settings)
    if len(phones) > 1:
        findings.append(_several(phones))
    return (
        *findings,
        *_cards(phones, settings, surroundings.lines()),
        _webhooks(answer.items, surroundings.hook_url),
    )


_STATES: Final[dict[str, Literal["ok", "warning", "failed"]]] = {
    "degraded": "warning",
    "offline": "failed",
    "online": "ok",
}


def _several(phones: Sequence[Mapping[str, Any]]) -> Finding:
    detail = (
        f"The account has {len(phones)} phones, and sends go by any of them: set `device_id` to one of "
        f"{', '.join(_ids(phones))}."
    )
    return Finding(name="phones", state="warning", detail=detail)


def _ids(phones: Sequence[object]) -> list[str]:
    return [tame(mapping_in(each).get("id"), 64) or "?" for each in phones[:10]]


def _cards(
    phones: Sequence[Mapping[str, Any]], settings: SmsGateSettings, lines: Sequence[str]
) -> Iterator[Finding]:
    """Compare SIMs with lines, as far as the app tells of them."""
    cards = list(map(mapping_in, list_in(phones[0].get("simCards")))) if len(phones) == 1 else []
    if not cards:
        return
    named = settings.sims or (dict.fromkeys(lines, 1) if len(lines) == len(cards) == 1 else {})
    by_sim = {each.get("simNumber"): handle_in(each.get("phoneNumber")) for each in cards}
    for handle, sim in named.items():
        name, shown = f"line …{handle[-4:]}", by_sim.get(sim)
        if sim not in by_sim:
            yield Finding(name=name, state="failed", detail=f"The phone has no SIM {sim}.")
        elif shown is not None and normalize_handle(shown) != normalize_handle(handle):
            detail = f"SIM {sim} says that its number is another one, …{shown[-4:]}."
            yield Finding(name=name, state="warning", detail=detail)
        else:
            yield Finding(name=name, state="ok", detail=f"SIM {sim} is in the phone.")


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
