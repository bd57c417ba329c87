"""Twilio's error numbers as codes of ours, with what to do. Pure.

Numbers and meanings are from memory of Twilio's error dictionary and from what senders publish of it; the number
always stands in the detail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.flow.opt_outs import OPTED_OUT
from hub.model.observation import ObservedError


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong."""

    code: str
    advice: str


#: Refusals of requests (1xxxx, 2xxxx), and what became of messages (3xxxx, 6xxxx).
FAULTS: Final[dict[int, Fault]] = {
    10001: Fault("account_suspended", "The Twilio account is not active; look into Twilio's console."),
    10002: Fault("not_permitted", "A trial account may not do this."),
    11200: Fault("file_refused", "Twilio could not fetch the file from the hub: is web.base_url right?"),
    11751: Fault("file_refused", "Twilio takes 5 MB in one message."),
    12300: Fault("file_refused", "Twilio does not carry files of this type."),
    14107: Fault("rate_limited", "Too many messages between these two numbers in a short time."),
    20003: Fault("bad_credentials", "Twilio does not know the credentials; set the bridge's settings anew."),
    20005: Fault("account_suspended", "The Twilio account is not active; look into Twilio's console."),
    20008: Fault("not_permitted", "These are test credentials: they send nothing."),
    20404: Fault("not_found", "Twilio has no such thing; check the account's SID."),
    20429: Fault("rate_limited", "Twilio asks to go slower."),
    21211: Fault("invalid_number", "The recipient's number is not a valid one."),
    21212: Fault("line_not_at_network", "The line's number is not one that Twilio can send from."),
    21214: Fault("not_reachable", "The recipient's number cannot be reached."),
    21217: Fault("invalid_number", "The recipient's number does not look like one."),
    21266: Fault("invalid_recipient", "The recipient is the line itself."),
    21408: Fault("region_not_allowed", "Switch this country on under Messaging, Geo permissions."),
    21602: Fault("empty_message", "The message has neither words nor a file."),
    21603: Fault("line_not_at_network", "The line's number is not one that Twilio can send from."),
    21606: Fault("line_not_at_network", "The line's number is not an SMS number of this account."),
    21608: Fault(
        "recipient_not_allowed",
        "A trial account writes to verified numbers only: verify it in Twilio's console.",
    ),
    21610: Fault(OPTED_OUT, "The contact has sent STOP to this number or service at Twilio."),
    21611: Fault("queue_full", "Too much waits at Twilio for this number already."),
    21612: Fault("not_reachable", "Twilio cannot reach this recipient from the line's number."),
    21614: Fault("invalid_number", "The recipient's number is none that takes SMS."),
    21617: Fault("text_too_long", "Twilio takes 1600 characters in one message."),
    21619: Fault("empty_message", "The message has neither words nor a file."),
    21620: Fault("file_refused", "Twilio refused the file's address: is the hub's public address right?"),
    21623: Fault("too_many_files", "Twilio takes ten files in one message."),
    21635: Fault("landline", "The recipient's number is a landline."),
    21659: Fault("line_not_at_network", "The line's number is not one of this account."),
    21660: Fault("line_not_at_network", "The line's number belongs to another account."),
    21703: Fault("line_not_at_network", "The messaging service has no number: add the line's to it."),
    21704: Fault("line_not_at_network", "The messaging service may not send yet."),
    21705: Fault("line_not_at_network", "The messaging service is not one of this account."),
    30001: Fault("queue_full", "Too much waited at Twilio for this number."),
    30002: Fault("account_suspended", "The account was suspended while the message waited."),
    30003: Fault("not_reachable", "The phone is off or out of reach."),
    30004: Fault("blocked", "The recipient, or the carrier, blocks messages of this line."),
    30005: Fault("invalid_number", "Nobody has this number."),
    30006: Fault("landline", "A landline, or a carrier that cannot be reached."),
    30007: Fault("filtered", "The carrier, or Twilio, took it for spam; look at words and links."),
    30008: Fault("carrier_error", "The carrier gives no reason."),
    30010: Fault("price_too_high", "It costs more than the highest price that was set."),
    30011: Fault("file_refused", "The recipient's carrier takes no MMS."),
    30019: Fault("file_refused", "It is larger than the recipient's carrier takes."),
    30022: Fault("rate_limited", "More at once than the carrier takes from this number or campaign."),
    30023: Fault("daily_limit", "More in a day than the carrier takes from this brand."),
    30024: Fault("line_not_at_network", "The recipient's carrier does not know the line's number yet."),
    30027: Fault("daily_limit", "More in a day than T-Mobile takes from this brand."),
    30032: Fault("a2p_unregistered", "Verify the toll-free number in Twilio's console."),
    30034: Fault("a2p_unregistered", "Register the number for A2P 10DLC in Twilio's console."),
    30035: Fault(
        "line_not_at_network", "Twilio is still setting the number up: wait, or look into its console."
    ),
    30036: Fault("expired", "It was not sent within validity_seconds."),
    30410: Fault("carrier_error", "The carrier did not answer in time."),
    63016: Fault("window_closed", "Outside the customer window only templates may be sent."),
}
#: Refusals after which the same request can be made again.
BUSY: Final = frozenset({14107, 20429, 21611})


def fault_of(number: int | None) -> Fault:
    """Give what a number means; an unknown one is passed on under its own name."""
    if number is None:
        return Fault("refused", "Twilio gave no reason.")
    return FAULTS.get(
        number, Fault(f"twilio_{number}", f"See https://www.twilio.com/docs/api/errors/{number}")
    )


def observed_error(number: int | None, said: str | None = None) -> ObservedError:
    """Give the error of a message that failed."""
    return ObservedError(code=fault_of(number).code, raw=detail_of(number, said)[:4096])


def detail_of(number: int | None, said: str | None = None) -> str:
    """Say it for people, with the number, and Twilio's own words where there are any."""
    words = f"{fault_of(number).advice}{f' ({said})' if said else ''}"
    return words if number is None else f"{number}: {words}"


def number_in(value: object) -> int | None:
    """Read an error number; 0 and nothing mean none."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value) if isinstance(value, str) or abs(value) < 10**6 else ""
    return int(text) or None if text.isascii() and text.isdigit() and len(text) <= 6 else None
