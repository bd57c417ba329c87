"""docs/migrating-from-blooio.md: the filter for contacts makes what the hub imports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import hub
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld

PAGE = (Path(hub.__file__).parent.parent / "docs" / "migrating-from-blooio.md").read_text("utf-8")


@pytest.mark.skipif(shutil.which("jq") is None, reason="the page's filter is written for jq")
async def test_contacts_of_blooio_are_imported(world: HubWorld, both: Caller) -> None:
    """A hub stands for the vendor; what it lists goes through the page's filter into another list."""
    for body in ({"identifier": "+15550100001", "name": "Ann"}, {"identifier": "bob@example.com"}):
        assert (await both.post("/v2/api/contacts", body)).status == 201
    await both.post("/v2/api/contacts/+15550100001/tags", {"tags": ["vip"]})
    theirs = await both.get("/v2/api/contacts?limit=200")
    found = re.search(r"^jq '([^']*)'", PAGE, re.MULTILINE)
    assert found is not None
    people = subprocess.run(["jq", found[1]], input=theirs.body, capture_output=True, check=True).stdout  # noqa: ASYNC221
    for contact in theirs.json["contacts"]:
        await both.delete(f"/v2/api/contacts/{contact['identifier']}")
    done = await world.api.request(
        "POST", "/v1/contacts/import", body=people, headers={"Content-Type": "application/json"}
    )
    again = (await both.get("/v2/api/contacts?limit=200")).json["contacts"]

    assert done.status in {200, 201}, done.body
    assert {(each["identifier"], each["name"], *each["tags"]) for each in again} == {
        ("+15550100001", "Ann", "vip"),
        ("bob@example.com", None),
    }
    assert json.loads(people)
