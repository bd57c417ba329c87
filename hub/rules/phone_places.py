"""Where a number is from, in words. The tables take 100 MB and 0.3 s to load, so they wait until somebody asks.

Off unless `contacts.number_places` says otherwise (docs/decisions/0008). Not here: what the number is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a number was given out; people move, numbers do not."""

    city: str | None
    #: `NY`, where the plan says so.
    region: str | None
    region_name: str | None


def place_of(e164: str) -> Place | None:
    """Give the place of a valid number; None if the tables do not know it."""
    from phonenumbers import geocoder, parse  # noqa: PLC0415 - see above

    told = geocoder.description_for_number(parse(e164), "en")
    city, comma, region = told.rpartition(", ")
    if comma and len(region) == 2:
        return Place(city=city, region=region, region_name=None)
    return Place(city=None, region=None, region_name=told) if told else None
