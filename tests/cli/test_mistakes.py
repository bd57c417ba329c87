"""Every beginner's mistake ends in a helpful sentence and a documented exit code, never in a traceback."""

from __future__ import annotations

import os
import socket
import sqlite3
from pathlib import Path

import pytest

from hub.cli.failures import EXIT_CODES
from hub.embedded.datafolder import DataFolder, hold_lock
from tests.cli.conftest import Command

NOWHERE = "postgresql://user:hidden-password@127.0.0.1:1/hub"

WITHOUT_A_HUB = {
    "keys": (("keys", "list"), "`hub up` starts one"),
    "sandbox": (("sandbox", "say", "hi"), "`hub up` starts one"),
    "events": (("events",), "`hub up` starts one"),
    "webhooks": (("webhooks", "list"), "`hub up` starts one"),
    "bridges": (("bridges", "list"), "`hub up` starts one"),
    "explain": (("explain", "evt_0000000000001"), "`hub up` starts one"),
    "backup": (("backup", "elsewhere"), "`hub up` starts one"),
    "register": (("listen", "--register", "--port", "0"), "`hub up` starts one"),
}


@pytest.mark.parametrize("case", WITHOUT_A_HUB.values(), ids=WITHOUT_A_HUB.keys())
def test_a_command_without_a_hub_says_how_to_get_one_and_makes_nothing(
    case: tuple[tuple[str, ...], str], hub: Command, tmp_path: Path
) -> None:
    arguments, words = case

    ended = hub(*arguments)

    assert ended.code == 1
    assert words in ended.err
    assert list(tmp_path.iterdir()) == []


