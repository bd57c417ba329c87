"""hub check: all problems of all files at once, with their places; what is probably not meant; no hub is needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.cli.warned_routes import HEAD, WARNED


def test_all_problems_of_all_files_are_told_in_their_order(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        HEAD
        + """\
  - id: one
    triger: message.received
    steps:
      - use: log
        with: { message: a }
"""
    )
    (tmp_path / "b.yaml").write_text(
        HEAD
        + """\
  - id: two
    trigger: message.received
    steps:
      - use: mesage.reply
        with: { text: a }
      - use: log
        with: { level: warn, mesage: a }
      - use: slack.post_message
        with: { channel: "#ops", text: a }
      - call: { route: tree }
  - id: three
    trigger: { manual: true }
    steps:
      - use: contact.tag
        with: { add: vip }
"""
    )

    ended = hub("check", str(tmp_path))

    heads = [
        row.removeprefix(f"{tmp_path}/") for row in ended.out.split("\n") if row.startswith(str(tmp_path))
    ]
    assert heads == [
        "a.yaml:3:5: error: routes[0]: a route needs `trigger`",
        "a.yaml:4:13: error: routes[0].triger: a route has no 'triger'",
        "b.yaml:6:14: error: routes[0].steps[0].use: there is no action mesage.reply",
        "b.yaml:8:9: error: routes[0].steps[1]: log needs message",
        "b.yaml:9:24: error: routes[0].steps[1].with.level: this is 'warn'",
        "b.yaml:9:38: error: routes[0].steps[1].with.mesage: log has no input mesage",
        "b.yaml:10:14: error: routes[0].steps[2].use: there is no connection of slack",
        "b.yaml:12:24: error: routes[0].steps[3].call.route: there is no route tree",
        "b.yaml:17:22: error: routes[1].steps[0].with.add: this is 'vip'",
    ]
    assert "Did you mean three" in ended.out
    assert ended.code == 1


def test_a_route_that_two_files_have_is_told(hub: Command, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(HEAD + WARNED["unused-id"][0])

    ended = hub("check", str(tmp_path))

    assert f"{tmp_path}/b.yaml:3:9: error: a: two routes are called a" in ended.out


def test_json_and_github_say_the_same(hub: Command, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(HEAD + WARNED["unused-id"][0].replace("message: Hello", "mesage: 100%"))

    found = json.loads(hub("check", "--format", "json", str(file)).out)
    rows = hub("check", "--format", "github", str(file)).out.splitlines()

    assert (found["errors"], found["warnings"]) == (2, 1)
    assert [(each["severity"], each["rule"], each["line"]) for each in found["problems"]] == [
        ("error", None, 6),
        ("warning", "unused-id", 7),
        ("error", None, 8),
    ]
    assert rows[1] == (
        f"::warning file={file},line=7,col=13,title=unused-id::"
        "nothing asks for steps.note: an id is there to be asked for. Use it, test it, or take the id away"
    )


def test_connections_can_be_left_out_of_it(hub: Command, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        HEAD
        + """\
  - id: a
    trigger: message.failed
    steps:
      - use: slack.post_message
        with: { channel: "#ops", text: "{{ event.error.code }}" }
"""
    )

    assert hub("check", str(file)).code == 1
    assert hub("check", "--no-connections", str(file)).code == 0


def test_a_connection_counts_without_its_secret(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "connections.yaml").write_text(
        "version: 1\nconnections:\n  slack: { connector: slack, auth: { bot: { token: { env: NOT_SET_HERE } } } }\n"
    )
    file = tmp_path / "a.yaml"
    file.write_text(
        HEAD
        + """\
  - id: a
    trigger: message.failed
    steps:
      - use: slack.post_message
        with: { channel: "#ops", text: Hello }
"""
    )

    ended = hub("check", str(file), HUB_CONNECTIONS_FILE=str(tmp_path / "connections.yaml"))

    assert (ended.code, ended.out) == (0, "1 route in 1 file: 0 errors, 0 warnings.\n")


MISTAKES = [
    each.strip("\n") for each in (Path(__file__).parent / "mistakes.txt").read_text("utf-8").split("\n\n")
]
CONNECTIONS = """\
version: 1
connections:
  crm-eu: { connector: hubspot, auth: { private_app: { token: { env: EU } } } }
  crm-us: { connector: hubspot, auth: { private_app: { token: { env: US } } } }
  slack: { connector: slack, auth: { bot: { token: { env: BOT } } } }
"""


@pytest.mark.parametrize("block", MISTAKES, ids=range(len(MISTAKES)))
def test_a_mistake_is_told_in_these_words(block: str, hub: Command, tmp_path: Path) -> None:
    """What a file alone does not show; what it does, stands in tests/rules/routes/mistakes.txt."""
    (tmp_path / "connections.yaml").write_text(CONNECTIONS)
    lines = block.split("\n")
    steps = "\n".join(each for each in lines if not each.startswith("=> "))
    file = tmp_path / "a.yaml"
    file.write_text(HEAD + "  - id: a\n    trigger: message.received\n    steps:\n" + steps + "\n")

    ended = hub(
        "check", "--format", "json", str(file), HUB_CONNECTIONS_FILE=str(tmp_path / "connections.yaml")
    )

    assert [
        f"=> {each['line']}:{each['column']} {each['severity']} {each['what']}: {each['why']}. {each['fix']}"
        for each in json.loads(ended.out)["problems"]
    ] == [each for each in lines if each.startswith("=> ")]


def test_what_is_wrong_elsewhere_hides_no_action(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        HEAD
        + """\
  - id: a
    trigger: mesage.received
    steps:
      - use: lgo.write
        with: { message: "{{ evnt.text }}" }
"""
    )

    problems = json.loads(hub("check", "--format", "json", str(tmp_path)).out)["problems"]

    assert [(each["line"], each["what"]) for each in problems] == [
        (4, "'mesage.received' cannot be a trigger"),
        (6, "there is no action lgo.write"),
        (7, "evnt is not known"),
    ]


def test_an_empty_folder_is_no_mistake(hub: Command, tmp_path: Path) -> None:
    ended = hub("check", HUB_ROUTES__FOLDER=str(tmp_path / "none"))

    assert (ended.code, ended.out) == (0, f"There are no files of routes in {tmp_path / 'none'}.\n")
