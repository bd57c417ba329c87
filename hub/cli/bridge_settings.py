"""The settings of bridges as people type them: SETTING=VALUE, where a value may come from a file or the environment.

Secrets need not stand in the command, where the shell's history and other users see them: @FILE, env:NAME, or asked.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hub.rules.chatkeys import normalize_handle
from hub.rules.problems import suggestion

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.flow.bridge_kinds import BridgeKind
    from hub.model.line import Bridge


#: Shorter ones are short codes, which have no country.
_SHORTEST_NUMBER = 7


def known(console: Console, name: str) -> Bridge:
    """Find a bridge by its name.

    Raises:
        UsageError: There is none.
    """
    bridge = console.directory.current.bridges_by_name.get(name)
    if bridge is None:
        raise click.UsageError(f"No bridge '{name}'. `hub bridges list` shows them.")
    return bridge


def handles_of_lines(typed: Iterable[str]) -> list[str]:
    """Spell the handles of lines our way.

    Raises:
        UsageError: One is a number without its country, which nobody could write to, or one is given twice.
    """
    found: list[str] = []
    for text in typed:
        handle = normalize_handle(text)
        if not handle:
            raise click.UsageError("A line has a handle: a number with +, or an address.")
        if handle.isdigit() and len(handle) >= _SHORTEST_NUMBER:
            raise click.UsageError(
                f"'{text}' is a number without its country: write it as one dials it from abroad, like +15550100000."
            )
        if handle in found:
            raise click.UsageError(f"The line {handle} is given twice.")
        found.append(handle)
    return found


def require_new(console: Console, handle: str) -> None:
    """Refuse the handle of a line that there is.

    Raises:
        UsageError: There is one, on some bridge.
    """
    now = console.directory.current
    line = now.lines_by_handle.get(handle)
    if line is None:
        return
    bridge = now.bridges_by_id.get(line.bridge_id)
    raise click.UsageError(
        f"The line {handle} exists already, on the bridge '{bridge.name if bridge else '?'}'. A line has one bridge; "
        "PATCH /v1/lines/{id} with another bridge_id moves it, history and all."
    )


def kind_named(name: str) -> BridgeKind | None:
    """Find a kind; None for `push`, which has no settings.

    Raises:
        UsageError: There is no such kind.
    """
    from bridge.registry import KINDS  # noqa: PLC0415 - heavy; other commands start without

    if name == "push":
        return None
    kind = KINDS.get(name)
    if kind is None:
        near = suggestion(name, ("push", *KINDS))
        meant = f" Did you mean '{near}'?" if near else ""
        raise click.UsageError(f"There is no kind of bridge '{name}'.{meant} `hub bridges kinds` shows them.")
    return kind


def described(kind: BridgeKind) -> Iterator[str]:
    """Give a line for each setting of a kind, and what it is for."""
    from hub.api.field_docs import field_descriptions  # noqa: PLC0415 - heavy

    words = field_descriptions(kind.settings)
    for field in msgspec.structs.fields(kind.settings):
        marks = ["needed"] if field.required else []
        marks += ["secret"] if field.encode_name in kind.secret_settings else []
        if not field.required and field.default not in {None, "", msgspec.NODEFAULT}:
            marks.append(f"{msgspec.json.encode(field.default).decode()} unless said")
        yield f"{field.encode_name}{' (' + ', '.join(marks) + ')' if marks else ''}"
        if field.encode_name in words:
            yield f"  {words[field.encode_name]}"


def read_pairs(kind: BridgeKind, pairs: Iterable[str]) -> dict[str, object]:
    """Read what was typed; a value gets the type that its setting has, and an empty one takes it away.

    Raises:
        UsageError: Something is not of the form, or cannot be read.
    """
    types = {field.encode_name: field.type for field in msgspec.structs.fields(kind.settings)}
    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise click.UsageError(f"'{pair}' is no setting: write SETTING=VALUE, for example url=https://….")
        value = value_of(name, text)
        if not value:
            found[name] = None
            continue
        found[name] = _typed(kind, name, value, types.get(name, str))
    return found


def ask_missing(kind: BridgeKind, given: dict[str, object]) -> dict[str, object]:
    """Ask for the secrets that are needed and were not given."""
    for field in msgspec.structs.fields(kind.settings):
        name = field.encode_name
        if field.required and name in kind.secret_settings and name not in given:
            given = {**given, name: click.prompt(name, hide_input=True)}
    return given


def _typed(bridge: BridgeKind, name: str, value: str, kind: object) -> object:
    """Give what was typed the type of its setting: `a,b` is a list, `a=1,b=2` a mapping, where one is wanted."""
    given: object = value
    if _wants(kind, _LISTS):
        given = value.split(",")
    elif _wants(kind, (msgspec.inspect.DictType,)):
        given = dict(item.partition("=")[::2] for item in value.split(","))
    try:
        return msgspec.to_builtins(msgspec.convert(given, kind, strict=False))
    except msgspec.ValidationError as error:
        from hub.api.field_docs import field_descriptions  # noqa: PLC0415 - heavy

        words = field_descriptions(bridge.settings).get(name)
        wanted = f" {name}: {words}" if words else ""
        raise click.UsageError(f"'{name}' cannot be what was given: {error}.{wanted}") from None


_LISTS = (msgspec.inspect.ListType, msgspec.inspect.VarTupleType, msgspec.inspect.FrozenSetType)


def _wants(kind: object, shapes: tuple[type, ...]) -> bool:
    found = msgspec.inspect.type_info(kind)
    while isinstance(found, msgspec.inspect.Metadata):
        found = found.type
    members = found.types if isinstance(found, msgspec.inspect.UnionType) else (found,)
    return any(isinstance(member, shapes) for member in members)


def value_of(name: str, text: str) -> str:
    """Give a value as typed, or from the file or variable that it names.

    Raises:
        UsageError: There is no such file or variable.
    """
    if text.startswith("@"):
        try:
            return Path(text[1:]).expanduser().read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"'{name}' cannot be read from {text[1:]}: {error}.") from None
    if text.startswith("env:"):
        value = os.environ.get(text[4:])
        if value is None:
            raise click.UsageError(
                f"'{name}' is to come from the environment variable {text[4:]}, which is not set."
            )
        return value
    return text
