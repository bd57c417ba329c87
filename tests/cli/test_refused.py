"""hub bridges refused: what a bridge brought and could not be taken in."""

from __future__ import annotations

from hub.cli.refused import refused_rows
from hub.model.ids import Prefix, id_text
from hub.model.refused import Origin, RefusalCode, Refused, RefusedPayload
from tests.cli.conftest import Command

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
