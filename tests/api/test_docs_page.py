"""The page at /docs: whole, static, without any other host, under a policy that forbids everything else."""

from __future__ import annotations

import json
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from hub.api.docs_page import ASSETS
from hub.api.openapi import described
from tests.support.hub_world import HubWorld
from tests.support.node import find_node

FOLDER = Path(str(files("hub.api") / "docs_assets"))
PAGE = (FOLDER / "index.html").read_text("utf-8")


async def test_the_page_needs_no_key(world: HubWorld) -> None:
    answered = await world.api.with_token(None).get("/docs")

    assert (answered.status, answered.body.decode()) == (200, PAGE)
    assert answered.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("name", ASSETS)
async def test_each_of_its_files_is_served(world: HubWorld, name: str) -> None:
    answered = await world.api.with_token(None).get(f"/docs/{name}")

    assert answered.body == (FOLDER / name).read_bytes()
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert "etag" in answered.headers


def test_nothing_is_forgotten() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {"index.html", *ASSETS}


@pytest.mark.parametrize("name", ["nothing.js", "index.html", "..%2fdocs_page.py", "__init__.py"])
async def test_other_names_lead_nowhere(world: HubWorld, name: str) -> None:
    assert (await world.api.get(f"/docs/{name}")).code == "route_not_found"


async def test_the_policy_allows_this_host_and_nothing_inline(world: HubWorld) -> None:
    policy = (await world.api.get("/docs")).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("name", ["index.html", *ASSETS])
def test_no_file_names_another_host_or_runs_text(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8").replace("http://www.w3.org/2000/svg", "")

    assert re.findall(r"https?://|//[a-z]+\.[a-z]", text) == []
    assert re.findall(r"\beval\(|innerHTML|insertAdjacentHTML|document\.write|new Function", text) == []
    assert re.findall(r"<script>|<style|\sstyle=|\son[a-z]+=", text) == [] or name.endswith(".js")


def test_the_page_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 64_000


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ASSETS if name.endswith(".js")])
def test_the_programs_parse(name: str, tmp_path: Path) -> None:
    node = find_node()
    module = tmp_path / name.replace(".js", ".mjs")
    module.write_bytes((FOLDER / name).read_bytes())

    subprocess.run([node, "--check", str(module)], check=True, capture_output=True)


#: What the button says after a click, with and without a browser that lets pages write to the clipboard.
COPYING = """
const button = {addEventListener: (_, react) => { button.click = react; }, append() {}, setAttribute() {}};
globalThis.document = {createElement: () => button};
globalThis.setTimeout = () => 0;
const written = [];
const said = [];
const {copier} = await import(process.argv[2]);
for (const clipboard of [{writeText: async (text) => written.push(text)}, undefined]) {
  Object.defineProperty(globalThis, "navigator", {value: {clipboard}, configurable: true});
  copier(() => "curl");
  await button.click();
  said.push(button.textContent);
}
console.log(JSON.stringify([written, said]));
"""


@pytest.mark.slow
def test_a_copy_is_only_told_where_one_was_made(tmp_path: Path) -> None:
    """Over http from another machine a page has no clipboard."""
    (tmp_path / "dom.mjs").write_bytes((FOLDER / "dom.js").read_bytes())
    (tmp_path / "copying.mjs").write_text(COPYING)
    command = [find_node(), str(tmp_path / "copying.mjs"), str(tmp_path / "dom.mjs")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)

    assert json.loads(done.stdout) == [["curl"], ["Copied", "Not allowed here: mark it and copy"]]


def test_every_field_of_the_page_has_a_name_that_no_screen_takes_away() -> None:
    """Narrow screens hide the words beside the key; who cannot see the page needs them all the same."""
    fields = re.findall(r"<(?:input|button)[^>]*>", PAGE)

    assert [field for field in fields if "aria-label=" not in field] == []


def test_names_of_operations_are_fit_for_addresses() -> None:
    assert [each.name for each in described() if not re.fullmatch(r"[a-z_]+", each.name)] == []
