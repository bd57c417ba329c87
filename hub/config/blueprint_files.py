"""The folder of blueprints: each file read once, sound or not, with its places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from hub.config.loader import read_document
from hub.config.nodes import Node
from hub.config.plain import plain
from hub.config.route_paths import blueprint_paths
from hub.config.text_files import TextFile, take_in
from hub.rules.routes.blueprints import Blueprint, Blueprints, is_blueprint, read_blueprint
from hub.rules.routes.document import Reading
from hub.rules.routes.reading import read_as_far_as_sound


@dataclass(frozen=True, kw_only=True, slots=True)
class BlueprintText:
    """One file of the folder."""

    path: Path
    #: Of its bytes, and of the texts that it names.
    digest: bytes
    #: None where it could not be read at all.
    node: Node | None
    #: None where it is not sound by itself, with its examples.
    blueprint: Blueprint | None
    #: The texts that it names, by the pointer of the input; and what each path held.
    files: Mapping[str, TextFile]
    seen: Mapping[Path, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class BlueprintFolder:
    """All files, by the names under which they are used."""

    texts: Mapping[str, BlueprintText]

    @property
    def blueprints(self) -> Blueprints:
        """Give them as the rules of routes know them."""
        return {name: each.blueprint for name, each in self.texts.items()}

    @property
    def seen(self) -> dict[Path, bytes]:
        """Give the texts that blueprints name, and what each path held."""
        return {path: digest for each in self.texts.values() for path, digest in each.seen.items()}


NO_FOLDER: Final = BlueprintFolder(texts=MappingProxyType({}))


def read_blueprint_folder(folder: Path) -> BlueprintFolder:
    """Read the blueprints of a folder; one that is not there has none, and files that are none are left out."""
    texts: dict[str, BlueprintText] = {}
    for path in blueprint_paths(folder):
        try:
            text = _read(path, path.read_bytes())
        except OSError:  # gone since, or not ours to read: whoever uses it is told that there is none
            continue
        if text is not None:
            texts.setdefault(path.stem, text)
    return BlueprintFolder(texts=texts)


def _read(path: Path, content: bytes) -> BlueprintText | None:
    node, problems = read_document(content, source=str(path), is_prose=True)
    document: Any = None if node is None or problems else plain(node)
    if node is not None and not problems and not is_blueprint(document):
        return None
    taken = take_in(document, path.parent)
    blueprint = None
    if document is not None and not taken.problems and not read_as_far_as_sound(document).problems:
        blueprint = read_blueprint(Reading(), document, path.stem)
    digest = blake2b(b"".join([content, *taken.seen.values()]), digest_size=16).digest()
    return BlueprintText(
        path=path, digest=digest, node=node, blueprint=blueprint, files=taken.files, seen=taken.seen
    )
