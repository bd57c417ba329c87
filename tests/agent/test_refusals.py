"""What the hub refuses is told with what the owner of the machine can do."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hub.agent.folder import AgentConfig, AgentUnready, find_config, write_config
from hub.agent.link import HubRefused, require_good

SECRET = "whsec_" + "A" * 40


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("invalid_signature", "`hub bridges rotate-secret`"),
        ("route_not_found", "Is the hub's address right?"),
        ("timestamp_out_of_tolerance", "It is this machine's clock, or the hub's."),
    ],
)
def test_a_refusal_says_what_to_do(code: str, advice: str) -> None:
    body = msgspec.json.encode({"error": {"code": code, "message": "No."}})
    with pytest.raises(HubRefused) as raised:
        require_good(401, body)

    assert str(raised.value).startswith(f"The hub refused it ({code}): No. ")
    assert advice in str(raised.value)


def test_a_secret_that_was_copied_in_part_is_told(tmp_path: Path) -> None:
    write_config(tmp_path, AgentConfig(hub="https://h", bridge="brg_1", secret=SECRET[:-3], kind="chatdb"))
    with pytest.raises(AgentUnready) as raised:
        find_config(tmp_path)

    assert "agent.json cannot be used: the signing secret is cut off in the middle" in str(raised.value)
