"""config/hub.yaml, the dataclasses and the documentation of each key stay in step."""

import re
import typing
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path

import pytest

from hub.config.constraints import Between
from hub.config.decode import keys_of
from hub.config.loader import load_document
from hub.config.nodes import MappingNode, Node
from hub.config.settings import Settings, default_settings_path

ROOT = Path(__file__).parents[2]
LINES = default_settings_path().read_text("utf-8").splitlines()
KEYS = dict(keys_of(Settings))


def written_keys(node: Node, prefix: str = "") -> typing.Iterator[tuple[str, int]]:
    """Yield each dotted key of a document with its line."""
    assert isinstance(node, MappingNode)
    for entry in node.entries:
        if isinstance(entry.value, MappingNode):
            yield from written_keys(entry.value, f"{prefix}{entry.key}.")
        else:
            yield prefix + entry.key, entry.key_place.line


DOCUMENT = load_document("\n".join(LINES), source="hub.yaml")
WRITTEN = dict(written_keys(DOCUMENT))


def comment_above(line: int) -> str:
    """Return the comment that ends on the line above."""
    words: list[str] = []
    for text in reversed(LINES[: line - 1]):
        if not text.strip().startswith("#"):
            break
        words.insert(0, text.strip().removeprefix("#").strip())
    return " ".join(words)


def test_every_key_is_in_the_file_and_in_a_dataclass_in_the_same_order() -> None:
    assert list(KEYS) == list(WRITTEN)


def test_no_dataclass_brings_a_default_of_its_own() -> None:
    """The file is the defaults; a second one in Python would drift."""
    sections = [hint for hint in typing.get_type_hints(Settings).values() if is_dataclass(hint)]
    with_default = [
        f"{section}.{field.name}"
        for section in (Settings, *sections)
        for field in fields(section)
        if field.default is not MISSING or field.default_factory is not MISSING
    ]

    assert len(sections) > 10
    assert with_default == []


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_documented(key: str) -> None:
    comment = comment_above(WRITTEN[key])

    assert len(comment) >= len("true or false.")
    assert comment.endswith((".", ")"))


@pytest.mark.parametrize(
    "key", [key for key in KEYS if key.endswith(("_seconds", "_bytes", "_ms", "_hours"))]
)
def test_units_of_the_name_are_told_in_the_comment(key: str) -> None:
    unit = {"ms": "millisecond", "seconds": "second", "bytes": "byte", "hours": "hour"}[
        key.rpartition("_")[2]
    ]

    assert unit in comment_above(WRITTEN[key])


def bounds(annotation: object) -> Between | None:
    return next((each for each in getattr(annotation, "__metadata__", ()) if isinstance(each, Between)), None)


@pytest.mark.parametrize("key", [key for key, annotation in KEYS.items() if bounds(annotation)])
def test_bounds_are_told_as_they_are_enforced(key: str) -> None:
    limits = bounds(KEYS[key])
    section = comment_above(LINES.index(f"{key.partition('.')[0]}:") + 1)
    told = re.findall(r"(?i)(\d+(?:\.\d+)?) to (\d+)", f"{comment_above(WRITTEN[key])} {section}")

    assert limits is not None
    assert (f"{limits.low:g}", f"{limits.high:.15g}") in told


def test_every_key_is_read_by_the_product() -> None:
    """A setting that changes nothing is a lie."""
    modules = [path for path in (ROOT / "hub").rglob("*.py") if "config" not in path.relative_to(ROOT).parts]
    source = "\n".join(
        path.read_text("utf-8") for path in [*modules, *(ROOT / "hub/config").glob("sections.py")]
    )
    unread = {key for key in KEYS if not re.search(rf"\.{key.rpartition('.')[2]}\b", source)}

    assert unread == set()
