"""A vendor that fails, lies or does not end: nothing is half done, nothing is lost in silence, the key stays here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from hub.flow.moves import MoveReport, Tally
from hub.flow.vendor_sources import SourceFailed
from hub.rules.contact_rows import Regions
from tests.moving.conftest import KEY, Mover, Script, scripted, told

ANN = {
    "id": "+15550200001",
    "contact_id": "ct_1",
    "identifier": "+15550200001",
    "name": "Ann",
    "tags": ["vip"],
}
NO_HOOKS = told({"webhooks": []})


def people(count: int, *, start: int = 0) -> list[dict[str, Any]]:
    return [{"contact_id": f"ct_{n}", "identifier": f"+1555020{n:04}"} for n in range(start, start + count)]


def page(rows: object, total: object) -> tuple[int, Any, bytes]:
    return told({"contacts": rows, "pagination": {"limit": 100, "offset": 0, "total": total}})


def contacts_are(answer: Callable[[int], tuple[int, Any, bytes]]) -> Script:
    """Blooio with these contacts, told by their offset, and without webhooks."""

    def script(path: str) -> tuple[int, Any, bytes]:
        place = urlsplit(path)
        if place.path != "/v2/api/contacts":
            return NO_HOOKS
        return answer(int(parse_qs(place.query)["offset"][0]))

    return script


def in_turn(*answers: tuple[int, Any, bytes]) -> Script:
    """Contacts that are answered so one after the other, the last one for ever."""
    left = list(answers)
    return contacts_are(lambda _: left.pop(0) if len(left) > 1 else left[0])


async def from_blooio(move: Mover, script: Script, **more: Any) -> MoveReport:
    async with scripted(script) as vendor:
        return await move("blooio", vendor.url(""), **more)


BUSY = told({"error": "ApiError"}, 429, Retry_After="7")
WELL = page([ANN], 1)


async def test_who_asks_to_wait_is_given_the_time(move: Mover) -> None:
    report = await from_blooio(move, in_turn(BUSY, BUSY, WELL))

    assert move.waited == [7, 7]
    assert "Blooio: it answers with status 429; asking again in 7 s" in move.words
    assert report.tallies["contacts"] == Tally(read=1, created=1)


async def test_a_time_to_wait_may_be_a_date(move: Mover) -> None:
    await from_blooio(move, in_turn(told({}, 503, Retry_After="Sun, 06 Nov 1994 08:49:37 GMT"), WELL))

    assert move.waited == [1]  # it is over; one second all the same


async def test_patience_ends(move: Mover) -> None:
    with pytest.raises(SourceFailed, match="asks to wait 7 s, longer than --patience allows") as failed:
        await from_blooio(move, in_turn(BUSY), patience=20)

    assert move.waited == [7, 7]
    assert "Nothing was taken in" in str(failed.value)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_what_may_pass_is_asked_again_with_longer_pauses(move: Mover, status: int) -> None:
    bad = told({"error": "oops"}, status)
    report = await from_blooio(move, in_turn(bad, bad, bad, WELL))

    assert move.waited == [1, 2, 4]
    assert report.tallies["contacts"].created == 1


async def test_what_does_not_pass_is_not_asked_for_ever(move: Mover) -> None:
    with pytest.raises(SourceFailed, match=r"GET /v2/api/contacts: it answers with status 500"):
        await from_blooio(move, in_turn(told({}, 500)))

    assert move.waited == [1, 2, 4, 8, 16]


REFUSED: dict[str, tuple[tuple[int, Any, bytes], str]] = {
    "unknown key": (told({"error": "ApiError"}, 401), "It does not know the key"),
    "weak key": (told({}, 403), "leave this list out with --only"),
    "no endpoint": (told({}, 404), "check --from"),
    "redirect": (told({}, 301, Location="https://elsewhere.example/"), "https://elsewhere.example/"),
    "another status": (told({}, 418), "status 418"),
    "no JSON": ((200, {}, b"<html>Hello</html>"), "no JSON object"),
    "half of it": ((200, {}, b'{"contacts": ['), "no JSON object"),
    "bad letters": ((200, {}, b'{"contacts": ["\xff"]}'), "no JSON object"),
    "deep": ((200, {}, b'{"contacts":' + b"[" * 100_000), "no JSON object"),
    "a list": (told([ANN]), "no JSON object"),
    "another object": (told({"people": [ANN]}), "no list 'contacts' or 'data'"),
    "no list": (told({"contacts": {"1": ANN}}), "no list 'contacts' or 'data'"),
    "compressed": ((200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08"), "no JSON object"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
async def test_what_cannot_be_read_is_told_and_nothing_is_taken_in(
    case: tuple[tuple[int, Any, bytes], str], move: Mover
) -> None:
    first = page(people(100), 101)
    answer, words = case

    with pytest.raises(SourceFailed) as failed:
        await from_blooio(move, contacts_are(lambda offset: answer if offset else first))

    assert words in str(failed.value)
    assert KEY not in str(failed.value)
    assert move.waited == []
    assert await move.contacts() == []


async def test_webhooks_that_cannot_be_read_stop_it_before_contacts_are_written(move: Mover) -> None:
    def script(path: str) -> tuple[int, Any, bytes]:
        return WELL if "contacts" in path else told({}, 403)

    with pytest.raises(SourceFailed, match=r"GET /v2/api/webhooks: it answers with status 403"):
        await from_blooio(move, script)
    assert await move.contacts() == []

    report = await from_blooio(move, script, lists=("contacts",))
    assert report.tallies == {"contacts": Tally(read=1, created=1)}


async def test_nobody_there_is_told(move: Mover) -> None:
    async with scripted(in_turn(WELL)) as vendor:
        address = vendor.url("")

    with pytest.raises(SourceFailed, match=r"Blooio cannot be read: .*cannot be reached"):
        await move("blooio", address, patience=2)


async def test_an_address_that_is_not_opened_is_not_called(move: Mover) -> None:
    with pytest.raises(SourceFailed, match=r"outbound\.allow"):
        await move("blooio", "http://10.1.2.3")
    assert move.waited == []


@pytest.mark.parametrize("key", ["", "a b", "key\r\nX-More: 1", "schlüssel", "k" * 2000])
async def test_what_is_no_key_is_not_sent(move: Mover, key: str) -> None:
    with pytest.raises(SourceFailed, match="The key of Blooio is empty, or holds"):
        await move("blooio", "http://127.0.0.1:1", key)


async def test_the_key_goes_in_its_header_alone(move: Mover) -> None:
    async with scripted(in_turn(WELL)) as vendor:
        await move("blooio", vendor.url(""))
        requests = list(vendor.requests)

    assert [each.split(b" ", 1)[0] for each in requests] == [b"GET", b"GET"]
    assert all(each.count(KEY.encode()) == 1 for each in requests)
    assert all(f"Authorization: Bearer {KEY}\r\n".encode() in each for each in requests)


async def test_the_same_page_again_is_no_end(move: Mover) -> None:
    with pytest.raises(SourceFailed, match="The list does not end"):
        await from_blooio(move, contacts_are(lambda _: page(people(100), 10**9)))
    assert await move.contacts() == []


async def test_pages_that_come_round_again_are_no_end(move: Mover) -> None:
    with pytest.raises(SourceFailed, match="The list does not end"):
        await from_blooio(move, contacts_are(lambda at: page(people(100, start=at % 300), 10**9)))


async def test_pages_without_end_are_left(move: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.flow.vendor_sources.MOST_PAGES", 20)

    with pytest.raises(SourceFailed, match="more than 20 pages"):
        await from_blooio(move, contacts_are(lambda at: page(people(100, start=at), 10**9)))
    assert await move.contacts() == []


async def test_contacts_without_end_are_left(move: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.flow.moving.MOST_THINGS", 1000)

    with pytest.raises(SourceFailed, match="more than 1000 contacts"):
        await from_blooio(move, contacts_are(lambda at: page(people(100, start=at), 10**9)))


COUNTS: dict[str, tuple[list[tuple[int, Any, bytes]], str | None]] = {
    "less than promised": ([page(people(3), 5), page([], 5)], "said that there are 5, and gave 3"),
    "more than promised": ([page(people(3), 2)], "said that there are 2, and gave 3"),
    "changed meanwhile": (
        [page(people(100), 250), page(people(100, start=100), 249), page(people(49, start=201), 249)],
        "said that there are 249 and then 250, and gave 249",
    ),
    "no count": ([page(people(3), None), page([], None)], None),
    "no number": ([page(people(3), "3"), page([], "3")], None),
    "a negative number": ([page(people(3), -1), page([], -1)], None),
}


@pytest.mark.parametrize("case", COUNTS.values(), ids=COUNTS.keys())
async def test_a_count_that_is_not_kept_is_told(
    case: tuple[list[tuple[int, Any, bytes]], str | None], move: Mover
) -> None:
    pages, words = case
    report = await from_blooio(move, in_turn(*pages))

    assert report.tallies["contacts"].created == sum(
        len(json.loads(body)["contacts"]) for _, _, body in pages
    )
    assert [words in each.error for each in report.problems if words] == ([True] if words else [])
    assert words or report.problems == []


async def test_each_contact_that_cannot_be_taken_in_is_told(move: Mover) -> None:
    german = {"contact_id": "ct_9", "identifier": "0170 1234567"}
    strange: list[object] = [None, 7, "x", [], {}, {"identifier": {"a": 1}}, german]
    strange += [{**ANN, **wrong} for wrong in ({"tags": ["a/b"]}, {"name": 7}, {"name": "x" * 300})]
    strange.append(ANN)
    report = await from_blooio(move, in_turn(page(strange, len(strange))))
    told_of = {each.row: each for each in report.problems}

    assert report.tallies["contacts"] == Tally(read=11, created=1, failed=10)
    assert sorted(row for row in told_of if row) == list(range(1, 11))
    assert (told_of[7].id, told_of[7].field, told_of[7].value) == ("ct_9", "handles", "01********67")
    assert [each["name"] for each in await move.contacts()] == ["Ann"]


async def test_the_country_of_numbers_may_be_said(move: Mover) -> None:
    german = {"contact_id": "ct_9", "identifier": "0170 1234567"}
    await from_blooio(move, in_turn(page([german], 1)), regions=Regions(completing="DE", hinted=""))

    assert [each["handles"][0]["handle"] for each in await move.contacts()] == ["+491701234567"]


async def test_errors_beyond_those_that_are_kept_are_counted(move: Mover) -> None:
    rows = [{"contact_id": f"ct_{n}", "identifier": f"nobody {n}"} for n in range(1200)]
    script = contacts_are(lambda at: page(rows[at : at + 100], 1200))
    report = await from_blooio(move, script)

    assert report.tallies["contacts"] == Tally(read=1200, failed=1200)
    assert len(report.problems) == 1001
    assert report.problems[-1].error.startswith("200 more contacts were not taken in")


async def test_one_person_under_two_numbers_stays_two(move: Mover) -> None:
    """Blooio has a contact for each number; nobody says that they are one."""
    rows = [{**ANN, "identifier": number} for number in ("+15550200001", "+15550200002")]
    report = await from_blooio(move, in_turn(page(rows, 2)))

    assert report.tallies["contacts"].created == 2


HOOK = {"id": "1", "url": "https://receiver.example/hook", "events": ["message.received"], "enabled": True}
#: Coop's webhook, its fate and what is said of it.
WEBHOOKS: dict[str, tuple[object, tuple[int, int], str]] = {
    "no object": ("x", (0, 1), "no object"),
    "no address": ({**HOOK, "url": None}, (0, 1), "no address"),
    "a private address": ({**HOOK, "url": "https://10.1.2.3/"}, (0, 1), "outbound.allow"),
    "no https": ({**HOOK, "url": "http://receiver.example/"}, (0, 1), "https"),
    "one event more": (
        {**HOOK, "events": ["message.received", "call.missed"]},
        (1, 0),
        "'call.missed' is no event",
    ),
    "an event that is none": ({**HOOK, "events": [{"a": 1}]}, (0, 1), "Give 1 to 64 event types"),
    "no events": ({**HOOK, "events": None}, (0, 1), "Give 1 to 64 event types"),
}


@pytest.mark.parametrize("case", WEBHOOKS.values(), ids=WEBHOOKS.keys())
async def test_each_webhook_that_cannot_be_taken_in_is_told(
    case: tuple[object, tuple[int, int], str], move: Mover
) -> None:
    row, (created, failed), words = case
    async with scripted(lambda path: told({"data": [row] if "webhooks" in path else []})) as vendor:
        dry = await move("coop", vendor.url(""), is_dry_run=True)
        real = await move("coop", vendor.url(""))

    assert dry.tallies == real.tallies
    assert dry.problems == real.problems
    assert real.tallies["webhooks"] == Tally(read=1, created=created, failed=failed)
    assert any(words in each.error for each in real.problems)


async def test_webhooks_at_one_address_become_one(move: Mover) -> None:
    """Two here would deliver twice, and one that is off there must not be switched on by another."""
    sent = {**HOOK, "id": "2", "events": ["message.sent", "message.received"]}
    off = {**HOOK, "id": "3", "events": ["message.failed"], "enabled": False}
    async with scripted(
        lambda path: told({"data": [HOOK, off, sent] if "webhooks" in path else []})
    ) as vendor:
        first = await move("coop", vendor.url(""), is_started=True)
        again = await move("coop", vendor.url(""), is_started=True)
    (hook,) = await move.webhooks()

    assert first.tallies["webhooks"] == Tally(read=3, created=1, merged=2)
    assert again.tallies["webhooks"] == Tally(read=3, unchanged=1, merged=2)
    assert (sorted(hook["events"]), hook["is_active"]) == (["message.received", "message.sent"], True)


@pytest.mark.parametrize("event", ["call.missed", {"a": 1}, None])
async def test_events_of_msgbubbles_that_are_unknown_do_not_become_all(move: Mover, event: object) -> None:
    rows = [{"id": "1", "url": HOOK["url"], "events": [event], "enabled": True}]
    async with scripted(lambda _: told({"data": rows, "has_more": False})) as vendor:
        report = await move("msgbubbles", vendor.url(""))

    assert report.tallies["webhooks"] == Tally(read=1, failed=1)


async def test_further_pages_of_msgbubbles_are_asked_for_by_time(move: Mover) -> None:
    def script(path: str) -> tuple[int, Any, bytes]:
        first = {**HOOK, "created_at": "2026-06-11T18:21:04.000Z"}
        second = {**HOOK, "url": "https://receiver.example/2", "created_at": "2026-06-10T18:21:04.000Z"}
        if path == "/v1/webhooks?before=2026-06-11T18%3A21%3A04.000Z":
            return told({"data": [second], "has_more": False})
        return told({"data": [first], "has_more": True}) if path == "/v1/webhooks" else told({}, 400)

    async with scripted(script) as vendor:
        report = await move("msgbubbles", vendor.url(""))

    assert report.tallies["webhooks"] == Tally(read=2, created=2)


async def test_a_webhook_type_of_blooio_that_is_new_is_told(move: Mover) -> None:
    hook = {"webhook_id": "wh_1", "webhook_url": HOOK["url"], "webhook_type": "calls", "is_active": True}

    def script(path: str) -> tuple[int, Any, bytes]:
        return page([], 0) if "contacts" in path else told({"webhooks": [hook]})

    report = await from_blooio(move, script)

    assert report.tallies["webhooks"] == Tally(read=1, failed=1)
    assert (report.problems[0].id, report.problems[0].field) == ("wh_1", "webhook_type")


@pytest.mark.parametrize(
    ("until", "kept"),
    [(-1, None), (None, None), (2**63, None), ("soon", None), (4_000_000_000_000, 4_000_000_000_000)],
)
async def test_the_end_of_a_webhook_of_blooio(move: Mover, until: object, kept: int | None) -> None:
    hook = {"webhook_id": "wh_1", "webhook_url": HOOK["url"], "webhook_type": "all", "valid_until": until}

    def script(path: str) -> tuple[int, Any, bytes]:
        return page([], 0) if "contacts" in path else told({"webhooks": [hook]})

    await from_blooio(move, script)

    assert [each["expires_at"] for each in await move.webhooks()] == [kept]


@pytest.mark.parametrize("lines", [[], [{"id": "ln_1"}], ["x", None], [{"handle": ["+15550100000"]}]])
async def test_lines_of_messages_dev_without_a_handle_are_told(move: Mover, lines: list[object]) -> None:
    async with scripted(lambda _: told({"data": lines, "has_more": False, "next_cursor": None})) as vendor:
        report = await move("messages-dev", vendor.url(""))

    assert report.tallies["webhooks"] == Tally(read=len(lines), failed=len(lines))
    assert len(report.problems) == len(lines)
