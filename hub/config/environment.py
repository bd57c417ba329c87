"""Reads settings from environment variables: `HUB_<SECTION>__<KEY>`, which win over every file.

The environment comes as an argument; this module never reads the process's own. Variables that are no setting
are left alone, except those that were evidently meant as one.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from hub.config.loader import load_document
from hub.config.nodes import Entry, ListNode, MappingNode, Node, ScalarNode
from hub.config.problems import ConfigError, Place, Problem, problem_at

_PREFIX = "HUB_"

#: Container platforms set `HUB_WEB_PORT=tcp://10.0.0.1:80` for a service named hub-web: no setting was meant.
_SERVICE_LINK_SCHEMES = ("tcp://", "udp://", "sctp://")


def variable_name(key: str) -> str:
    """Return the environment variable of a dotted key."""
    return _PREFIX + key.replace(".", "__").upper()


def read_environment(
    environ: Mapping[str, str], keys: Iterable[tuple[str, Any]]
) -> tuple[MappingNode, list[Problem]]:
    """Return the settings that the environment holds as one layer, and what is wrong with their names.

    Args:
        environ: The process's environment.
        keys: Each dotted key with its type.
    """
    by_name = {variable_name(key): (key, annotation) for key, annotation in keys}
    problems: list[Problem] = []
    sections: dict[str, list[Entry]] = {"": []}
    for name, text in sorted(environ.items()):
        if name in by_name:
            key, annotation = by_name[name]
            section, _, field_name = key.rpartition(".")
            try:
                value = _node(text, annotation, _place(name))
            except ConfigError as error:
                problems.extend(error.problems)
                continue
            sections.setdefault(section, []).append(
                Entry(key=field_name, key_place=_place(name), value=value)
            )
        elif name.startswith(_PREFIX) and (near := _meant(name, text, by_name)) is not None:
            problems.append(_unknown(name, near))
    return _layer(sections), problems


def _place(name: str) -> Place:
    return Place(source=f"environment variable {name}")


def _layer(sections: dict[str, list[Entry]]) -> MappingNode:
    place = Place(source="environment")
    nested = [
        Entry(key=section, key_place=place, value=MappingNode(entries=tuple(entries), place=place))
        for section, entries in sections.items()
        if section
    ]
    return MappingNode(entries=(*sections[""], *nested), place=place)


def _node(text: str, annotation: object, place: Place) -> Node:
    """Return the value as its type would be written in a file; lists may be separated by commas."""
    if not _is_list(annotation):
        return ScalarNode(text=text, is_quoted=False, place=place) if text else _empty(place)
    if text.lstrip().startswith("["):
        return _moved(load_document(text, source=place.source), place)
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    return ListNode(
        items=tuple(ScalarNode(text=part, is_quoted=False, place=place) for part in parts), place=place
    )


def _empty(place: Place) -> ScalarNode:
    """Return what a set but empty variable says: the empty text."""
    return ScalarNode(text="", is_quoted=True, place=place)


def _moved(node: Node, place: Place) -> Node:
    """Return a list read from a variable with the variable as its place: lines mean nothing there."""
    if isinstance(node, ListNode):
        return ListNode(items=tuple(_moved(item, place) for item in node.items), place=place)
    if isinstance(node, ScalarNode):
        return ScalarNode(text=node.text, is_quoted=node.is_quoted, place=place)
    return MappingNode(entries=node.entries, place=place)


def _is_list(annotation: object) -> bool:
    origin, arguments = get_origin(annotation), get_args(annotation)
    return origin is tuple or bool(arguments and get_origin(arguments[0]) is tuple)


def _meant(name: str, text: str, known: Mapping[str, object]) -> str | None:
    """Return what to say when a variable was meant as a setting; None when it is somebody else's."""
    single = {each.replace("__", "_"): each for each in known}
    if name in single:
        return None if text.startswith(_SERVICE_LINK_SCHEMES) else f"did you mean {single[name]}?"
    if "__" not in name:
        return None
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else "remove it"


def _unknown(name: str, fix: str) -> Problem:
    return problem_at(
        _place(name),
        what="there is no such setting",
        why="settings are named HUB_<SECTION>__<KEY>, with two underscores between section and key",
        fix=fix,
    )