WRONG_USE = {
    "unknown command": (("lisen",), "did you mean `hub listen`?"),
    "unknown option": (("events", "--limt", "3"), "--limit"),
    "limit is no number": (("events", "--limit", "many"), "not a valid integer"),
    "limit of nothing": (("events", "--limit", "0"), "range"),
    "bad key id": (("keys", "revoke", "key_1"), "`hub keys list`"),
    "id of another kind": (("keys", "revoke", "wh_0000000000001"), "one looks like key_"),
    "bad webhook id": (("webhooks", "test", "first"), "`hub webhooks list`"),
    "unknown line of a key": (("keys", "create", "--name", "x", "--line", "+1555"), "There are: +15550100000"),
    "unknown line of a webhook": (("webhooks", "add", "http://127.0.0.1:9/", "--line", "x"), "+15550100000"),
    "unknown scope": (("keys", "create", "--name", "x", "--scope", "god"), "'god' is not one of"),
    "endless overlap": (("keys", "rotate", "key_0000000000001", "--overlap-hours", "inf"), "range"),
    "no number": (("sandbox", "say", "hi", "--from", "5550100001"), "no phone number such as +15550100001"),
    "misspelt reaction": (("sandbox", "react", "x", "lovee"), "did you mean love?"),
    "explain what": (("explain", "evnt_1"), "did you mean evt_"),
    "explain nothing": (("explain", "first"), "`hub events`"),
    "unknown bridge": (("bridges", "rotate-secret", "x"), "`hub bridges list`"),
    "bridge to replace": (("bridges", "enrol", "--replace", "x"), "`hub bridges list`"),
    "bridge of two names": (("bridges", "enrol", "--name", "a", "--replace", "x"), "Give either"),
    "bridge of a known line": (("bridges", "add", "b", "--line", "+15550100000"), "on the bridge 'sandbox'"),
    "line without its country": (("bridges", "add", "b", "--line", "555 010 0000"), "like +15550100000"),
    "one line twice": (("bridges", "add", "b", "--line", "+1555", "--line", "+1 555"), "+1555 is given twice"),
    "kind of bridge": (("bridges", "add", "b", "--line", "+1", "--kind", "twillio"), "Did you mean 'twilio'?"),
    "setting of a bridge": (
        ("bridges", "add", "b", "--line", "+1", "--kind", "twilio", "--set", "account_sid=AC1"),
        "account_sid: `AC…`, from the console's first page",
    ),
    "no setting": (("bridges", "add", "b", "--line", "+1", "--kind", "twilio", "--set", "x"), "SETTING=VALUE"),
    "push with settings": (("bridges", "add", "b", "--line", "+1", "--set", "url=x"), "has no settings"),
    "setting from nowhere": (
        ("bridges", "add", "b", "--line", "+1", "--kind", "twilio", "--set", "auth_token=@no"),
        "cannot be read",
    ),
    "unset variable": (
        ("bridges", "add", "b", "--line", "+1", "--kind", "twilio", "--set", "auth_token=env:NO_SUCH"),
        "NO_SUCH, which is not set",
    ),
    "doctor of nobody": (("bridges", "doctor", "x"), "`hub bridges list`"),
    "bad secret": (("listen", "--secret", "whsec_short"), "--secret"),
    "backup over something": (("backup", "."), "give a new folder"),
    "restore nothing": (("restore", "nowhere"), "does not exist"),
    "serve without redis": (("serve",), "`hub up`"),
    "work without redis": (("work",), "HUB_REDIS__URL"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG_USE.values(), ids=WRONG_USE.keys())
def test_wrong_use_is_told_with_what_would_be_right(
    case: tuple[tuple[str, ...], str], stopped_hub: Command
) -> None:
    arguments, words = case

    ended = stopped_hub(*arguments)

    assert ended.code == 2
    assert words in ended.err


CANNOT = {
    "no such key": (("keys", "revoke", "key_0000000000001"), "Key not found"),
    "no such webhook": (("webhooks", "test", "wh_0000000000001"), "Webhook not found"),
    "no such event": (("explain", "evt_0000000000001"), "no such event"),
    "no such delivery": (("explain", "dlv_0000000000001"), "no such delivery"),
    "no such send": (("explain", "obx_0000000000001"), "no such send"),
    "no such message": (("sandbox", "read", "nothing"), "No message 'nothing'"),
    "forbidden receiver": (("webhooks", "add", "http://10.0.0.1/"), "10.0.0.1"),
    "unreadable receiver": (("webhooks", "add", "example.com"), "url"),
    "unknown event type": (("webhooks", "add", "http://127.0.0.1:9/", "--event", "mesage.*"), "mesage"),
}  # fmt: skip


@pytest.mark.parametrize("case", CANNOT.values(), ids=CANNOT.keys())
def test_what_cannot_be_done_is_told_in_a_sentence(
    case: tuple[tuple[str, ...], str], stopped_hub: Command
) -> None:
    arguments, words = case

    ended = stopped_hub(*arguments)

    assert ended.code == 1
    assert words.lower() in ended.err.lower()


CONFIGURATIONS = {
    "misspelt key": ("web:\n  prot: 1\n", "did you mean web.port?"),
    "bad number": ("web:\n  port: 99999\n", "web.port"),
    "tab": ("web:\n\tport: 1\n", "indent with spaces"),
    "no map": ("- 1\n", "mine.yaml:1"),
}


@pytest.mark.parametrize("case", CONFIGURATIONS.values(), ids=CONFIGURATIONS.keys())
def test_a_configuration_that_cannot_be_used_is_told_with_its_place(
    case: tuple[str, str], hub: Command, tmp_path: Path
) -> None:
    text, words = case
    (tmp_path / "mine.yaml").write_text(text)

    ended = hub("--config", str(tmp_path / "mine.yaml"), "up")

    assert ended.code == 78
    assert words in ended.err


VARIABLES = {
    "misspelt": ({"HUB_WEB__PROT": "1"}, "did you mean HUB_WEB__PORT?"),
    "another database": ({"HUB_STORE__URL": "mysql://x/y"}, "postgresql://"),
    "another queue": ({"HUB_REDIS__URL": "http://x"}, "redis://"),
    "no key": ({"HUB_SECRETS__ENCRYPTION_KEY": "abc"}, "openssl rand"),
    "no file": ({"HUB_CONFIG": "nowhere.yaml"}, "cannot be read"),
}


@pytest.mark.parametrize("case", VARIABLES.values(), ids=VARIABLES.keys())
def test_a_variable_that_cannot_be_used_is_told(case: tuple[dict[str, str], str], hub: Command) -> None:
    variables, words = case

    ended = hub("doctor", **variables)

    assert ended.code == 78
    assert words in ended.err


def test_another_encryption_key_is_told_without_showing_either(stopped_hub: Command) -> None:
    ended = stopped_hub("keys", "list", HUB_SECRETS__ENCRYPTION_KEY="A" * 43 + "=")

    assert ended.code == 1
    assert "Use the encryption key again" in ended.err


def test_a_lost_encryption_key_is_not_replaced_by_one_that_cannot_fit(
    stopped_hub: Command, tmp_path: Path
) -> None:
    (tmp_path / "data" / "secret.key").unlink()

    ended = stopped_hub("keys", "list")

    assert ended.code == 1
    assert "Put it back from a backup" in ended.err
    assert not (tmp_path / "data" / "secret.key").exists()


SCHEMAS = {"older": ("", "Run `hub migrate`"), "newer": ("9999", "Start the newer version again")}


@pytest.mark.parametrize("case", SCHEMAS.values(), ids=SCHEMAS.keys())
def test_a_schema_of_another_version_is_told_with_the_way_out(
    case: tuple[str, str], stopped_hub: Command, tmp_path: Path
) -> None:
    revision, words = case
    database = sqlite3.connect(tmp_path / "data" / "hub.db")
    database.execute("DELETE FROM alembic_version")
    if revision:
        database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
    database.commit()
    database.close()

    ended = stopped_hub("keys", "list")

    assert ended.code == 1
    assert words in ended.err


AWAY = {
    "keys": ("keys", "list"),
    "migrate": ("migrate",),
    "up": ("up",),
}


@pytest.mark.parametrize("arguments", AWAY.values(), ids=AWAY.keys())
def test_a_database_that_is_away_is_told_at_once_and_without_its_password(
    arguments: tuple[str, ...], hub: Command
) -> None:
    ended = hub(*arguments, HUB_STORE__URL=NOWHERE, HUB_WEB__PORT="0")

    assert ended.code == 1
    assert "127.0.0.1:1/hub" in ended.err
    assert "hidden-password" not in ended.err


def test_a_port_in_use_is_told_with_another_one(hub: Command) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        ended = hub("up", HUB_WEB__PORT=str(other.getsockname()[1]))

    assert ended.code == 1
    assert "HUB_WEB__PORT=" in ended.err


def test_an_address_of_another_machine_is_told(hub: Command) -> None:
    ended = hub("up", HUB_WEB__HOST="192.0.2.1")

    assert ended.code == 1
    assert "correct web.host" in ended.err


@pytest.mark.slow
def test_a_second_hub_on_the_folder_is_told_which_process_holds_it(
    stopped_hub: Command, tmp_path: Path
) -> None:
    with hold_lock(DataFolder(tmp_path / "data")):
        ended = stopped_hub("up", HUB_WEB__PORT="0")

    assert ended.code == 1
    assert f"process {os.getpid()}" in ended.err


def test_a_port_in_use_is_told_by_listen(hub: Command) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        ended = hub("listen", "--port", str(port))

    assert ended.code == 1
    assert f"--port {port + 1}" in ended.err


def test_a_folder_that_others_can_read_and_that_holds_other_things_is_not_taken(
    hub: Command, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    (tmp_path / "data" / "letter.txt").touch()

    ended = hub("up", HUB_WEB__PORT="0")

    assert ended.code == 1
    assert "letter.txt" in ended.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder that belongs to someone else")
def test_a_folder_of_another_user_is_not_taken(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    os.chown(tmp_path / "data", 12345, 12345)

    ended = hub("up", HUB_WEB__PORT="0")

    assert ended.code == 1
    assert "belongs to user 12345" in ended.err


def test_a_file_in_place_of_the_folder_is_told(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    ended = hub("up", HUB_WEB__PORT="0")

    assert ended.code == 1
    assert "HUB_DATA_FOLDER" in ended.err


def test_a_damaged_database_is_told(stopped_hub: Command, tmp_path: Path) -> None:
    (tmp_path / "data" / "hub.db").write_bytes(b"this is no database, not even a small one" * 200)

    ended = stopped_hub("keys", "list")

    assert ended.code == 1
    assert "not a database" in ended.err


def test_exit_codes_are_the_documented_ones() -> None:
    assert set(EXIT_CODES) == {0, 1, 2, 78, 130}
