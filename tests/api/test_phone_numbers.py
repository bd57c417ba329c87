"""Looking numbers up: told as the numbering plans say, and nothing assumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.hub_world import HubWorld, open_world


async def test_a_number_is_told_whole(world: HubWorld) -> None:
    answered = await world.api.get("/v1/phone-numbers?number=%2B12125551234")

    assert answered.json | {"request_id": None} == {
        "input": "+12125551234",
        "valid": True,
        "possible": True,
        "e164": "+12125551234",
        "national": "(212) 555-1234",
        "international": "+1 212-555-1234",
        "country_calling_code": "1",
        "country": "US",
        "national_number": "2125551234",
        "type": "FIXED_LINE_OR_MOBILE",
        "location": None,
        "area_code": "212",
        "exchange": "555",
        "reason": None,
        "request_id": None,
    }


@pytest.mark.parametrize("query", ["number=+49170%201234567", "number=0170%201234567&region=de"])
async def test_a_plus_is_put_back_and_a_region_is_taken(world: HubWorld, query: str) -> None:
    assert (await world.api.get(f"/v1/phone-numbers?{query}")).json["e164"] == "+491701234567"


async def test_many_at_once_and_what_cannot_be_read_says_why(world: HubWorld) -> None:
    body = {"numbers": ["+12125551234", "0170 1234567", "Ann"]}
    found = (await world.api.post("/v1/phone-numbers", body)).json["data"]

    assert [each["valid"] for each in found] == [True, False, False]
    assert [each["input"] for each in found] == body["numbers"]
    assert "no country code" in found[1]["reason"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"numbers": ["1"], "region": "Germany"}, "region"),
        ({"numbers": ["1"], "region": "XX"}, "region"),
        ({"numbers": []}, "numbers"),
        ({"numbers": ["1"] * 101}, "numbers"),
        ({"numbers": ["1" * 101]}, "numbers[0]"),
        ({"numbers": [1]}, "numbers[0]"),
        ({"numbers": ["1"], "colour": "red"}, "colour"),
    ],
)
async def test_bad_input_names_the_field(world: HubWorld, body: dict[str, Any], param: str) -> None:
    answered = await world.api.post("/v1/phone-numbers", body)

    assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", param)


@pytest.mark.slow
async def test_places_are_told_where_they_are_switched_on(tmp_path: Path) -> None:
    async with open_world(tmp_path, number_places=True) as world:
        found = (
            await world.api.post("/v1/phone-numbers", {"numbers": ["+12125551234", "+4930123456", "+800"]})
        ).json

        assert [each["location"] for each in found["data"]] == [
            {"city": "New York", "region": "NY", "region_name": None},
            {"city": None, "region": None, "region_name": "Berlin"},
            None,
        ]
