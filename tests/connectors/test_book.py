"""Connectors and connections are read again when their files change; a broken file changes nothing and is told once."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from structlog.testing import capture_logs

from hub.app.connectors import LOOK_MS, REREAD_MS, connector_book
from hub.config.settings import load_settings
from tests.connectors.golden import clock_at
from tests.connectors.test_engine import MANIFEST

CONNECTIONS = """
connections:
  %s: { connector: http, auth: { bearer: { base_url: https://x.example, token: { env: PATH } } } }
"""


def test_changes_are_noticed_and_broken_files_change_nothing(tmp_path: Path) -> None:
    settings = replace(
        load_settings(None, {}), connections_file=tmp_path / "c.yaml", connectors_folder=tmp_path / "own"
    )
    clock = clock_at()
    book = connector_book(settings, clock)

    def names() -> set[str]:
        clock.advance(LOOK_MS)
        return set(book.current().connections)

    assert names() == {"http"}
    settings.connections_file.write_text(CONNECTIONS % "first", "utf-8")
    assert set(book.current().connections) == {"http"}
    assert names() == {"http", "first"}
    with capture_logs() as lines:
        settings.connections_file.write_text("connections: [", "utf-8")
        assert names() == names() == {"http", "first"}
        clock.advance(REREAD_MS)
        assert names() == {"http", "first"}
    assert [each["event"] for each in lines] == ["connectors.refused"]
    assert book.fault
    settings.connections_file.write_text(CONNECTIONS % "second", "utf-8")
    assert names() == {"http", "second"}
    assert not book.fault
    (tmp_path / "own" / "acme").mkdir(parents=True)
    (tmp_path / "own" / "acme" / "manifest.yaml").write_text(MANIFEST, "utf-8")
    names()
    assert "acme.add" in book.current().specs
    shutil.rmtree(tmp_path / "own")
    names()
    assert "acme.add" not in book.current().specs


def test_a_hub_whose_files_are_broken_from_the_start_knows_its_own_connectors(tmp_path: Path) -> None:
    settings = replace(
        load_settings(None, {}), connections_file=tmp_path / "c.yaml", connectors_folder=tmp_path / "own"
    )
    settings.connections_file.write_text("connections: [", "utf-8")
    book = connector_book(settings, clock_at())

    with capture_logs():
        assert "slack.post_message" in book.current().specs
    assert book.fault is not None


def test_secrets_in_files_are_read_again_every_minute(tmp_path: Path) -> None:
    settings = replace(
        load_settings(None, {}), connections_file=tmp_path / "c.yaml", connectors_folder=tmp_path / "own"
    )
    secret = tmp_path / "secret"
    secret.write_text("test-token-1", "utf-8")
    settings.connections_file.write_text(
        CONNECTIONS.replace("{ env: PATH }", f"{{ file: {secret} }}") % "first", "utf-8"
    )
    clock = clock_at()
    book = connector_book(settings, clock)

    def token() -> object:
        return book.current().connections["first"].revealed()["token"]

    assert token() == "test-token-1"
    secret.write_text("test-token-2", "utf-8")
    clock.advance(LOOK_MS)
    assert token() == "test-token-1"
    clock.advance(REREAD_MS)
    assert token() == "test-token-2"
