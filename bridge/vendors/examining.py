"""What is examined alike at every vendor; findings show no secret and no whole number."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.checkups import State
from hub.flow.bridge_kinds import Finding, Surroundings
from hub.rules.chatkeys import normalize_handle


def account_finding(state: State) -> Finding:
    """Tell how the account is."""
    name, reason = state
    return Finding(
        name="account", state="ok" if name == "online" else "failed", detail=reason or "It answers."
    )


def line_findings(surroundings: Surroundings, numbers: dict[str, bool], title: str) -> list[Finding]:
    """Compare the bridge's lines with the account's numbers.

    Args:
        surroundings: Of the bridge.
        numbers: The account's, and whether they are active.
        title: The vendor's name.
    """
    known = {normalize_handle(number): is_active for number, is_active in numbers.items()}
    return [_line(line, known.get(normalize_handle(line)), title) for line in surroundings.lines()]


def _line(line: str, is_active: bool | None, title: str) -> Finding:
    name = f"line {shortened(line)}"
    if is_active is None:
        return Finding(name=name, state="failed", detail=f"The key has no such number at {title}.")
    if not is_active:
        return Finding(name=name, state="warning", detail=f"{title} says that the number is not active.")
    return Finding(name=name, state="ok", detail="It is one of the account's.")


def webhook_findings(
    surroundings: Surroundings, *, secret: str | None, urls: Sequence[str], poll_seconds: int
) -> list[Finding]:
    """Say whether what comes in reaches the hub.

    Args:
        surroundings: Of the bridge.
        secret: The webhook's, where it is set.
        urls: Where the account's active webhooks lead.
        poll_seconds: How often the account is asked.
    """
    otherwise = f"what comes in is asked for every {poll_seconds} s" if poll_seconds else "nothing comes in"
    state: str = "warning" if poll_seconds else "failed"
    if surroundings.hook_url is None:
        return [_found("webhook", state, f"The hub has no public address (web.base_url): {otherwise}.")]
    if surroundings.hook_url not in urls:
        return [
            _found("webhook", state, f"No active webhook of the account leads to this bridge: {otherwise}.")
        ]
    if secret is None:
        return [_found("webhook", state, f"webhook_secret is not set, so webhooks are refused: {otherwise}.")]
    return [_found("webhook", "ok", "An active webhook leads to this bridge.")]


def _found(name: str, state: str, detail: str) -> Finding:
    return Finding(
        name=name,
        state="failed" if state == "failed" else "ok" if state == "ok" else "warning",
        detail=detail,
    )


def shortened(handle: str) -> str:
    """Show enough of a number to know it by."""
    return f"…{handle[-4:]}"
