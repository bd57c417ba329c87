"""Every connector is whole: in the registry, with a README that says what it needs, and without a secret anywhere."""

from __future__ import annotations

import re

import pytest

import connectors
from hub.config.connectors import shipped_manifests
from hub.rules.connectors.secrets import looks_secret

FOLDERS = sorted(path.parent.name for path in connectors.FOLDER.glob("*/manifest.yaml"))
MANIFESTS = shipped_manifests()
#: What looks like a secret and is none: words that say so, and Standard Webhooks' own example.
EXAMPLES = (
    "Bearer test-",
    "Bearer ***",
    "`whsec_`",
    "whsec_$(",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "https://discord.com/api/webhooks/123456/test-",
    "sig=test-",
)


def test_the_registry_has_every_folder_in_the_order_of_the_alphabet() -> None:
    assert list(connectors.CONNECTORS) == FOLDERS


@pytest.mark.parametrize("name", FOLDERS)
def test_a_readme_says_what_is_needed_and_what_rests_on_memory(name: str) -> None:
    text = (connectors.FOLDER / name / "README.md").read_text("utf-8")
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]

    assert text.startswith(f"# {MANIFESTS[name].title}\n")
    assert {"Set-up", "Actions", "Limits", "What rests on memory"} <= set(headings)
    assert re.search(r"^1\. ", text, re.MULTILINE)
    assert [action for action in MANIFESTS[name].actions if f"`{name}.{action}`" not in text] == []


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_holds_no_secret(name: str) -> None:
    for path in (connectors.FOLDER / name).rglob("*.*"):
        text = path.read_text("utf-8")
        for example in EXAMPLES:
            text = text.replace(example, "")

        assert [line for line in text.splitlines() if looks_secret(line) and "…" not in line] == []


@pytest.mark.parametrize("name", FOLDERS)
def test_every_action_says_where_it_is_documented_and_when_that_was_read(name: str) -> None:
    for action in MANIFESTS[name].actions.values():
        assert action.docs.startswith("https://")
        assert action.checked
        assert action.description != action.title
