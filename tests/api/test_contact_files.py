"""Files of contacts: taken in row by row, refused whole where they cannot be read, and given back."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from hub.flow import contact_import
from tests.api.test_contacts import made, walk
from tests.support.asgi import Answered
from tests.support.hub_world import HubWorld, open_world

CSV = "First Name,Phone,Email,Tags\nAnn,+1 555 010 0001,ANN@example.com,vip\nBob,+15550100002,,\n"
COUNTS = ("created", "updated", "unchanged", "failed")


def counts(answered: Answered) -> tuple[int, ...]:
    assert answered.status == 200, answered.body
    return tuple(answered.json[name] for name in COUNTS)


async def take(world: HubWorld, content: str | bytes, query: str = "", **headers: str) -> Answered:
    body = content.encode() if isinstance(content, str) else content
    return await world.api.post(f"/v1/contacts/import{query}", body, headers=headers)


async def names(world: HubWorld) -> list[str | None]:
    return [each["name"] for each in await walk(world.api, "/v1/contacts?sort=name_asc")]


async def test_a_sheet_is_taken_in_and_again_adds_nothing(world: HubWorld) -> None:
    first, again = await take(world, CSV), await take(world, CSV)
    ann = (await world.api.get("/v1/contacts/+15550100001")).json

    assert (counts(first), counts(again)) == ((2, 0, 0, 0), (0, 0, 2, 0))
    assert (first.json["errors"], first.json["ignored_columns"], first.json["dry_run"]) == ([], [], False)
    assert [each["handle"] for each in ann["handles"]] == ["+15550100001", "ann@example.com"]
    assert ann["tags"] == ["vip"]


async def test_what_a_file_says_is_added_and_empty_cells_say_nothing(world: HubWorld) -> None:
    await made(world, name="Ann", handles=["+15550100001"], notes="old", tags=["a"])
    answered = await take(world, "Phone,Email,Notes,Tags,Company\n+15550100001,a@b.de,,vip,Acme\n")
    ann = (await world.api.get("/v1/contacts/a@b.de")).json

    assert counts(answered) == (0, 1, 0, 0)
    assert (ann["name"], ann["notes"], ann["tags"], ann["organization"]) == (
        "Ann",
        "old",
        ["a", "vip"],
        "Acme",
    )


async def test_mode_create_leaves_what_exists_alone(world: HubWorld) -> None:
    ann = await made(world, name="Old", handles=["+15550100001"])
    answered = await take(world, CSV, "?mode=create")
    error = answered.json["errors"][0]

    assert counts(answered) == (1, 0, 0, 1)
    assert (error["row"], error["field"], error["value"]) == (2, "handles", "+1********01")
    assert ann["id"] in error["error"]
    assert await names(world) == ["Bob", "Old"]


async def test_rows_that_are_wrong_are_told_and_the_others_count(world: HubWorld) -> None:
    sheet = 'Name,Phone\nA,0170 1234567\n\nB,+15550100002\n"C"x,1\nD\nE,+15550100005,extra\n'
    answered = await take(world, sheet)
    told = [(each["row"], each["field"], each["value"]) for each in answered.json["errors"]]

    assert counts(answered) == (1, 0, 0, 4)
    assert told == [(2, "Phone", "01********67"), (5, None, None), (6, None, None), (7, None, None)]
    assert "1234567" not in answered.body.decode()


async def test_handles_of_two_contacts_are_not_joined(world: HubWorld) -> None:
    await made(world, name="A", handles=["+15550100001"])
    await made(world, name="B", handles=["a@b.de"])
    answered = await take(world, "Phone,Email\n+15550100001,a@b.de\n")

    assert counts(answered) == (0, 0, 0, 1)
    assert "several contacts" in answered.json["errors"][0]["error"]


async def test_rows_of_one_file_with_the_same_handle_are_one_contact(world: HubWorld) -> None:
    sheet = "Name,Phone,Email\nAnn,+15550100001,\n,+15550100001,a@b.de\nB,,a@b.de\n"
    for query in ("?dry_run=true", ""):
        assert counts(await take(world, sheet, query)) == (1, 2, 0, 0)
    other = sheet.replace("0001", "0009").replace("a@", "b@")
    # The second row is refused, so its mail address is nobody's yet.
    assert counts(await take(world, other, "?mode=create")) == (2, 0, 0, 1)


@pytest.mark.parametrize("batch", [1, 2, 200])
async def test_a_dry_run_tells_the_same_and_does_nothing(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(contact_import, "BATCH", batch)
    await made(world, name="Old", handles=["+15550100009"])
    sheet = CSV + "Ann,,ann@example.com,new\nOld,+15550100009,,x\nC,nobody,,\nAnn,+15550100001,,\n"
    dry = await take(world, sheet, "?dry_run=true")
    unchanged = await names(world)
    real = await take(world, sheet)

    assert unchanged == ["Old"]
    assert dry.json["dry_run"] is True
    assert counts(dry) == counts(real) == (2, 2, 1, 1)
    assert dry.json["errors"] == real.json["errors"]


FORMS: dict[str, tuple[bytes, str]] = {
    "semicolons": (CSV.replace(",", ";").encode(), ""),
    "tabs": (CSV.replace(",", "\t").encode(), ""),
    "a byte order mark": (CSV.encode("utf-8-sig"), ""),
    "utf-16": (CSV.encode("utf-16"), ""),
    "latin-1, as said": (CSV.replace("Bob", "Bøb").encode("latin-1"), "?encoding=latin-1"),
    "old line ends": (CSV.replace("\n", "\r").encode(), ""),
    "windows line ends": (CSV.replace("\n", "\r\n").encode(), ""),
    "no line end at the end": (CSV.rstrip().encode(), ""),
    "json": (b'[{"firstName":"A","phoneNumbers":["+15550100001"]},{"name":"B","email":"b@c.de"}]', ""),
    "json lines": (b'{"name":"A","phone":"+15550100001"}\n{"name":"B","phone":"+15550100002"}', ""),
    "json, as said": (b' [{"name":"A","phone":"+15550100001"},{"phone":"+15550100002"}]', "?format=json"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "query"), FORMS.values(), ids=FORMS.keys())
async def test_forms_of_files(world: HubWorld, content: bytes, query: str) -> None:
    assert counts(await take(world, content, query)) == (2, 0, 0, 0)


WHOLE: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "", "empty"),
    "blanks": (b" \n\n", "", "empty"),
    "no headings": (b"Ann,+15550100001\n", "", "Begin with a row of headings"),
    "headings alone that mean nothing": (b"a,b\n", "", "no column is headed phone or email"),
    "latin-1 without a word": (b"Phone,Name\n+15550100001,J\xf6rg\n", "", "byte 0xF6 in line 2"),
    "another encoding than said": (b"Phone,Name\n1,J\xf6rg\n", "?encoding=utf-8", "byte 0xF6 in line 2"),
    "Excel": (b"PK\x03\x04", "", "Excel"),
    "a quote that never closes": (b'Phone,Name\n+15550100001,"A\n+15550100002,B\n', "", "never closed"),
    "broken json": (b'[{"phone":"+15550100001"},{"phone":]', "", "At contact 2"),
    "json of something else": (b"[1,2]", "", "something else than an object"),
}


@pytest.mark.parametrize(("content", "query", "words"), WHOLE.values(), ids=WHOLE.keys())
async def test_a_file_that_cannot_be_read_is_refused_whole(
    world: HubWorld, content: bytes, query: str, words: str
) -> None:
    answered = await take(world, content, query)

    assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", "file")
    assert words in answered.json["error"]["message"]
    assert await names(world) == []


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("?mode=replace", "mode"),
        ("?region=Germany", "region"),
        ("?encoding=ebcdic", "encoding"),
        ("?format=vcard", "format"),
        ("?dry_run=maybe", "dry_run"),
        ("?colour=red", "colour"),
    ],
)
async def test_bad_queries_name_the_parameter(world: HubWorld, query: str, param: str) -> None:
    answered = await take(world, CSV, query)

    assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", param)


async def test_numbers_are_completed_where_the_caller_named_the_region(world: HubWorld) -> None:
    assert counts(await take(world, "Phone\n0170 1234567\n", "?region=de")) == (1, 0, 0, 0)
    assert (await world.api.get("/v1/contacts/+491701234567")).status == 200


async def test_a_refusal_explains_with_the_region_of_the_hub_and_completes_nothing(tmp_path: Path) -> None:
    async with open_world(tmp_path, contacts_region="DE") as world:
        taken = await take(world, "Phone\n0170 1234567\n")
        posted = await world.api.post("/v1/contacts", {"handles": ["0170 1234567"]})

        assert "If it is a number of DE, write +491701234567." in taken.json["errors"][0]["error"]
        assert "write +491701234567" in posted.json["error"]["message"]


def form(*parts: tuple[str, bytes]) -> tuple[bytes, dict[str, str]]:
    """A form as curl -F sends it."""
    body = b"".join(
        b'--X\r\nContent-Disposition: form-data; name="%s"; filename="c.csv"\r\n\r\n%s\r\n'
        % (name.encode(), content)
        for name, content in parts
    )
    return body + b"--X--\r\n", {"Content-Type": "multipart/form-data; boundary=X"}


@pytest.mark.parametrize("size", [7, 100_000])
async def test_a_form_with_a_file(world: HubWorld, size: int) -> None:
    body, headers = form(("note", b"Phone\n+15550100009\n"), ("file", CSV.encode()), ("file", b"x"))
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    answered = await world.api.request("POST", "/v1/contacts/import", chunks=chunks, headers=headers)

    assert counts(answered) == (2, 0, 0, 0)


@pytest.mark.parametrize(
    ("body", "headers", "status", "param"),
    [
        (*form(("other", b"x")), 400, "file"),
        (b"--X\r\nnonsense", {"Content-Type": "multipart/form-data; boundary=X"}, 400, "file"),
        (b"x", {"Content-Type": "multipart/form-data"}, 400, "Content-Type"),
        (CSV.encode(), {"Content-Encoding": "gzip"}, 415, "Content-Encoding"),
    ],
)
async def test_forms_that_cannot_be_read(
    world: HubWorld, body: bytes, headers: dict[str, str], status: int, param: str
) -> None:
    answered = await world.api.post("/v1/contacts/import", body, headers=headers)

    assert (answered.status, answered.param) == (status, param)


async def test_a_file_that_is_too_large_is_refused_while_it_streams(tmp_path: Path) -> None:
    async with open_world(tmp_path, contacts_file_bytes=2_000) as world:
        chunks = [CSV.encode()] * 100_000
        answered = await world.api.request("POST", "/v1/contacts/import", chunks=chunks)

        assert (answered.status, answered.code) == (413, "payload_too_large")


async def test_a_file_of_too_many_contacts_is_refused_whole(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.flow.contact_reading.MOST_ROWS", 1)
    for content in (CSV, '[{"phone":"+15550100001"},{"phone":"+15550100002"}]'):
        answered = await take(world, content)
        assert (answered.status, answered.param) == (400, "file")
    assert await names(world) == []


async def test_errors_are_told_up_to_a_number_and_counted_beyond(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_import, "MOST_ERRORS", 3)
    answered = await take(world, "Phone\n" + "nobody\n" * 10)

    assert counts(answered) == (0, 0, 0, 10)
    assert len(answered.json["errors"]) == 3


async def test_a_sheet_is_given_that_a_spreadsheet_can_open_without_running_it(world: HubWorld) -> None:
    await made(
        world, name="=HYPERLINK(1)", handles=["+15550100001", "+15550100002", "a@b.de"], tags=["a", "b"]
    )
    await made(world, name="'+x", organization="-1+2", notes="two\nlines", handles=["262966"])
    answered = await world.api.get("/v1/contacts/export?format=csv&sort=oldest")
    rows = list(csv.DictReader(io.StringIO(answered.body.decode("utf-8-sig"), newline="")))

    assert answered.headers["content-type"] == "text/csv; charset=utf-8"
    assert answered.headers["content-disposition"] == 'attachment; filename="contacts.csv"'
    assert answered.body.startswith(b"\xef\xbb\xbf")
    assert [(row["name"], row["phones"]) for row in rows] == [
        ("'=HYPERLINK(1)", "+15550100001; +15550100002"),
        ("''+x", "262966"),
    ]
    assert (rows[1]["organization"], rows[1]["notes"]) == ("'-1+2", "two\nlines")


@pytest.mark.parametrize("kind", ["csv", "json"])
async def test_what_is_given_is_what_is_taken_in(world: HubWorld, kind: str) -> None:
    await made(world, first_name="Ann", last_name="Lee", handles=["+15550100001", "a@b.de"], tags=["a", "b"])
    await made(
        world, name="'=x", organization="-1+2", notes="two\n=lines", handles=["262966"], metadata={"a": 1}
    )
    before = await walk(world.api, "/v1/contacts?sort=name_asc")
    given = await world.api.get(f"/v1/contacts/export?format={kind}")
    again = await take(world, given.body)
    for each in before:
        await world.api.delete(f"/v1/contacts/{each['id']}")
    taken = await take(world, given.body)
    after = await walk(world.api, "/v1/contacts?sort=name_asc")

    def told(contacts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**each, "id": None, "created_at": 0, "updated_at": 0} for each in contacts]

    assert (counts(again), counts(taken)) == ((0, 0, 2, 0), (2, 0, 0, 0))
    assert told(after) == told(before)


async def test_an_export_takes_the_filters_of_the_list_and_is_whole_over_pages(
    world: HubWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.api.contact_files._PAGE", 2)
    for number in range(5):
        await made(world, name=f"n{number}", tags=["odd"] if number % 2 else [])

    async def exported(query: str) -> list[str]:
        return [each["name"] for each in (await world.api.get(f"/v1/contacts/export?{query}")).json]

    assert await exported("sort=name_asc") == ["n0", "n1", "n2", "n3", "n4"]
    assert await exported("tag=odd&sort=name_desc") == ["n3", "n1"]
    assert await exported("q=nobody") == []
    assert (await world.api.get("/v1/contacts/export?limit=5")).param == "limit"


async def test_other_requests_are_answered_while_a_file_is_taken_in(world: HubWorld) -> None:
    import asyncio

    sheet = "Name,Phone\n" + "".join(f"n{number},+1555{number:07}\n" for number in range(3_000))
    taking = asyncio.create_task(take(world, sheet))
    answered = 0
    while not taking.done():
        assert (await world.api.get("/v1/contacts?limit=1")).status == 200
        answered += 1

    assert counts(await taking) == (3_000, 0, 0, 0)
    assert answered > 10
