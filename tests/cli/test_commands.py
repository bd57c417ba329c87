"""What each command does on a hub that is set up, running or not."""

from __future__ import annotations

import re
import shutil
import stat
from pathlib import Path

import click
import pytest

from hub.cli import SECTIONS, cli
from tests.cli.conftest import Command

RECEIVER = "http://127.0.0.1:9/"


def every_command(
    group: click.Group = cli, path: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in group.commands.items():
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += every_command(command, (*path, name))
    return found


def test_help_shows_every_command_once_in_order_of_need(hub: Command) -> None:
    ended = hub("--help")

    shown = re.findall(r"^  ([a-z]+)  ", ended.out, re.MULTILINE)
    assert shown == [command.name for commands in SECTIONS.values() for command in commands]
    assert set(shown) == set(cli.commands)
    assert shown[0] == "up"


@pytest.mark.parametrize(
    ("path", "command"), every_command(), ids=[" ".join(path) for path, _ in every_command()]
)
def test_every_command_and_option_says_what_it_is(path: tuple[str, ...], command: click.Command) -> None:
    undescribed = [
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help and parameter.name != "limit"
    ]

    assert command.help
    assert "..." not in command.get_short_help_str(120), "the first sentence is longer than help shows"
    assert undescribed == []


@pytest.mark.slow
def test_a_key_is_made_listed_rotated_and_revoked(stopped_hub: Command) -> None:
    text = stopped_hub("keys", "create", "--name", "shop", "--scope", "messages:read").out.strip()
    row = next(row for row in stopped_hub("keys", "list").out.splitlines() if "shop" in row)
    fresh = stopped_hub("keys", "rotate", row.split()[0], "--overlap-hours", "1").out.strip()
    revoked = stopped_hub("keys", "revoke", row.split()[0])

    assert re.fullmatch(r"sk_live_\w{32}", text)
    assert re.fullmatch(r"sk_live_\w{32}", fresh)
    assert text not in row
    assert "[messages:read]" in row
    assert revoked.code == 0
    assert re.search(rf"{row.split()[0]}.*revoked", stopped_hub("keys", "list").out)


@pytest.mark.slow
def test_a_webhook_is_added_listed_tested_switched_and_deleted(stopped_hub: Command) -> None:
    added = stopped_hub("webhooks", "add", RECEIVER, "--event", "message.*", "--line", "+15550100000")
    webhook_id, secret = re.findall(r"(wh_\w+)\nsecret: (whsec_\S+)", added.out)[0]
    tested = stopped_hub("webhooks", "test", webhook_id)
    off = stopped_hub("webhooks", "disable", webhook_id)
    listed = stopped_hub("webhooks", "list")
    on = stopped_hub("webhooks", "enable", webhook_id)
    stopped_hub("webhooks", "delete", webhook_id)

    assert "dlv_" in tested.out
    assert "not running" in tested.out
    assert f"{webhook_id} is disabled." in off.out
    assert f"{webhook_id}  disabled {RECEIVER}  +15550100000  [message.*]" in listed.out
    assert secret not in listed.out
    assert f"{webhook_id} is enabled." in on.out
    assert stopped_hub("webhooks", "list").out == ""


@pytest.mark.slow
def test_what_a_contact_does_is_an_event_that_can_be_explained(stopped_hub: Command) -> None:
    stopped_hub("webhooks", "add", RECEIVER)
    stopped_hub("webhooks", "add", "http://127.0.0.1:9/other", "--event", "message.read")
    said = stopped_hub("sandbox", "say", "Hello").out
    guid, event_id = re.findall(r"message (\S+)  event (evt_\w+)", said)[0]
    edited = stopped_hub("sandbox", "edit", guid, "Hello again")
    reacted = stopped_hub("sandbox", "react", guid, "love")
    explained = stopped_hub("explain", event_id).out

    assert "evt_" in edited.out
    assert "evt_" in reacted.out
    assert re.findall(r"evt_\w+  (\S+)", stopped_hub("events").out) == [
        "reaction.added",
        "message.edited",
        "message.received",
    ]
    assert re.search(rf"dlv_\w+  message.received \({event_id}\) → wh_\w+ {RECEIVER}", explained)
    assert "pending: due" in explained
    assert "message.received is not in message.read" in explained


@pytest.mark.slow
def test_a_webhook_registered_later_is_told_apart(stopped_hub: Command) -> None:
    event_id = re.findall(r"evt_\w+", stopped_hub("sandbox", "say", "Hello").out)[0]
    nobody = stopped_hub("explain", event_id).out
    stopped_hub("webhooks", "add", RECEIVER)

    assert "No webhook is registered" in nobody
    assert "it was registered later" in stopped_hub("explain", event_id).out


@pytest.mark.slow
def test_deliveries_are_chosen_by_webhook_and_state(stopped_hub: Command) -> None:
    first = re.findall(r"wh_\w+", stopped_hub("webhooks", "add", RECEIVER).out)[0]
    second = re.findall(r"wh_\w+", stopped_hub("webhooks", "add", RECEIVER).out)[0]
    stopped_hub("webhooks", "disable", second)
    stopped_hub("sandbox", "say", "Hello")

    assert re.findall(r"→ (wh_\w+)  (\w+)", stopped_hub("deliveries", "--webhook", first).out) == [
        (first, "pending")
    ]
    assert re.findall(r"→ (wh_\w+)  (\w+)", stopped_hub("deliveries", "--status", "held").out) == [
        (second, "held")
    ]


def test_no_list_is_silent_about_being_empty(stopped_hub: Command) -> None:
    assert "hub sandbox say" in stopped_hub("events").err
    assert "hub webhooks list" in stopped_hub("deliveries").err
    assert "hub webhooks add" in stopped_hub("webhooks", "list").err


@pytest.mark.parametrize("act", [("typing",), ("say", "Hi", "--group", "team"), ("leave", "--group", "team")])
def test_contacts_act_in_direct_chats_and_groups(act: tuple[str, ...], stopped_hub: Command) -> None:
    stopped_hub("sandbox", "say", "Hi", "--group", "team", "--from", "+15550100002")

    assert stopped_hub("sandbox", *act).code == 0


@pytest.mark.slow
def test_a_bridge_is_added_with_its_line_and_gets_a_new_secret(stopped_hub: Command) -> None:
    added = stopped_hub("bridges", "add", "phone", "--line", "+15550109999").out
    rotated = stopped_hub("bridges", "rotate-secret", "phone").out

    assert re.match(r"X-Bridge-Id: brg_\w+\nsecret: whsec_", added)
    assert rotated.startswith("secret: whsec_")
    enrolled = stopped_hub("bridges", "enrol", "--replace", "phone").out
    assert "token: enrol_" in enrolled
    assert "phone  +15550109999" in stopped_hub("bridges", "list").out


@pytest.mark.slow
def test_a_bridge_is_shown_switched_off_and_kept_for_its_lines(stopped_hub: Command) -> None:
    added = stopped_hub(
        "bridges", "add", "sms", "--kind", "twilio", "--line", "+1 (555) 010-9999",
        "--set", f"account_sid=AC{'0a' * 16}", "--set", "auth_token=secret-of-twilio",
    ).out  # fmt: skip
    assert "Nobody outside reaches this address." in added
    assert stopped_hub("bridges", "switch", "sms", "off").out == "Switched off: sms\n"
    shown = stopped_hub("bridges", "show", "sms", HUB_WEB__BASE_URL="http://hub.lan").out

    hook = added.partition("/v1/")[2].partition("\n")[0]
    assert shown.splitlines()[1:] == [
        "kind: twilio",
        "switched off",
        "line: +15550109999  online",
        f"account_sid: AC{'0a' * 16}",
        "auth_token: ********",
        f"hook: http://hub.lan/v1/{hook}",
        "Most networks call https addresses only: web.base_url is an http one.",
    ]
    assert stopped_hub("lines", "add", "+1 555 010 9998", "--bridge", "sms").out.startswith(
        "Added: +15550109998."
    )
    assert "exists already" in stopped_hub("lines", "add", "+15550109998", "--bridge", "sms").err
    assert "still carries lines" in stopped_hub("bridges", "remove", "sms").err


@pytest.mark.slow
def test_a_backup_goes_into_a_new_folder_and_comes_back(stopped_hub: Command, tmp_path: Path) -> None:
    stopped_hub("sandbox", "say", "Hello")
    backed_up = stopped_hub("backup", str(tmp_path / "copy"))
    over_itself = stopped_hub("restore", str(tmp_path / "copy"))
    restored = stopped_hub("restore", str(tmp_path / "copy"), HUB_DATA_FOLDER=str(tmp_path / "other"))
    events = stopped_hub("events", HUB_DATA_FOLDER=str(tmp_path / "other"))

    assert "keep it as safe as the hub itself" in backed_up.out
    assert over_itself.code == 2
    assert restored.code == 0
    assert "message.received" in events.out
    assert stat.S_IMODE((tmp_path / "other" / "secret.key").stat().st_mode) == 0o600


def test_a_backup_that_fails_leaves_nothing_that_could_pass_for_one(
    stopped_hub: Command, tmp_path: Path
) -> None:
    """And the same command works once there is space again."""
    blobs = tmp_path / "data" / "files" / "blobs"
    blobs.parent.mkdir(parents=True, exist_ok=True)
    blobs.write_text("no folder")
    failed = stopped_hub("backup", str(tmp_path / "copy"))
    left = (tmp_path / "copy").exists()
    blobs.unlink()
    again = stopped_hub("backup", str(tmp_path / "copy"))

    assert (failed.code, left, again.code) == (1, False, 0)
    assert "could not be copied" in failed.err


def test_a_hub_on_postgresql_is_told_how_it_is_backed_up_and_put_back(
    hub: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each with the tool for it."""
    monkeypatch.setenv("HUB_STORE__URL", "postgresql://hub@127.0.0.1:1/hub")
    (tmp_path / "made").mkdir()
    saved, put_back = hub("backup", "elsewhere"), hub("restore", str(tmp_path / "made"))

    assert (saved.code, put_back.code) == (2, 2)
    assert "back it up with pg_dump" in saved.err
    assert "pg_restore" in put_back.err


def test_a_backup_brings_files_along(stopped_hub: Command, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    blob = folder / "files" / "blobs" / "ab" / "abc-1"
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"bytes")
    (folder / "files" / "drafts").mkdir()
    (folder / "files" / "drafts" / "half").write_bytes(b"by")

    stopped_hub("backup", str(tmp_path / "copy"))
    stopped_hub("restore", str(tmp_path / "copy"), HUB_DATA_FOLDER=str(tmp_path / "other"))

    restored = tmp_path / "other" / "files"
    assert [path.relative_to(restored).as_posix() for path in restored.rglob("*") if path.is_file()] == [
        "blobs/ab/abc-1"
    ]
    assert (restored / "blobs" / "ab" / "abc-1").read_bytes() == b"bytes"
    assert {path.name for path in restored.rglob("*") if path.stat().st_mode & 0o077} == set()


def test_a_contact_sends_a_file(stopped_hub: Command) -> None:
    sent = stopped_hub("sandbox", "attach", "photo", "--text", "Look")
    unknown = stopped_hub("sandbox", "attach", "elephant")

    assert sent.code == 0, sent.err
    assert (unknown.code, "photo" in unknown.err) == (2, True)


def test_migrating_again_changes_nothing_and_shows_no_key(stopped_hub: Command) -> None:
    ended = stopped_hub("migrate")

    assert ended.code == 0
    assert "sk_live_" not in ended.out


def test_doctor_says_what_is_well_and_what_is_not(stopped_hub: Command) -> None:
    ended = stopped_hub("doctor")

    assert ended.code == 1  # nothing answers in place of Redis
    assert re.findall(r"^(\S+) +(\w+)", ended.out, re.MULTILINE) == [
        ("ok", "python"),
        ("ok", "folder"),
        ("ok", "database"),
        ("ok", "key"),
        ("ok", "files"),
        ("FAIL", "redis"),
        ("ok", "backlog"),
        ("ok", "lines"),
        ("ok", "sources"),
        ("ok", "connections"),
        ("ok", "routes"),
    ]
    assert "is the hub running? `hub up` starts it" in ended.out


def test_doctor_says_when_no_file_can_be_stored(stopped_hub: Command, tmp_path: Path) -> None:
    """In a folder that is none, and in a bucket that nobody answers for."""
    drafts = tmp_path / "data" / "files" / "drafts"
    shutil.rmtree(drafts, ignore_errors=True)
    drafts.write_text("in the way")
    bucket = {
        "HUB_FILES__STORAGE": "s3",
        "HUB_FILES__S3_BUCKET": "bucket",
        "HUB_FILES__S3_ENDPOINT": "http://127.0.0.1:1",
        "HUB_FILES__S3_ACCESS_KEY": "key",
        "HUB_FILES__S3_SECRET_KEY": "secret",
    }

    in_folder, in_bucket = stopped_hub("doctor"), stopped_hub("doctor", **bucket)

    assert re.search(
        r"^FAIL files +the data folder cannot be used: .*Move away what stands there",
        in_folder.out,
        re.MULTILINE,
    )
    assert re.search(
        r"^FAIL files +the bucket bucket cannot be used: .*Check that files\.s3_endpoint",
        in_bucket.out,
        re.MULTILINE,
    )


def test_doctor_tells_one_cause_once_and_makes_nothing(hub: Command, tmp_path: Path) -> None:
    ended = hub("doctor")

    assert ended.code == 1
    assert re.findall(r"^FAIL (\w+)", ended.out, re.MULTILINE) == ["folder", "database"]
    assert list(tmp_path.iterdir()) == []


def test_doctor_is_quick_about_a_database_that_is_away(hub: Command) -> None:
    ended = hub(
        "doctor", HUB_STORE__URL="postgresql://u:hidden@127.0.0.1:1/x", HUB_REDIS__URL="redis://127.0.0.1:1/0"
    )

    assert ended.code == 1
    assert re.findall(r"^FAIL (\w+)", ended.out, re.MULTILINE) == ["database", "redis"]
    assert "hidden" not in ended.out


def test_a_folder_in_place_of_the_database_is_told_in_a_sentence(
    stopped_hub: Command, tmp_path: Path
) -> None:
    (tmp_path / "data" / "hub.db").unlink()
    (tmp_path / "data" / "hub.db").mkdir()

    ended = stopped_hub("events")

    assert ended.code == 1
    assert "unable to open database file" in ended.err
