"""hub routes, hub runs, hub replay and hub explain of runs, on a hub that is set up."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Ended

pytestmark = pytest.mark.slow

ECHO = """
version: 1
routes:
  - id: echo
    trigger: [message.received, { manual: true }]
    when: { text: { contains: Hello } }
    steps:
      - use: log
        with: { message: "{{ event.text }}" }
"""


@pytest.fixture
def apply(stopped_hub: Command, tmp_path: Path) -> Command:
    """Give a command that lets a text stand as the only file of routes."""
    folder = tmp_path / "routes"
    folder.mkdir()

    def call(text: str, *arguments: str) -> Ended:
        (folder / "a.yaml").write_text(text)
        return stopped_hub("routes", "apply", *arguments, HUB_ROUTES__FOLDER=str(folder))

    return call


def test_files_are_applied_and_told(stopped_hub: Command, apply: Command) -> None:
    first, again = apply(ECHO), apply(ECHO)
    changed = apply(ECHO.replace("Hello", "Bye"))
    listed = stopped_hub("routes", "list").out
    gone = apply(
        "version: 1\nroutes: [{ id: other, trigger: { manual: true }, steps: [{ set: { a: 1 } }] }]\n"
    )

    assert (first.code, first.out.splitlines()[0]) == (0, "added    echo")
    assert "1 route as written in" in again.out
    assert "added" not in again.out
    assert "changed  echo" in changed.out
    assert re.search(r"^echo +live +message.received; manual +0 completed, 0 failed, 0 under way", listed)
    assert gone.out.splitlines()[:2] == ["added    other", "retired  echo"]
    assert "retired" in stopped_hub("routes", "show", "echo").out


def test_a_mistake_changes_nothing(stopped_hub: Command, apply: Command) -> None:
    apply(ECHO)
    wrong = apply(ECHO.replace("use: log", "use: lgo"))
    told = apply(ECHO.replace("use: log", "use: lgo"), "--json")

    assert wrong.code == 1
    assert re.search(r"a\.yaml:8:\d+", wrong.err)
    assert "Nothing was changed" in wrong.err
    assert (told.code, len(json.loads(told.out)["problems"])) == (1, 1)
    assert "echo" in stopped_hub("routes", "list").out


def test_a_route_is_run_by_hand_shown_cancelled_and_replayed(stopped_hub: Command, apply: Command) -> None:
    apply(ECHO)
    begun = stopped_hub("routes", "run", "echo", "--with", '{"text": "Hi"}')
    (run_id,) = set(re.findall(r"run_\w+", begun.out))
    early = stopped_hub("replay", run_id, "--from", "start", "--revision", "same")
    cancelled = stopped_hub("runs", "cancel", run_id, "--reason", "no need")
    shown, explained = stopped_hub("runs", "show", run_id), stopped_hub("explain", run_id)
    late = stopped_hub("runs", "cancel", run_id)
    replayed = stopped_hub("replay", run_id, "--from", "start", "--revision", "latest", "--json")
    listed = stopped_hub("runs", "list", "--route", "echo").out

    assert "not running" in begun.err
    assert "The run is active" in early.err
    assert cancelled.out == f"{run_id} is cancelled.\n"
    assert "no need" in shown.out
    assert explained.out == shown.out
    assert "cancelled" in late.err
    assert [each["origin_run_id"] for each in json.loads(replayed.out)["data"]] == [run_id]
    assert re.findall(r"run_\w+  (\w+) +echo", listed) == ["active", "cancelled"]
    assert stopped_hub("runs", "list", "--state", "failed").out == ""


def test_failed_runs_of_a_route_are_replayed_together(
    stopped_hub: Command, apply: Command, tmp_path: Path
) -> None:
    apply(ECHO)
    begun = [stopped_hub("routes", "run", "echo", "--with", '{"text": "Hi"}').out for _ in range(2)]
    run_ids = [re.findall(r"run_\w+", each)[0] for each in begun]
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "hub.db")) as database, database:
        database.execute("UPDATE runs SET state = 3, finished_at = created_at")
    ask = ("replay", "--route", "echo", "--revision", "same")
    left = stopped_hub(*ask, "--from", "failed")
    first, second = stopped_hub(*ask, "--from", "start", "--limit", "1"), stopped_hub(*ask, "--from", "start")
    none = stopped_hub(*ask, "--from", "start")

    assert left.err.count("left alone: No step failed") == 2
    assert [re.findall(r"takes up (run_\w+)", each.out) for each in (first, second, none)] == [
        [run_ids[0]],
        [run_ids[1]],
        [],
    ]
    assert "There are more" in first.err
    assert "No failed run waits" in none.err


def test_an_event_tells_why_a_route_did_not_run(stopped_hub: Command, apply: Command) -> None:
    apply(ECHO)
    event_id = re.findall(r"evt_\w+", stopped_hub("sandbox", "say", "Bye").out)[0]
    explained = stopped_hub("explain", event_id).out
    begun = stopped_hub("routes", "run", "echo", "--event", event_id)
    run_id = re.findall(r"run_\w+", begun.out)[0]
    shown = json.loads(stopped_hub("runs", "show", run_id, "--json").out)

    assert 'route echo: when: text is "Bye", which fails contains "Hello"' in explained
    assert (shown["event_id"], shown["event"]["text"]) == (event_id, "Bye")
    assert event_id in stopped_hub("runs", "show", run_id).out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["routes", "show", "none"], "Route not found"),
        (["routes", "run", "none"], "Route not found"),
        (["routes", "run", "echo", "--with", "[]"], "must be a JSON object"),
        (["routes", "run", "echo", "--with", "{"], "this is no JSON"),
        (["routes", "run", "echo", "--with", "{}", "--event", "evt_0f24d411d0001"], "give one of them"),
        (["runs", "show", "evt_1"], "is no such id"),
        (["runs", "show", "run_0000000000001"], "Run not found"),
        (["replay", "run_0000000000001"], "--from"),
        (["replay", "--route", "none", "--from", "failed", "--revision", "same"], "Route not found"),
        (["replay", "--from", "failed", "--revision", "same"], "Give a RUN_ID or --route"),
        (
            ["replay", "run_0000000000001", "--route", "a", "--from", "start", "--revision", "same"],
            "one of them",
        ),
        (["replay", "run_0000000000001", "--from", "failed"], "--revision"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_mistakes_are_told_in_a_sentence(stopped_hub: Command, arguments: list[str], told: str) -> None:
    ended = stopped_hub(*arguments)

    assert ended.code != 0
    assert told in ended.err


def test_doctor_tells_how_routes_are(stopped_hub: Command, apply: Command, tmp_path: Path) -> None:
    folder = {"HUB_ROUTES__FOLDER": str(tmp_path / "routes")}
    none = stopped_hub("doctor").out
    apply(ECHO)
    well = stopped_hub("doctor", **folder).out
    (tmp_path / "routes" / "a.yaml").write_text(ECHO.replace("use: log", "use: lgo"))
    wrong = stopped_hub("doctor", **folder).out

    assert re.search(r"^ok   routes +there is none", none, re.MULTILINE)
    assert re.search(r"^ok   routes +1 stand; no run failed", well, re.MULTILINE)
    assert re.search(r"^FAIL routes +1 problem in .*`hub check`", wrong, re.MULTILINE)
