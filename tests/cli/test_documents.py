"""What documents say of commands, settings, metrics and each other is true."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
import yaml

import hub
from hub.actions.registry import BUILT_INS
from hub.cli import cli
from hub.cli.reference import files
from hub.observe.metrics import LABELS, Metrics

ROOT = Path(hub.__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SETTINGS: dict[str, object] = yaml.safe_load((ROOT / "config" / "hub.yaml").read_text("utf-8"))
KEYS = {f"{section}.{key}" for section, keys in SETTINGS.items() if isinstance(keys, dict) for key in keys}
SECTIONS = {section for section, keys in SETTINGS.items() if isinstance(keys, dict)}
VARIABLES = {f"HUB_{key.replace('.', '__').upper()}" for key in KEYS | SETTINGS.keys()}
#: Variables that are no settings, and what they are.
OTHER_VARIABLES = {
    "HUB_AGENT_FOLDER": "where hub agent lives",
    "HUB_CONFIG": "names the operator's file",
    "HUB_KEY": "the reader's API key, in commands to paste",
    "HUB_WEBHOOK_SECRET": "an option of hub listen",
    "HUB_CPU_SECONDS": "of the benchmark's own making",
    "HUB_TEST_ALL": "of the tests: nothing is left out",
    "HUB_TEST_EXPLORE": "of the tests: properties look further",
}
#: Dotted words that begin like a section and are no keys: events of the wire and of the log, ports in code, actions.
NO_KEYS = {
    "log.event_id",
    "bridge.perform",
    "redis.away",
    "bridge.feed_failed",
    "delivery.failed",
    "delivery.dead",
    "worker.drain_cut",
    "routes.installed",
    "routes.refused",
    *(action.name for action in BUILT_INS),
}
METRIC_PREFIXES = tuple({f"hub_{metric.name.split('_')[1]}" for metric in Metrics().registry.collect()})

names = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@names
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)", document.read_text("utf-8"))
    broken = [
        (path, anchor)
        for path, anchor in links
        for target in [document.parent / path if path else document]
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]

    assert broken == []


def spans(document: Path) -> list[str]:
    """What a document shows as code, without comments: spans, indented lines and lines of fences."""
    text = document.read_text("utf-8")
    fences = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    found = [
        *re.findall(r"`([^`\n]+)`", text),
        *re.findall(r"^ {4,}(.+)$", text, re.MULTILINE),
        *fences.splitlines(),
    ]
    return [re.sub(r"(^|\s)#.*", "", span) for span in found]


@names
def test_every_command_with_its_options_exists(document: Path) -> None:
    for span in spans(document):
        for words in re.findall(r"(?:^|[\s$(])hub ((?:[a-z-]+ ?)+[^#&|)`]*)", span):
            command: click.Command = cli
            for word in words.split():
                if (
                    isinstance(command, click.Group)
                    and re.fullmatch(r"[a-z-]+", word)
                    and not word.startswith("-")
                ):
                    assert word in command.commands, span
                    command = command.commands[word]
                elif word.startswith("--"):
                    options = {name for each in command.params for name in each.opts}
                    assert word.partition("=")[0] in options | {"--help", "--version"}, span


@names
def test_every_setting_that_is_named_exists(document: Path) -> None:
    dotted = {
        word
        for span in spans(document)
        for word in re.findall(r"(?<![\w./-])([a-z]+\.[a-z_]+)(?![\w(/.-])", span)
        if word.partition(".")[0] in SECTIONS and word not in NO_KEYS
    }
    variables = {
        word for word in re.findall(r"\bHUB_[A-Z_]+\b", document.read_text("utf-8")) if not word.endswith("_")
    }

    assert dotted - KEYS == set()
    assert variables - VARIABLES - OTHER_VARIABLES.keys() == set()


@names
def test_every_metric_that_is_named_exists(document: Path) -> None:
    shown = {
        f"{metric.name}{'_total' if metric.type == 'counter' else ''}"
        for metric in Metrics().registry.collect()
    }
    named = {word for span in spans(document) for word in re.findall(r"\bhub_[a-z_]+\b", span)}

    assert {word for word in named if word.startswith(METRIC_PREFIXES)} - shown == set()


def test_the_alerts_can_be_pasted() -> None:
    """As Prometheus reads them: each with a name and an expression about metrics of the hub."""
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    (block,) = re.findall(r"^  ```yaml\n(  groups:.*?)^  ```", text, re.MULTILINE | re.DOTALL)
    rules = yaml.safe_load(block)["groups"][0]["rules"]

    assert len({rule["alert"] for rule in rules}) == len(rules)
    assert [rule for rule in rules if not re.search(r"\bhub_[a-z_]+|\bup\{", rule["expr"])] == []


@pytest.mark.parametrize("name", files())
def test_the_committed_reference_is_what_the_code_says(name: str) -> None:
    assert (ROOT / "docs" / "reference" / name).read_bytes() == files()[name], "run: scripts/docs"


def test_every_label_is_documented() -> None:
    registry = Metrics()
    labelled = {
        metric._name: set(metric._labelnames)
        for metric in vars(registry).values()
        if getattr(metric, "_labelnames", ())
    }

    assert {name: set(labels) for name, labels in LABELS.items()} == labelled


def test_each_decision_has_a_number_of_its_own() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in files]

    assert len(set(numbers)) == len(numbers)
    for path, number in zip(files, numbers, strict=True):
        assert path.read_text("utf-8").startswith(f"# {number}. "), path.name
