"""What the server is, what a line can do by it, what the doctor finds; and the password is never shown."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace

import msgspec
import pytest
import structlog

from bridge.bluebubbles.examining import examine
from bridge.bluebubbles.kind import KIND
from bridge.bluebubbles.server_info import ServerInfo, capabilities_of, health_of, method_for
from bridge.bluebubbles.settings import BlueBubblesSettings
from hub.flow.bridge_kinds import Finding
from hub.flow.calling import Call
from hub.model.capability import CAPABILITIES
from hub.model.outbox import OperationKind
from tests.bridge.bluebubbles.harness import CONTACT, PATIENCE, BlueBubblesHarness
from tests.bridge.bluebubbles.telling import PASSWORD

FULL = ServerInfo(os_version="14.5", server_version="1.9.9", is_private_api=True, is_helper_connected=True)


@pytest.mark.parametrize(
    ("info", "has", "lacks"),
    [
        (
            FULL,
            {"react_std", "edit", "unsend", "typing_out", "reply"},
            {"react_emoji", "idempotent_send", "polls"},
        ),
        (replace(FULL, os_version="12.7.1"), {"react_std", "reply"}, {"edit", "unsend"}),
        (
            replace(FULL, is_helper_connected=False),
            {"text", "attachments"},
            {"react_std", "audio", "typing_in"},
        ),
        (ServerInfo(), {"text"}, {"reply"}),
    ],
)
def test_capabilities_follow_the_server(info: ServerInfo, has: set[str], lacks: set[str]) -> None:
    able = capabilities_of(info, "auto")

    assert has <= able <= set(CAPABILITIES)
    assert not lacks & able


def test_who_asks_for_applescript_gets_no_effects_by_another_way() -> None:
    assert not {"effects", "reply", "subject"} & capabilities_of(FULL, "apple-script")
    assert "react_std" in capabilities_of(FULL, "apple-script")


@pytest.mark.parametrize(
    ("changes", "method", "state"),
    [
        ({}, "auto", "online"),
        ({"is_helper_connected": False}, "auto", "degraded"),
        ({"is_private_api": False}, "auto", "online"),
        ({"is_private_api": False}, "private-api", "degraded"),
        ({"skew_seconds": -90.0}, "auto", "degraded"),
        ({"os_version": "26.1", "is_private_api": False}, "auto", "degraded"),
        ({"os_version": "26.1"}, "auto", "online"),
    ],
)
def test_health(changes: dict[str, object], method: str, state: str) -> None:
    assert health_of(replace(FULL, **changes), method)[0] == state  # type: ignore[arg-type]  # a table


def test_versions_are_numbers() -> None:
    assert [
        replace(FULL, server_version=each).can_stop_typing for each in ("1.9.9", "1.9.10", "2.0.0", "", "x")
    ] == [
        False,
        True,
        True,
        False,
        False,
    ]
    assert method_for(replace(FULL, is_helper_connected=False), "auto") == "apple-script"


async def test_a_server_that_is_away_is_offline_and_could_do_what_it_could(bb: BlueBubblesHarness) -> None:
    able = await bb.adapter.capabilities()
    bb.server.faults.broken[""] = 502
    bb.clock.advance(60_000)

    assert (await bb.adapter.health())[0] == "offline"
    assert await bb.adapter.capabilities() == able


async def find(bb: BlueBubblesHarness, **given: object) -> dict[str, Finding]:
    return {
        each.name: each for each in await examine(bb.settings(**given), bb.surroundings(), patience=PATIENCE)
    }


async def test_the_doctor_finds_all_well(bb: BlueBubblesHarness) -> None:
    bb.mac.write(bb.chat, "hi", author=CONTACT)
    found = await find(bb)

    assert {name: each.state for name, each in found.items()} == {
        "server": "ok",
        "versions": "ok",
        "private api": "ok",
        "line": "ok",
        "clock": "ok",
        "history": "ok",
        "socket": "ok",
        "sending": "skipped",
    }
    assert bb.mac.deeds == []


async def test_the_doctor_names_what_is_wrong(bb: BlueBubblesHarness) -> None:
    bb.server.faults.is_helper_connected = False
    bb.server.faults.socket_refuses = True
    bb.server.faults.os_version = "26.0"
    bb.mac.line = "+15550107777"
    found = await find(bb)

    assert found["private api"].state == "failed"
    assert found["socket"].state == "failed"
    assert found["versions"].state == "warning"
    assert found["history"].state == "warning"
    assert found["line"].state == "warning"
    assert "+15550107777" not in found["line"].detail


async def test_the_doctor_takes_silence_for_a_welcome_and_a_goodbye_for_a_wrong_password(
    bb: BlueBubblesHarness,
) -> None:
    silent = await find(bb)
    bb.server.faults.socket_refuses = True

    assert [each["socket"].state for each in (silent, await find(bb))] == ["ok", "failed"]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (
            (301, {"Location": "https://mac.example/api/v1/server/info?guid=x"}, ""),
            "leads on to https://mac.example (301)",
        ),
        ((302, {"Location": "/login?guid=x"}, ""), "a page of its own (302)"),
        ((400, {}, "<h1>400</h1>The plain HTTP request was sent to HTTPS port"), "begin `url` with https://"),
        ((401, {"WWW-Authenticate": "Basic"}, "no"), "wants a sign-in (401)"),
        ((404, {}, "Not Found"), "check host and port"),
        ((502, {}, "<html>Bad gateway</html>"), "is BlueBubbles running there?"),
        ((530, {}, "error code: 1033"), "is BlueBubbles running there?"),
        ((200, {}, "<html>You are about to visit</html>"), "no BlueBubbles server"),
        ((200, {}, '{"status": "ok", "service": "other"}'), "no BlueBubbles server"),
        ((511, {}, "<html>Sign in to the network</html>"), "wants a sign-in (511)"),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else "",
)
async def test_the_doctor_says_who_answers_in_the_servers_place(
    bb: BlueBubblesHarness, page: tuple[int, dict[str, str], str], words: str
) -> None:
    bb.server.faults.pages[""] = page
    found = await find(bb)

    assert found["server"].state == "failed"
    assert words in found["server"].detail
    assert "guid" not in found["server"].detail


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://127.0.0.1:{port}", "begin `url` with http://"),
        ("http://127.0.0.1:1", "is the port right"),
        ("http://192.168.7.7:1234", "outbound.allow"),
    ],
)
async def test_the_doctor_says_what_to_do_where_nobody_is_reached(
    bb: BlueBubblesHarness, address: str, words: str
) -> None:
    found = await find(bb, url=address.format(port=bb.server.url.rpartition(":")[2]))

    assert words in found["server"].detail


@pytest.mark.parametrize("url", ["mac.example:1234", "wss://mac.example", "1234567890"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="begins with https://"):
        msgspec.convert({"url": url, "password": "x"}, BlueBubblesSettings)


def test_only_the_webhook_feed_has_a_hook() -> None:
    assert [KIND.has_hook(each) for each in ({}, {"feed": "socket"}, {"feed": "webhook"})] == [
        False,
        False,
        True,
    ]


async def test_the_doctor_knows_old_servers(bb: BlueBubblesHarness) -> None:
    bb.server.faults.server_version = "1.5.0"
    found = await find(bb)

    assert (found["versions"].state, "update BlueBubbles" in found["versions"].detail) == ("warning", True)


@pytest.mark.parametrize("more", ["/", "/api/v1", "/api/v1/", " "])
async def test_what_people_copy_along_with_the_address_does_no_harm(
    bb: BlueBubblesHarness, more: str
) -> None:
    found = await find(bb, url=bb.server.url + more)

    assert found["server"].state == "ok"


async def test_the_doctor_looks_for_the_webhook(bb: BlueBubblesHarness) -> None:
    without = await find(bb, feed="webhook")
    bb.hook_url = "https://hub.example/v1/bridge/hooks/brg_1/t"
    before = await find(bb, feed="webhook")
    bb.server.webhooks.append({"id": 1, "url": bb.hook_url, "events": ["*"]})
    after = await find(bb, feed="webhook")

    assert [each["webhook"].state for each in (without, before, after)] == ["failed", "warning", "ok"]


@pytest.mark.parametrize(
    ("password", "broken"), [("wrong", {}), (PASSWORD, {"": 502})], ids=["password", "tunnel"]
)
async def test_the_doctor_stops_where_nobody_answers(
    bb: BlueBubblesHarness, password: str, broken: dict[str, int]
) -> None:
    bb.server.faults.broken = broken

    assert [each.state for each in (await find(bb, password=password)).values()] == ["failed"]


async def test_the_password_is_never_shown(
    bb: BlueBubblesHarness, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """In no log, error, repr, observation or finding; as it is, quoted or encoded."""
    caplog.set_level(logging.DEBUG)
    shown: list[object] = [bb.settings(), bb.adapter, bb.adapter.looking, KIND]
    bb.server.faults.by_words = {
        "a": "lost",
        "b": "timeout",
        "c": "refused",
        "d": "error22",
        PASSWORD: "refused",
    }
    bb.mac.write(bb.chat, "hi", author=CONTACT)
    with structlog.testing.capture_logs() as logs:
        async with bb.listening('{"at":1}') as told:
            await told.quiet()
            for words in ("a", "b", "c", "d"):
                operation = bb.operation(OperationKind.SEND, text=words)
                shown += [await bb.adapter.perform(operation), await bb.adapter.lookup(operation)]
            await bb.server.raw("garbage")
            await bb.server.hang_up()
            bb.server.faults.broken = {"": 502}
            bb.clock.advance(60_000)
            shown += [await bb.send("e"), await bb.adapter.health(), *(await find(bb)).values()]
            bb.server.faults.broken = {}
            shown += [*(await find(bb)).values(), *(await find(bb, feed="webhook")).values(), *told.seen]
    # The server that it is tried against runs here, too, and logs as servers do.
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    shown += [*logs, *ours, capsys.readouterr(), bb.adapter._server.socket_call()]
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"url": bb.server.url, "password": PASSWORD, "method": "x"}, BlueBubblesSettings)
    shown.append(caught.value)

    text = "\n".join(map(repr, shown))
    for needle in ("hunter2", "w\u00f6rd", "w%C3%B6rd", "pa ss", "pa%20ss"):
        assert needle not in text


def test_a_call_shows_no_address() -> None:
    call = Call(
        method="GET",
        url="https://x/?guid=secret",
        headers=((b"Authorization", b"secret"),),
        body=b"secret",
        timeout_seconds=1.0,
        max_response_bytes=1,
        is_repeatable=True,
    )

    assert "secret" not in repr(call)
    assert asdict(call)["url"].endswith("secret")
