"""Every `hub import` that a page shows, in a shell: from a running hub, which stands for the vendor, to a new one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.rest import Rest
from tests.e2e.running import PATIENCE_SECONDS, ROOT, RunningHub, environment, run_hub

pytestmark = pytest.mark.slow

PAGES = ("importing", "migrating-from-blooio", "migrating-from-coop", "migrating-from-msgbubbles")
HOOK = "https://example.com/hook"
SECRET = "whsec_" + "0123456789abcdef" * 2
#: Vendor → its key's beginning.
VENDORS = {"blooio": "bl_live_", "coop": "brk_live_", "msgbubbles": "sk_live_"}
COMMAND = re.compile(r"^(?: {4,})?(hub import .+)$", re.MULTILINE)


def commands(page: str) -> list[str]:
    return COMMAND.findall((ROOT / "docs" / f"{page}.md").read_text("utf-8"))


@pytest.fixture(scope="module")
def keys(running: RunningHub) -> dict[str, str]:
    """Give the variables of the vendors: keys of clients who have a contact and a webhook."""
    found = {}
    for vendor, prefix in VENDORS.items():
        made = running.command("keys", "create", "--name", vendor, "--dialect", vendor)
        key = re.search(rf"{prefix}\w+", made)
        assert key is not None, made
        found[f"{vendor.upper()}_KEY"] = key[0]
    rest = Rest(running.port, running.key)
    rest.post("/v1/contacts", {"name": "Ann", "handles": ["+15550200001"], "tags": ["vip"]})
    for vendor in VENDORS:
        rest.post("/v1/webhooks", {"from": "*", "url": HOOK, "events": ["message.received"], "form": vendor})
    return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """The vendor."""
    hub = RunningHub(tmp_path_factory.mktemp("vendor"))
    try:
        hub.start()
        yield hub
    finally:
        hub.stop()


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_carry_everything_over(
    page: str, running: RunningHub, keys: dict[str, str], tmp_path: Path
) -> None:
    url = f"http://127.0.0.1:{running.port}"
    env = {"HUB_DATA_FOLDER": str(tmp_path / "data"), **keys, **dict.fromkeys(map(str.upper, VENDORS), url)}
    assert run_hub(("migrate",), folder=tmp_path, env=env).returncode == 0
    (tmp_path / "blooio.key").write_text(keys["BLOOIO_KEY"])
    (tmp_path / "known.json").write_text(json.dumps({HOOK: SECRET}))
    printed = []
    for command in commands(page):
        line = command if "--from" in command else f"{command} --from {url}"
        line = re.sub(r"^hub", f"{sys.executable} -m hub", line)
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=environment(env), capture_output=True, text=True, check=False,
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stderr)
        printed.append(done.stdout)
    listed = run_hub(("webhooks", "list"), folder=tmp_path, env=env).stdout
    people = run_hub(("contacts", "list"), folder=tmp_path, env=env).stdout

    assert "Nothing was done; it would be:" in printed[0]
    assert re.search(r"^webhooks: read 1, created 1", printed[1], re.MULTILINE)
    assert len(re.findall(rf"^wh_\w+ .*{HOOK} ", listed, re.MULTILINE)) == 1
    assert ("Ann  +15550200001  [vip]" in people) == ("msgbubbles" not in page)
    assert page != "importing" or json.loads(printed[-1])["lists"]["webhooks"]["unchanged"] == 1


def test_no_page_is_left_out() -> None:
    pages = {path.stem for path in (ROOT / "docs").glob("*.md") if commands(path.stem)}

    assert pages == set(PAGES)
    assert all(len(commands(page)) >= 2 for page in PAGES)
