"""hub sources: what is set up, what was rejected, and whether a source would believe."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.config.shipped_sources import shipped_sources
from tests.cli.conftest import Command
from tests.rules.sources.deliveries import GOLDEN, HEX_SECRET, STANDARD

SECRET = "a-shared-secret-of-forty-characters-0123"
SECRETS = {"close": HEX_SECRET, "standard-webhooks": STANDARD, "svix": STANDARD, "pipedrive": "user:password"}
#: Only the vendor can sign for these, or a part of the body is the signature.
UNSIGNABLE = {"discord", "highlevel", "sendgrid", "mailgun", "twilio"}


def set_up(folder: Path, section: str, **more: str) -> dict[str, str]:
    """Write connections.yaml; give the variables."""
    path = folder / "connections.yaml"
    path.write_text(f"version: 1\nsources:\n{section}\n", "utf-8")
    return {"HUB_CONNECTIONS_FILE": str(path), "SECRET": SECRET, **more}


def test_the_list_says_what_each_service_must_be_told(hub: Command, tmp_path: Path) -> None:
    section = "  stripe: { verify: stripe, secret: { env: SECRET } }\n  pages: { verify: notion }"
    ended = hub("sources", "list", **set_up(tmp_path, section))

    assert ended.code == 0
    assert [line.split() for line in ended.out.splitlines()] == [
        ["pages", "Notion", "no", "secret", "yet", "http://127.0.0.1:8080/hooks/pages"],
        ["stripe", "Stripe", "1", "secret", "http://127.0.0.1:8080/hooks/stripe"],
    ]


def test_without_a_file_the_list_says_where_to_begin(hub: Command, tmp_path: Path) -> None:
    ended = hub("sources", "list", HUB_CONNECTIONS_FILE=str(tmp_path / "none.yaml"))

    assert (ended.code, "docs/inbound-sources.md" in ended.out) == (0, True)


def test_a_source_that_signs_the_url_wants_to_know_it(hub: Command, tmp_path: Path) -> None:
    variables = set_up(tmp_path, "  calls: { verify: twilio, secret: { env: SECRET } }")

    assert "set web.base_url" in hub("sources", "list", **variables).err
    public = {"HUB_WEB__BASE_URL": "https://hub.example.com"}
    assert hub("sources", "list", **variables, **public).err == ""


def test_a_broken_file_is_explained(hub: Command, tmp_path: Path) -> None:
    ended = hub("sources", "list", **set_up(tmp_path, "  a: { verify: strpe, secret: { env: SECRET } }"))

    assert ended.code == 78
    assert "connections.yaml:3:" in ended.err
    assert "Did you mean stripe" in ended.err


@pytest.mark.parametrize("verify", sorted(set(shipped_sources()) - UNSIGNABLE))
def test_a_source_is_tried_with_a_golden_body(verify: str, hub: Command, tmp_path: Path) -> None:
    golden = next(each for each in GOLDEN if each.verify == verify)
    (tmp_path / "body").write_bytes(golden.raw)
    token = ", verify_token: { env: SECRET }" if verify == "whatsapp" else ""
    section = f"  it: {{ verify: {verify}, secret: {{ env: SECRET }}{token} }}"
    variables = {**set_up(tmp_path, section), "SECRET": SECRETS.get(verify, SECRET)}
    ended = hub("sources", "test", "it", "--body", str(tmp_path / "body"), **variables)

    assert ended.code == 0, ended.err
    assert f"Believed; {len(golden.events)} event" in ended.out


@pytest.mark.parametrize("verify", sorted(UNSIGNABLE - {"mailgun", "twilio"}))
def test_nobody_signs_for_a_vendor(verify: str, hub: Command, tmp_path: Path) -> None:
    golden = next(each for each in GOLDEN if each.verify == verify)
    section = f"  it: {{ verify: {verify}, public_key: {golden.secret} }}"
    ended = hub("sources", "test", "it", **set_up(tmp_path, section))

    assert ended.code == 1
    assert "can sign for it. Try a real one" in ended.err


def test_a_real_request_is_checked_as_it_is(hub: Command, tmp_path: Path) -> None:
    golden = next(each for each in GOLDEN if each.verify == "github")
    (tmp_path / "body").write_bytes(golden.raw)
    variables = set_up(tmp_path, "  it: { verify: github, secret: { env: SECRET } }")
    headers = [f"--header={name}: {value}" for name, value in golden.headers(golden.raw).items()]
    asked = ("sources", "test", "it", "--body", str(tmp_path / "body"), *headers)
    good, bad = hub(*asked, **variables), hub(*asked, **{**variables, "SECRET": "another"})

    assert (good.code, "pull_request.opened  id 72d3162e" in good.out) == (0, True)
    assert (bad.code, "Rejected: bad_signature" in bad.err) == (1, True)


def test_mistakes_are_told(hub: Command, tmp_path: Path) -> None:
    variables = set_up(tmp_path, "  it: { verify: github, secret: { env: SECRET } }")

    assert "No source 'nobody'" in hub("sources", "test", "nobody", **variables).err
    assert "is no header" in hub("sources", "test", "it", "--header", "x", **variables).err


def test_what_was_rejected_is_shown(stopped_hub: Command) -> None:
    assert "Nothing that came to stripe" in stopped_hub("sources", "rejected", "stripe").out


def test_a_body_that_is_no_json_is_rejected_by_name(hub: Command, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(json.dumps({"a": 1}).encode()[:-1])
    variables = set_up(tmp_path, "  it: { verify: stripe, secret: { env: SECRET } }")
    ended = hub("sources", "test", "it", "--body", str(tmp_path / "body"), **variables)

    assert (ended.code, "Rejected: unreadable" in ended.err) == (1, True)


def test_doctor_looks_at_the_file(stopped_hub: Command, tmp_path: Path) -> None:
    def said(section: str) -> str:
        ended = stopped_hub("doctor", **set_up(tmp_path, section))
        return ended.out[ended.out.index("sources ") - 5 :]

    good, deaf = said("  it: { verify: stripe, secret: { env: SECRET } }"), said("  it: { verify: notion }")
    broken = said("  it: { verify: strpe, secret: { env: SECRET } }")

    assert good.startswith("ok   sources     it: the file and the secrets can be read")
    assert deaf.startswith("FAIL sources     it believes nobody")
    assert broken.startswith("FAIL sources ")
    assert "Did you mean stripe" in broken
