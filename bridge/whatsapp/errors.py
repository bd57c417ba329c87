"""The Cloud API's error numbers as codes of ours, with what to do. Pure.

Which numbers there are: facts/bridges.md §3, and those that pywa 4.5 knows. The number always stands in the detail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridge.taming import mapping_in, tame
from hub.flow.opt_outs import OPTED_OUT
from hub.model.observation import ObservedError

MARKETING_STOPPED: Final = 131050


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    code: str
    advice: str


FAULTS: Final[dict[int, Fault]] = {
    0: Fault("bad_credentials", "Meta does not know the access token; set the bridge's settings anew."),
    1: Fault("network_error", "Meta does not say what went wrong."),
    2: Fault("network_error", "Meta has a fault, or too much to do."),
    3: Fault("not_permitted", "The app may not do this: look at its permissions."),
    4: Fault("rate_limited", "The app asks Meta too often."),
    10: Fault("not_permitted", "The token lacks a permission: whatsapp_business_messaging."),
    33: Fault("line_not_at_network", "Meta has no such number (any more): look at `phone_numbers`."),
    100: Fault("invalid_request", "Meta does not take this request."),
    190: Fault(
        "bad_credentials", "The access token is not valid (any more); set the bridge's settings anew."
    ),
    368: Fault("account_locked", "Meta has locked the account for breaking a policy."),
    80007: Fault("rate_limited", "The business account asks Meta too often."),
    130429: Fault("rate_limited", "Too many messages a second from this number."),
    130472: Fault(
        "held_back", "Meta holds marketing messages back from this contact as part of an experiment."
    ),
    130497: Fault("region_not_allowed", "Meta lets this business not write to people of that country."),
    131000: Fault("network_error", "Meta does not say what went wrong."),
    131005: Fault("not_permitted", "The token may not do this."),
    131008: Fault("invalid_request", "Something that Meta needs is missing."),
    131009: Fault("invalid_request", "A value is not one that Meta takes."),
    131016: Fault("network_error", "A part of Meta's is away."),
    131021: Fault("invalid_recipient", "The recipient is the line itself."),
    131026: Fault(
        "not_reachable", "Not on WhatsApp, or with too old an app, or has not taken the new terms."
    ),
    131030: Fault(
        "recipient_not_allowed",
        "A test number writes to listed people only: add the recipient under WhatsApp, API Setup.",
    ),
    131031: Fault("account_locked", "Meta has locked the account."),
    131037: Fault("name_not_approved", "Meta has not approved the number's display name yet."),
    131042: Fault("payment_needed", "Meta cannot charge for it: look into the payment method."),
    131045: Fault("line_not_at_network", "The number is not registered with the Cloud API."),
    131047: Fault(
        "window_closed",
        "The contact has not written for 24 hours: send a template, or wait until they write.",
    ),
    131048: Fault("spam_limited", "Too many messages of this number were blocked or reported."),
    131049: Fault("held_back", "Meta did not deliver it, to keep this contact from too much marketing."),
    131050: Fault(OPTED_OUT, "The contact has stopped marketing messages of this business at WhatsApp."),
    131051: Fault("unsupported_type", "WhatsApp does not know this type of message."),
    131052: Fault("file_unavailable", "Meta could not fetch what the contact sent."),
    131053: Fault("file_refused", "Meta could not take the file: look at its type and size."),
    131056: Fault("pair_rate_limited", "Too many messages to this contact in a short time."),
    131057: Fault("maintenance", "Meta is working on this account."),
    131062: Fault("number_needed", "Meta sends this to numbers only, and the contact hides theirs."),
    131063: Fault("template_refused", "Marketing templates are switched off for the Cloud API."),
    131064: Fault("spam_limited", "Too many templates of this account were of the wrong category."),
    132000: Fault("template_mismatch", "The template has another number of blanks."),
    132001: Fault("template_missing", "There is no such template in this language, or it is not approved."),
    132005: Fault("template_mismatch", "With these values the template is too long."),
    132007: Fault("template_refused", "The template breaks a policy of WhatsApp."),
    132008: Fault("template_mismatch", "A value is not one that Meta takes."),
    132012: Fault("template_mismatch", "A value is not of the kind that its blank wants."),
    132015: Fault("template_paused", "Meta has paused the template because of its quality."),
    132016: Fault("template_disabled", "Meta has switched the template off for good."),
    132068: Fault("template_disabled", "Meta has blocked the flow that the template opens."),
    132069: Fault("template_paused", "Meta has slowed down the flow that the template opens."),
    133010: Fault("line_not_at_network", "The number is not registered with the Cloud API."),
    135000: Fault("invalid_request", "Meta does not say what is wrong with the request."),
    137000: Fault("not_reachable", "The contact is on another device than the one that was asked for."),
}
_PERMISSIONS: Final = range(200, 300)
#: After these nobody knows whether the message was taken, whatever the status of the answer.
DOUBTFUL: Final = frozenset({1, 2, 131000, 131016})
#: After these the same request can be made again; how long to wait, in ms.
BUSY: Final[dict[int, int]] = {
    4: 60_000,
    80007: 60_000,
    130429: 10_000,
    131056: 10_000,
    131057: 60_000,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error as Meta tells it."""

    number: int | None
    said: str | None

    @property
    def fault(self) -> Fault:
        if self.number is None:
            return Fault("refused", "Meta gave no reason.")
        if self.number in _PERMISSIONS:
            return FAULTS[10]
        return FAULTS.get(
            self.number, Fault(f"whatsapp_{self.number}", "See the error codes of the WhatsApp Cloud API.")
        )

    @property
    def detail(self) -> str:
        """For people: our advice, and Meta's words."""
        number = "" if self.number is None else f"{self.number}: "
        return f"{number}{self.fault.advice}{f' ({self.said})' if self.said else ''}"

    def observed(self, *, is_opt_out: bool) -> ObservedError:
        """Give the error of a message that failed."""
        return ObservedError(code=code_of(self, is_opt_out=is_opt_out), raw=self.detail[:4096])


def code_of(trouble: Trouble, *, is_opt_out: bool) -> str:
    """Give the code; whether stopping marketing is an opt-out, the settings say."""
    if trouble.number == MARKETING_STOPPED and not is_opt_out:
        return "marketing_stopped"
    return trouble.fault.code


def trouble_in(error: object) -> Trouble:
    """Read an error, of an answer or of a status."""
    found: Mapping[str, Any] = mapping_in(error)
    number = found.get("code")
    known = (
        number if isinstance(number, int) and not isinstance(number, bool) and abs(number) < 10**7 else None
    )
    words = (
        tame(mapping_in(found.get("error_data")).get("details"), 500)
        or tame(found.get("message"), 500)
        or tame(found.get("title"), 500)
    )
    return Trouble(known, words)
