"""hub connectors and hub connections: what there is, and whether it works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command

CONNECTIONS = """
connections:
  main: { connector: http, auth: { bearer: { base_url: "http://127.0.0.1:9/", token: { env: ACME } } } }
  chat: { connector: slack, auth: { bot: { token: { env: ACME } } } }
endpoints:
  warehouse: { url: "https://dw.example.com", secret: { env: SIGNING } }
"""
ENVIRON = {"ACME": "test-token-1", "SIGNING": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "connections.yaml"
    path.write_text(CONNECTIONS, "utf-8")
    return {**ENVIRON, "HUB_CONNECTIONS_FILE": str(path), "HUB_OUTBOUND__PROXY": "http://127.0.0.1:9"}


def test_connectors_are_listed_and_shown(hub: Command) -> None:
    listed, shown = hub("connectors", "list"), hub("connectors", "show", "slack")

    assert listed.code == shown.code == 0
    assert "slack          Slack" in listed.out
    assert (
        "slack.post_message  Post a message to a channel  (not repeated once it may have happened)"
        in shown.out
    )
    assert "one of them is needed: text or markdown or blocks" in shown.out


def test_what_a_connection_must_give_beside_its_secrets_is_shown(hub: Command) -> None:
    shown = hub("connectors", "show", "mailgun")

    assert (
        "vars\n  host                 optional, api.mailgun.net\n  domain               required\n"
        in shown.out
    )


def test_connectors_are_told_to_programs(hub: Command) -> None:
    listed = json.loads(hub("connectors", "list", "--json").out)["connectors"]
    shown = json.loads(hub("connectors", "show", "hubspot", "--json").out)

    assert shown in listed
    assert shown["actions"]["find_contact"]["repetition"] == "safe"
    assert shown["vars"] == {"api": "2026-03"}
    assert shown["auth"]["private_app"]["fields"]["token"]["secret"] is True


def test_a_slip_in_a_name_is_told_with_what_was_meant(hub: Command) -> None:
    ended = hub("connectors", "show", "slak")

    assert ended.code == 2
    assert "did you mean slack?" in ended.err


def test_connections_are_listed_without_their_secrets(hub: Command, variables: dict[str, str]) -> None:
    hub("migrate", **variables)
    listed = hub("connections", "list", **variables)
    rows = json.loads(hub("connections", "list", "--json", **variables).out)["connections"]

    assert [line.split() for line in listed.out.splitlines()] == [
        ["chat", "slack", "bot", "ok"],
        ["main", "http", "bearer", "ok"],
        ["warehouse", "webhook", "signed", "ok"],
    ]
    assert rows[0] == {
        "name": "chat",
        "connector": "slack",
        "auth": "bot",
        "state": "ok",
        "reason": None,
        "paused_at": None,
        "tested_at": None,
        "works": None,
        "test_result": None,
    }
    assert "test-token" not in listed.out


def test_connections_are_listed_without_a_hub_and_without_their_secrets_being_there(
    hub: Command, variables: dict[str, str]
) -> None:
    """Only files are read: what the hub knows of them, and what is missing, is said."""
    del variables["SIGNING"]
    listed = hub("connections", "list", **variables)

    assert listed.code == 0
    assert listed.out.splitlines() == [
        "chat                 slack          bot              unknown",
        "main                 http           bearer           unknown",
        "warehouse            webhook        signed           no_secret",
        "  environment variable SIGNING has no secret: it is not set. Set SIGNING where the hub is started.",
    ]
    assert "Whether they are paused is not known: There is no hub in" in listed.err
    assert "test-token" not in listed.out + listed.err


def test_what_a_test_showed_is_listed_and_told_by_the_doctor(hub: Command, variables: dict[str, str]) -> None:
    hub("migrate", **variables)
    hub("connections", "test", "chat", **variables)
    listed, doctor = hub("connections", "list", **variables), hub("doctor", **variables)
    (chat,) = [line for line in listed.out.splitlines() if line.startswith("chat")]

    assert chat.split()[-1] == "failing"
    assert "fails, Slack cannot be reached, and nothing was sent" in listed.out
    (told,) = [line for line in doctor.out.splitlines() if " connections " in line]
    assert told.startswith("FAIL")
    assert "chat failed its last test: Slack cannot be reached" in told


def test_connections_are_tested_and_one_that_fails_ends_with_1(
    hub: Command, variables: dict[str, str]
) -> None:
    hub("migrate", **variables)
    everything, one = hub("connections", "test", **variables), hub("connections", "test", "main", **variables)

    assert everything.code == 1
    assert (
        "chat                 slack          fails     Slack cannot be reached, and nothing was sent"
        in everything.out
    )
    assert "main                 http           untested  HTTP has nothing to ask" in everything.out
    assert (one.code, len(one.out.splitlines())) == (0, 1)
    assert "test-token" not in everything.out + everything.err


def test_of_one_connection_only_its_own_secrets_are_needed(hub: Command, variables: dict[str, str]) -> None:
    hub("migrate", **variables)
    del variables["SIGNING"]
    one, everything = hub("connections", "test", "main", **variables), hub("connections", "test", **variables)

    assert (one.code, one.out.split()[0]) == (0, "main")
    assert everything.code != 0
    assert "SIGNING" in everything.err


def test_a_connection_that_is_not_there_is_told(hub: Command, variables: dict[str, str]) -> None:
    ended = hub("connections", "test", "man", **variables)

    assert ended.code == 2
    assert "No connection 'man'. `hub connections list` shows them." in ended.err


def test_a_broken_file_is_told_whole_and_shows_no_line_of_it(hub: Command, tmp_path: Path) -> None:
    path = tmp_path / "connections.yaml"
    path.write_text(
        "connections:\n  a: { connector: slack, auth: { bot: { token: test-token-1 } } }\n", "utf-8"
    )
    ended = hub("connections", "list", HUB_CONNECTIONS_FILE=str(path))

    assert ended.code == 78
    assert "2:48: connections.a.auth.bot.token: `token` is named by env or file" in ended.err
    assert "test-token-1" not in ended.err
