"""The commands in docs/contacts.md do what the page says, each as it stands there."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path

import msgspec
import pytest

import hub
from hub.api.contact_files import ImportReply
from hub.api.contact_shapes import ContactChoice
from hub.flow.contact_import import MOST_ERRORS, MOST_ROWS
from hub.rules.contact_headings import meaning_of
from hub.rules.contacts import LONGEST_TAG
from tests.api.test_availability import YES, Network
from tests.support.asgi import Answered
from tests.support.hub_world import CONTACT, HubWorld

PAGE = (Path(hub.__file__).parent.parent / "docs" / "contacts.md").read_text("utf-8")
SHEET = b"First Name,Phone\nBob,+15550100002\n"


def commands() -> list[list[str]]:
    """The page's commands as words, in the order in which they stand there."""
    blocks = re.findall(r"(?:^ {4,}.*\n)+", PAGE, re.MULTILINE)
    text = "".join(
        line.strip() + "\n" for block in blocks for line in block.replace("\\\n", " ").splitlines()
    )
    found = re.findall(r"^curl (?:.|\n(?!curl|hub|\{))+", text, re.MULTILINE)
    return [shlex.split(command) for command in found]


async def run(world: HubWorld, words: list[str], values: dict[str, str]) -> Answered:
    """Do what curl would do."""
    pairs = list(itertools.pairwise(words))
    headers = dict(value.split(": ", 1) for option, value in pairs if option == "-H")
    del headers["Authorization"]
    url = next(word for word in words if word.startswith("$HUB/")).removeprefix("$HUB")
    for name, value in values.items():
        url = url.replace(f"${name}", value)
    given = dict(pairs)
    body: object = None
    if "-d" in given:
        body = json.loads(given["-d"])
    elif "--data-binary" in given:
        body = SHEET
    elif "-F" in given:
        headers["Content-Type"] = "multipart/form-data; boundary=X"
        body = b'--X\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + SHEET + b"\r\n--X--\r\n"
    method = given.get("-X", "GET" if body is None else "POST")
    return await world.api.request(method, url, body=body, headers=headers)


async def test_each_command_works(world: HubWorld) -> None:
    await world.store.lines.tell_capabilities(world.sandbox_line.bridge_id, frozenset({"availability"}))
    world.naps.meanwhile = Network(world, {CONTACT: YES, "ann@example.com": YES})
    values: dict[str, str] = {}
    found = commands()
    for words in [each for each in found if "DELETE" not in each or "$CONTACT" not in " ".join(each)]:
        answered = await run(world, words, values)
        assert answered.status < 300, (words, answered.body)
        if answered.body.startswith(b'{"id":"ctg_'):
            values["GROUP"] = answered.json["id"]
        elif answered.body.startswith(b'{"id":"ct_'):
            values["CONTACT"] = answered.json["id"]
    forget = next(each for each in found if "$CONTACT" in " ".join(each))

    assert len(found) >= 20
    assert (await run(world, forget, values)).json["deleted"] is True


def test_the_page_names_what_there_is() -> None:
    """Parameters, bounds, headings and the shape of the answer."""
    named = set(re.findall(r"`(\w+)`", PAGE))
    shown = set(re.findall(r'"(\w+)":', PAGE)) | {"dry_run", "request_id"}

    assert set(ContactChoice.__struct_fields__) <= named
    assert f"at most {MOST_ROWS:,} contacts" in PAGE
    assert f"The first {MOST_ERRORS:,} errors" in PAGE
    assert f"1 to {LONGEST_TAG} characters" in PAGE
    assert {each.encode_name for each in msgspec.structs.fields(ImportReply)} <= shown


@pytest.mark.parametrize(
    "heading", re.findall(r"`([^`]+)`", PAGE[PAGE.index("- **CSV** begins") : PAGE.index("A word such as")])
)
def test_headings_that_the_page_names_are_known(heading: str) -> None:
    assert meaning_of(heading).field is not None
