"""hub bridges refused: what a bridge brought and could not be taken in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hub.app.console import Console
from hub.cli.console import run
from hub.cli.refused import refused_rows
from hub.config.settings import load_settings
from hub.model.ids import Prefix, id_text
from hub.model.refused import Form, Origin, RefusalCode, Refused, RefusedPayload
from tests.cli.conftest import Command

LINE, AT = "+15550100010", 1_780_000_000_000
SAID = Refused(
    code=RefusalCode.UNREADABLE,
    reason="it is no JSON object",
    origin=Origin.HOOK,
    raw=b'["some long text that nobody should read at a glance"]',
    event="message",
    size=54,
)
PAYLOAD = RefusedPayload(
    id=1, bridge_id=2, digest=bytes(16), refused=SAID, count=3, first_at=0, last_at=1_780_000_000_000
)


def test_a_bridge_without_any_says_so(stopped_hub: Command) -> None:
    stopped_hub("bridges", "add", "mac", "--line", "+15550100010")
    ended = stopped_hub("bridges", "refused", "mac")

    assert (ended.code, ended.out[:37]) == (0, "All that mac brought was taken in, or")


def test_mistakes_are_told(stopped_hub: Command) -> None:
    stopped_hub("bridges", "add", "mac", "--line", "+15550100010")
    missing = id_text(Prefix.REFUSED, 7)

    assert "nobody" in stopped_hub("bridges", "refused", "nobody").err
    assert "is no id of a payload" in stopped_hub("bridges", "refused", "mac", "--show", "x").err
    assert f"No payload '{missing}'" in stopped_hub("bridges", "refused", "mac", "--show", missing).err


def test_an_outline_hides_what_was_said_and_all_of_it_does_not() -> None:
    head, reason, outline = refused_rows(PAYLOAD, is_whole=False)
    *_, whole = refused_rows(PAYLOAD, is_whole=True)

    assert head.endswith("unreadable  hook message  54 bytes  3 times")
    assert (reason, outline) == ("  it is no JSON object", '  ["some long te…"]')
    assert whole.strip() == SAID.raw.decode()


def test_what_became_of_each_is_told_when_all_is_taken_in_again(stopped_hub: Command, tmp_path: Path) -> None:
    """One is new, one says the same, one is no observation, and one nobody reads."""
    stopped_hub("bridges", "add", "mac", "--line", LINE)
    first, same, broken, other = keep(
        tmp_path, told("guid-1"), told("guid-1"), (b"{", Form.OBSERVATION), (b"{}", Form.OTHER)
    )
    ended = stopped_hub("bridges", "refused", "mac", "--retry-all")
    left = stopped_hub("bridges", "refused", "mac")
    rows = [line.partition("  ")[::2] for line in ended.out.splitlines()]

    assert [name for name, _ in rows[:3]] == [first, same, broken]
    assert [what[:22] for _, what in rows[:3]] == [
        "Taken in; it is kept h",
        "It was known already, ",
        "Still refused, and kep",
    ]
    assert ended.out.splitlines()[3:] == [
        "1 taken in, 1 known already, 1 still refused, 1 only to look at: nothing reads such a payload again."
    ]
    assert ended.code == 1
    assert [line.partition("  ")[0] for line in left.out.splitlines() if line.startswith("rfd_")] == [
        other,
        broken,
    ]


def test_one_is_taken_in_again(stopped_hub: Command, tmp_path: Path) -> None:
    stopped_hub("bridges", "add", "mac", "--line", LINE)
    sound, other = keep(tmp_path, told("guid-1"), (b"{}", Form.OTHER))
    taken = stopped_hub("bridges", "refused", "mac", "--retry", sound)
    gone = stopped_hub("bridges", "refused", "mac", "--retry", sound)
    unread = stopped_hub("bridges", "refused", "mac", "--retry", other)
    both = stopped_hub("bridges", "refused", "mac", "--retry", other, "--show", other)

    assert (taken.code, taken.out) == (0, f"{sound}  Taken in; it is kept here no more.\n")
    assert "is not kept" in gone.err
    assert "Nothing reads such a payload again" in unread.err
    assert "Give only one of" in both.err


def test_with_nothing_to_take_in_that_is_said(stopped_hub: Command) -> None:
    stopped_hub("bridges", "add", "mac", "--line", LINE)
    ended = stopped_hub("bridges", "refused", "mac", "--retry-all")

    assert (ended.code, ended.out) == (0, "There is nothing to take in again.\n")


def told(guid: str) -> tuple[bytes, Form]:
    message = {"provider_id": guid, "parts": [{"type": "text", "text": "Hello"}], "sent_at": AT}
    where = {"chat": {"key": "dm:+15550100001"}, "actor": "+15550100001", "message": message}
    seen = {"v": 1, "line": LINE, "kind": "message.received", "at": AT, **where}
    return json.dumps(seen).encode(), Form.OBSERVATION


def keep(tmp_path: Path, *payloads: tuple[bytes, Form]) -> list[str]:
    """Keep payloads of the bridge, as a worker does, the oldest first; give their ids."""

    async def use(console: Console) -> list[str]:
        (bridge,) = [each for each in console.directory.current.bridges_by_id.values() if each.name == "mac"]
        ids = [console.new_id() for _ in payloads]
        rows = [
            RefusedPayload(
                id=payload_id,
                bridge_id=bridge.id,
                digest=bytes([number] * 16),
                refused=replace(SAID, raw=raw, form=form, size=0),
                count=1,
                first_at=AT,
                last_at=AT,
            )
            for number, (payload_id, (raw, form)) in enumerate(zip(ids, payloads, strict=True))
        ]
        await console.store.refused.keep(rows, most=200)
        return [id_text(Prefix.REFUSED, each) for each in ids]

    return run(load_settings(None, {"HUB_DATA_FOLDER": str(tmp_path / "data")}), use)
