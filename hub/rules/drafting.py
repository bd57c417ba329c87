"""What a model is asked, and what is left of its answer. Pure.

A model's words are foreign data: they are cut, cleaned of what could do harm on the way, and never acted upon.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from hub.model.draft import Prompt, Role, Turn

#: Of the words' own controls only these stay.
_KEPT_CONTROLS: Final = frozenset("\n\t")
#: Marks that turn the direction of what follows: they can make a reader see other words than are there.
_TURNING_MARKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MANY_LINES: Final = re.compile(r"\n{3,}")
#: Rough, for limits only; providers count anew. Few writing systems have fewer characters to a token than two.
_CHARACTERS_PER_TOKEN: Final = 2


def make_prompt(
    turns: Sequence[Turn], *, system: str, instructions: str | None, most_characters: int
) -> Prompt | None:
    """Put together what is asked; None when the contact has said nothing to answer.

    The newest turns stay when there are too many words. Neighbours of one role become one turn, and the first is
    the contact's, because one of the wires demands both.

    Args:
        turns: Oldest first.
        system: How the model is to behave, by the operator.
        instructions: The same for this answer, by the caller.
        most_characters: Of all words together, instructions included.
    """
    frame = "\n\n".join(filter(None, (system.strip(), (instructions or "").strip())))
    room = most_characters - len(frame)
    kept: list[Turn] = []
    for turn in reversed(_merged(turns)):
        if len(turn.content) > room:
            if not kept and room > 0:
                kept.append(Turn(role=turn.role, content=turn.content[-room:]))
            break
        kept.append(turn)
        room -= len(turn.content)
    kept.reverse()
    while kept and kept[0].role is not Role.USER:
        del kept[0]
    return Prompt(system=frame, turns=tuple(kept)) if kept else None


def _merged(turns: Iterable[Turn]) -> list[Turn]:
    merged: list[Turn] = []
    for turn in turns:
        content = turn.content.strip()
        if not content:
            continue
        if merged and merged[-1].role is turn.role:
            merged[-1] = Turn(role=turn.role, content=f"{merged[-1].content}\n{content}")
        else:
            merged.append(Turn(role=turn.role, content=content))
    return merged


def clean_words(text: str, *, most_characters: int) -> str:
    """Give a model's words as they may be shown or sent: no controls, no turned direction, not too long."""
    words = "".join(each for each in text.replace("\r\n", "\n") if _is_kept(each))
    words = _MANY_LINES.sub("\n\n", words).strip()
    return words if len(words) <= most_characters else _cut(words, most_characters)


def _is_kept(character: str) -> bool:
    if character in _KEPT_CONTROLS:
        return True
    return character not in _TURNING_MARKS and unicodedata.category(character) not in {"Cc", "Cs", "Co", "Cn"}


def _cut(words: str, most_characters: int) -> str:
    """Cut at the end of a word, if one is near."""
    reach = words[: most_characters + 1]
    end = max(reach.rfind(" "), reach.rfind("\n"))
    return words[: end if end > most_characters // 2 else most_characters].strip()


def estimated_tokens(prompt: Prompt, *, max_output_tokens: int) -> int:
    """Give what a draft may take at the most, as a reservation against the limits."""
    return prompt.characters // _CHARACTERS_PER_TOKEN + 1 + max_output_tokens
