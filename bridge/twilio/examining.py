"""Try what a person would try to see whether the Twilio bridge works; findings show no secret and no whole number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from bridge.twilio.api import TwilioApi, TwilioRefused
from bridge.twilio.bridge import account_state
from bridge.twilio.settings import TwilioSettings
from hub.flow.bridge_kinds import Finding, Surroundings
from hub.flow.calling import CallFailed

_NO_NUMBER: Final = (
    "The account has no such number: it is another one, or another account's, or belongs to a subaccount. The line is "
    "the number in E.164 form, with its + and country code."
)
_NO_PHONE: Final = "A short code or a sender's name: it cannot be looked up, and to a name nobody can answer."


async def examine(settings: TwilioSettings, surroundings: Surroundings) -> Sequence[Finding]:
    """Ask Twilio for the account and the lines' numbers; nothing is sent or changed."""
    api = TwilioApi(settings, surroundings.caller)
    findings = [_public_address(settings, surroundings)]
    try:
        answer = await api.account()
    except CallFailed as error:
        return (*findings, Finding(name="server", state="failed", detail=f"Not reached: {error.detail}"))
    state, reason = account_state(answer)
    is_well = state == "online"
    kind = str(answer.body.get("type") or "")[:20]
    findings.append(
        Finding(
            name="account",
            state="ok" if is_well else "failed",
            detail=reason
            or f"Active{', a trial: it sends to verified numbers only' if kind == 'Trial' else ''}.",
        )
    )
    if not is_well:
        return tuple(findings)
    if settings.api_key_sid is not None:
        findings.append(await _signing(settings, surroundings))
    return (*findings, *[await _number(api, surroundings, line) for line in surroundings.lines()])


async def _signing(settings: TwilioSettings, surroundings: Surroundings) -> Finding:
    """Calls go by the API key: that the auth token is right would show in refused webhooks only."""
    bare = msgspec.structs.replace(settings, api_key_sid=None, api_key_secret=None)
    try:
        answer = await TwilioApi(bare, surroundings.caller).account()
    except CallFailed as error:
        return Finding(name="auth token", state="skipped", detail=f"Not reached: {error.detail}")
    if answer.status in (401, 403):
        detail = "auth_token is not the one of this account: its webhooks, signed with it, are refused."
        return Finding(name="auth token", state="failed", detail=detail)
    return Finding(name="auth token", state="ok", detail="It is this account's; webhooks are signed with it.")


def _public_address(settings: TwilioSettings, surroundings: Surroundings) -> Finding:
    if surroundings.hook_url is not None:
        return Finding(name="public address", state="ok", detail="Twilio can tell statuses and fetch files.")
    if settings.poll_seconds:
        detail = (
            f"None, for web.base_url is not set: what comes in is asked for every {settings.poll_seconds} s, and no "
            "files are sent."
        )
        return Finding(name="public address", state="warning", detail=detail)
    detail = "None, and poll_seconds is 0: nothing comes in. Set web.base_url, or poll_seconds."
    return Finding(name="public address", state="failed", detail=detail)


async def _number(api: TwilioApi, surroundings: Surroundings, line: str) -> Finding:
    name = f"line {shortened(line)}"
    if not line.startswith("+"):
        return Finding(name=name, state="warning", detail=_NO_PHONE)
    try:
        number = await api.number(line)
    except (CallFailed, TwilioRefused) as error:
        return Finding(name=name, state="failed", detail=f"Not read: {error}")
    if number is None:
        return Finding(name=name, state="failed", detail=_NO_NUMBER)
    return _webhook(name, number, surroundings.hook_url)


def _webhook(name: str, number: Mapping[str, Any], hook_url: str | None) -> Finding:
    if hook_url is None:
        return Finding(
            name=name, state="skipped", detail="Its webhook cannot be compared: no public address."
        )
    if number.get("sms_url") != hook_url:
        detail = (
            "Its webhook for messages is another address: set the one that the hub shows for this bridge."
        )
        return Finding(name=name, state="warning", detail=detail)
    if str(number.get("sms_method") or "POST").upper() != "POST":
        return Finding(name=name, state="failed", detail="Its webhook is called with GET; set HTTP POST.")
    return Finding(name=name, state="ok", detail="Its webhook leads to this hub.")


def shortened(handle: str) -> str:
    """Show enough of a number to know it by."""
    return f"…{handle[-4:]}"
