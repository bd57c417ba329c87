"""The commands in docs/line-safety.md do what the page says, and the page names what there is."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path

import pytest

import hub
from hub.config.settings import load_settings
from hub.flow.safety import HELD_REASONS
from hub.model.line_safety import LineSafety
from hub.rules.line_health import LineState
from tests.support.hub_world import HubWorld, line_id

PAGE = (Path(hub.__file__).parent.parent / "docs" / "line-safety.md").read_text("utf-8")


def commands() -> list[list[str]]:
    """The page's commands as words."""
    return [
        shlex.split(found.replace("\\\n", " "))
        for found in re.findall(r"^    (curl (?:.*\\\n)*.*)$", PAGE, re.M)
    ]


@pytest.mark.parametrize("words", commands(), ids=[" ".join(words)[5:60] for words in commands()])
async def test_each_command_works(world: HubWorld, words: list[str]) -> None:
    """As it stands there."""
    pairs = dict(itertools.pairwise(words))
    url = next(word for word in words if word.startswith("$HUB/")).removeprefix("$HUB")
    body = json.loads(pairs["-d"]) if "-d" in pairs else None
    method = pairs.get("-X", "GET" if body is None else "POST")

    answered = await world.api.request(method, url.replace("$LINE", line_id(world.sandbox_line)), body=body)

    assert answered.status < 300, answered.body


def test_the_page_names_every_setting_and_state() -> None:
    """And nothing that is not there."""
    named = set(re.findall(r"`(\w+)`", PAGE)) | set(re.findall(r'"(\w+)":', PAGE))

    assert (
        set(LineSafety.__struct_fields__) - named - {"start_words", "consent_scope", "group_sends"} == set()
    )
    assert {state.value for state in LineState} <= named
    assert "quiet_hours" in HELD_REASONS
    assert named >= HELD_REASONS


def test_the_defaults_on_the_page_are_those_of_the_hub() -> None:
    """The table of budgets, and the thresholds."""
    safety = load_settings(None, {}).safety

    assert f"| `new_conversations_per_hour` | {safety.new_conversations_per_hour} |" in PAGE
    assert f"| `new_conversations_per_day` | {safety.new_conversations_per_day} |" in PAGE
    assert f"| `warm_up_per_day` | {', '.join(map(str, safety.warm_up_per_day))} |" in PAGE
    assert f"| `messages_per_day` | {safety.messages_per_day} |" in PAGE
    assert f"`unanswered_warning` ({safety.unanswered_warning} in a row" in PAGE
    assert f"`ratio_warning` ({safety.ratio_warning:g} sent" in PAGE
    assert (safety.failed_warning, safety.undelivered_warning) == (0.2, 0.3)
    assert {"STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"} <= set(safety.stop_words)
