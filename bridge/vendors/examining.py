"""What is examined alike at every vendor; findings show no secret and no whole number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bridge.checkups import State
from bridge.taming import list_in
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """An active webhook of the account."""

    url: str
    #: What it does not tell, or when it ends; None for one that is as it should be.
    trouble: str | None = None


def lacking(events: object, wanted: Collection[str]) -> str | None:
    """Say which events a webhook lacks. One without a list tells all.

    Args:
        events: As the vendor shows them.
        wanted: What the bridge reads.
    """
    told = {str(each) for each in list_in(events)}
    missing = sorted(set(wanted) - told) if told else []
    return f"it does not tell {', '.join(missing)}" if missing else None


def webhook_findings(
    surroundings: Surroundings, *, secret: str | None, hooks: Sequence[Hook], poll_seconds: int
) -> list[Finding]:
    """Say whether what comes in reaches the hub.

    Args:
        surroundings: Of the bridge.
        secret: The webhook's, where it is set.
        hooks: The account's active ones.
        poll_seconds: How often the account is asked.
    """
    mine = [hook for hook in hooks if hook.url == surroundings.hook_url]
    otherwise = f"what comes in is asked for every {poll_seconds} s" if poll_seconds else "nothing comes in"
    state: str = "warning" if poll_seconds else "failed"
    if surroundings.hook_url is None:
        return [_found("webhook", state, f"The hub has no public address (web.base_url): {otherwise}.")]
    if not mine:
        return [
            _found("webhook", state, f"No active webhook of the account leads to this bridge: {otherwise}.")
        ]
    if secret is None:
        return [_found("webhook", state, f"webhook_secret is not set, so webhooks are refused: {otherwise}.")]
    if all(hook.trouble for hook in mine):
        detail = f"The account's webhook leads to this bridge, but {mine[0].trouble}: make another one, or change it."
        return [_found("webhook", "warning", detail)]
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
