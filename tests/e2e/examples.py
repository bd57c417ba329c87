"""What documents show to be pasted: commands with the answers that they print, as a reader would take them."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.running import ROOT

_CODE = re.compile(r"^```(?:sh|json)?\n(.*?)^```$|((?:^ {4}[^\n]*\n|^\n(?= {4}))+)", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"([A-Z]+=\$\()?curl ")
_ANSWER = re.compile(r"\{|\d+$")
_ID = re.compile(r"[a-z]+_([0-9a-z]{13}|…|\d)")


@dataclass(frozen=True, slots=True)
class Example:
    """One `curl` command, and the JSON or the number that is shown below it."""

    command: str
    #: As it is shown; None where nothing is.
    shown: str | None


def documents() -> list[Path]:
    """Every document that shows how to call the hub."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return [path for path in found if examples(path)]


def examples(document: Path) -> list[Example]:
    """Give a document's commands in their order."""
    found: list[Example] = []
    is_answer_due = False
    for piece in _pieces(document.read_text("utf-8")):
        is_command = _COMMAND.match(piece) is not None
        if is_command:
            found.append(Example(piece, None))
        elif is_answer_due and _ANSWER.match(piece):
            found[-1] = Example(found[-1].command, piece)
        is_answer_due = is_command
    return found


def _pieces(text: str) -> Iterator[str]:
    """Give each command and each answer within the code of a document, and the words in between as one."""
    end = 0
    for block in _CODE.finditer(text):
        if text[end : block.start()].strip():
            yield "words"
        end = block.end()
        code = block[1] or re.sub(r"^ {4}", "", block[2], flags=re.MULTILINE)
        if code.lstrip().startswith("{"):
            yield code.strip()
            continue
        command = ""
        for line in code.splitlines():
            command += line.removesuffix("\\") if line.endswith("\\") else f"{line}\n"
            if not line.endswith("\\") and command.strip() and _is_whole(command):
                yield command.strip()
                command = ""


def _is_whole(command: str) -> bool:
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return True


def fits(shown: Any, printed: Any) -> bool:
    """Tell whether an answer is of the form that is shown: the same names, and values of the same kind."""
    if isinstance(shown, dict):
        return isinstance(printed, dict) and all(
            name in printed and fits(value, printed[name]) for name, value in shown.items()
        )
    if isinstance(shown, list):
        return isinstance(printed, list) and all(
            fits(one, other) for one, other in zip(shown, printed, strict=False)
        )
    if isinstance(shown, str) and isinstance(printed, str) and _ID.fullmatch(shown):
        return printed.partition("_")[0] == shown.partition("_")[0]
    if isinstance(shown, str) and "…" not in shown:
        return bool(shown == printed)
    if isinstance(shown, int) and shown < 1_000_000:
        return bool(shown == printed)
    return type(shown) is type(printed) or shown is None or printed is None


def shown_json(shown: str) -> Any:
    """Read JSON as it is shown, with … for what is left out."""
    whole = re.sub(r",?\s*…(?=\s*[\]}])", "", shown)
    return json.loads(whole)
