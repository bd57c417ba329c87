"""What a phone number is, by the numbering plans of libphonenumber: told, never assumed.

Not here: whose message it is (hub.rules.chatkeys spells handles without asking any plan), and where a number is from
in words (hub.rules.phone_places, which is large).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from hub.rules.chatkeys import normalize_handle
from hub.rules.problems import Problem, suggestion

#: Two letters of ISO 3166, as the numbering plans know them.
REGIONS: Final = frozenset(phonenumbers.SUPPORTED_REGIONS)
LONGEST_NUMBER: Final = 100

_NORTH_AMERICA: Final = 1
_TYPES: Final = {
    value: name
    for name, value in vars(PhoneNumberType).items()
    if isinstance(value, int) and name != "UNKNOWN"
}
_REASONS: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: (
        "It has no country code that any plan knows: write + and the country code first, or say of which region it is."
    ),
    NumberParseException.NOT_A_NUMBER: "It is not a phone number.",
    NumberParseException.TOO_SHORT_AFTER_IDD: "After the international prefix too few digits follow.",
    NumberParseException.TOO_SHORT_NSN: "It has too few digits.",
    NumberParseException.TOO_LONG: "It has too many digits.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberFacts:
    """A number looked up; everything but `input` and the two verdicts may be unknown."""

    input: str
    #: Its range is in use, as far as the plans say.
    valid: bool
    #: Its length can be right.
    possible: bool
    e164: str | None = None
    national: str | None = None
    international: str | None = None
    country_calling_code: str | None = None
    #: ISO 3166; None for numbers of no country (+800 …).
    country: str | None = None
    national_number: str | None = None
    #: MOBILE, FIXED_LINE, …
    type: str | None = None
    #: North America's three digits after +1, and the three after those.
    area_code: str | None = None
    exchange: str | None = None
    #: Why it could not be read, or is not possible.
    reason: str | None = None


def check_region(text: str) -> str | Problem:
    """Return the region in capitals, or what is wrong with it."""
    region = text.strip().upper()
    if region in REGIONS:
        return region
    meant = suggestion(region, [each.lower() for each in REGIONS])
    return Problem(
        pointer="",
        what=f"{text[:20]!r} is no region",
        why="a region is two letters of ISO 3166, such as DE or US",
        fix=f"Did you mean {meant.upper()}" if meant else "Write one of those two letters",
    )


def look_up(text: str, *, region: str | None = None) -> NumberFacts:
    """Tell all that the plans know of a number.

    Args:
        text: As written by a person.
        region: Whose national form it may be in; None takes numbers with a country code only.
    """
    number = _parsed(text, region)
    if isinstance(number, NumberParseException):
        return NumberFacts(input=text, valid=False, possible=False, reason=_REASONS[number.error_type])
    national_number = phonenumbers.national_significant_number(number)
    is_ten_digits = number.country_code == _NORTH_AMERICA and len(national_number) == 10
    country = phonenumbers.region_code_for_number(number)
    is_possible = phonenumbers.is_possible_number(number)
    return NumberFacts(
        input=text,
        valid=phonenumbers.is_valid_number(number),
        possible=is_possible,
        reason=None if is_possible else "It has too many or too few digits for its country.",
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164) if is_possible else None,
        national=phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        international=phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        country_calling_code=str(number.country_code),
        country=country if country in REGIONS else None,
        national_number=national_number,
        type=_TYPES.get(phonenumbers.number_type(number)),
        area_code=national_number[:3] if is_ten_digits else None,
        exchange=national_number[3:6] if is_ten_digits else None,
    )


def completed(text: str, region: str) -> str | None:
    """Give the E.164 form of a national number of a region; None unless it is a valid one."""
    number = _parsed(text, region)
    if isinstance(number, NumberParseException) or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _parsed(text: str, region: str | None) -> PhoneNumber | NumberParseException:
    """Read a number. Where no region is given, digits that can only be international are (hub.rules.chatkeys)."""
    written = text[:LONGEST_NUMBER]
    try:
        return phonenumbers.parse(written if region else normalize_handle(written), region)
    except NumberParseException as error:
        return error
