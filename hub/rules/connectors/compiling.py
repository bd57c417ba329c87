"""Compiles the templates of a manifest where they stand, with the names that have a value there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from hub.rules.connectors.paths import PathTemplate, compile_path
from hub.rules.expressions.building import Read
from hub.rules.expressions.problems import ExpressionProblem
from hub.rules.expressions.scope import Scope
from hub.rules.expressions.structures import Structure, compile_structure
from hub.rules.expressions.templates import Condition, Template, compile_condition, compile_template
from hub.rules.problems import Problem, suggestion
from hub.rules.routes.document import Reading, at, shown

_SHARED: Final = frozenset({"auth", "vars", "connection"})
#: Where credentials are applied, and of the base URL.
AUTH_SCOPE: Final = Scope(names=_SHARED | {"token", "assertion"})
#: Of requests.
REQUEST_SCOPE: Final = Scope(names=_SHARED | {"input", "key", "steps", "with", "page"})
_ANSWER: Final = frozenset({"status", "headers", "body"})
#: Of what is said about the answer to a request for a token.
TOKEN_SCOPE: Final = Scope(names=AUTH_SCOPE.names | _ANSWER)
#: Of what is said about an answer.
ANSWER_SCOPE: Final = Scope(names=REQUEST_SCOPE.names | _ANSWER)
#: Of what a step hands over when it failed.
FAILED_SCOPE: Final = Scope(names=ANSWER_SCOPE.names | {"error"})
#: Of what an action gives.
OUTPUT_SCOPE: Final = Scope(names=ANSWER_SCOPE.names | {"items"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What may be read of the names that a manifest fills itself; None where nothing is known yet."""

    #: Public fields of `auth`, or all of them where credentials are applied.
    auth: frozenset[str] | None = None
    secrets: frozenset[str] = frozenset()
    vars: frozenset[str] | None = None
    #: Inputs, and whether each always has a value.
    inputs: Mapping[str, bool] | None = None


class Compiling:
    """Compiles, and notes what is wrong."""

    def __init__(self, reading: Reading, names: Names) -> None:
        self.reading = reading
        self.names = names

    def knowing(self, **known: Any) -> Compiling:
        """Give one that knows more names."""
        return Compiling(self.reading, replace(self.names, **known))

    def template(self, written: object, pointer: str, scope: Scope) -> Template:
        """Compile a template; one that cannot be compiled is noted and gives nothing."""
        if not isinstance(written, str):
            text = "" if written is None else str(written)
            if isinstance(written, list | dict | bool):
                self.reading.refuse(pointer, f"this is {shown(written)}", "it is a text", 'Write "…"')
            return _constant(text)
        found = compile_template(written, scope)
        if not isinstance(found, Template):
            self._note(found, pointer)
            return _constant("")
        self._check(found.reads, pointer)
        return found

    def templates(self, written: object, pointer: str, scope: Scope, *, noun: str) -> dict[str, Template]:
        """Compile a map of templates."""
        if written is None:
            return {}
        if not isinstance(written, Mapping):
            self.reading.refuse(pointer, f"{noun} is {shown(written)}", "it is a map", "Write name: value")
            return {}
        return {str(key): self.template(each, at(pointer, key), scope) for key, each in written.items()}

    def structure(self, written: object, pointer: str, scope: Scope) -> Structure | None:
        """Compile a value with templates in it."""
        found = compile_structure(written, pointer=pointer, scope=scope)
        if not isinstance(found, Structure):
            self.reading.add(each.problem.at(each.pointer) for each in found)
            return None
        for place in dict.fromkeys(each.pointer for each in found.reads):
            self._check([each.read for each in found.reads if each.pointer == place], place)
        return found

    def condition(self, written: object, pointer: str, scope: Scope) -> Condition | None:
        """Compile a condition; None for none."""
        if written is None:
            return None
        if not isinstance(written, str):
            why, fix = "it is an expression", 'Write if: "body.ok"'
            self.reading.refuse(pointer, f"`if` is {shown(written)}", why, fix)
            return None
        found = compile_condition(written, scope)
        if not isinstance(found, Condition):
            self._note(found, pointer)
            return None
        self._check(found.reads, pointer)
        return found

    def path(self, written: object, pointer: str, scope: Scope) -> PathTemplate | None:
        """Compile a path; None for none."""
        text = self.reading.text(written, pointer, noun="`path`")
        if text is None:
            return None
        found = compile_path(text, scope)
        if not isinstance(found, PathTemplate):
            self._note(found, pointer)
            return None
        for part in found.parts:
            if isinstance(part, Template):
                self._check(part.reads, pointer)
        return found

    def _note(self, problems: Iterable[ExpressionProblem], pointer: str) -> None:
        self.reading.add(problem.at(pointer) for problem in problems)

    # ---- what is read must be there

    def _check(self, reads: Iterable[Read], pointer: str) -> None:
        reads = list(reads)
        # Whoever asks whether something is there knows that it may be missing.
        guarded = {read.path[1] for read in reads if len(read.path) == 2 and read.is_optional}
        for read in reads:
            if len(read.path) < 2 or not isinstance(read.path[1], str):
                continue
            name, key = str(read.path[0]), read.path[1]
            if name == "auth":
                self._check_auth(key, pointer)
            elif name == "vars" and self.names.vars is not None:
                self._check_known(f"vars.{key}", key, self.names.vars, pointer, "Add it under `vars`")
            elif name == "input" and self.names.inputs is not None:
                self._check_input(key, read, pointer, is_guarded=key in guarded)

    def _check_auth(self, key: str, pointer: str) -> None:
        if key in self.names.secrets:
            why = "secrets are only known where credentials are applied"
            fix = "Use it under auth, in `apply`, or in `base_url`"
            self.reading.refuse(pointer, f"auth.{key} is a secret", why, fix)
        elif self.names.auth is not None:
            self._check_known(
                f"auth.{key}", key, self.names.auth, pointer, "Add it to `fields`, or `keep` it"
            )

    def _check_input(self, key: str, read: Read, pointer: str, *, is_guarded: bool) -> None:
        inputs = self.names.inputs or {}
        self._check_known(f"input.{key}", key, inputs, pointer, "Describe it under `input`")
        if not inputs.get(key, True) and not is_guarded and len(read.path) == 2:
            why, fix = "it is not required and has no default", f"Write input.{key} | default(omit)"
            self.reading.refuse(pointer, f"input.{key} may be missing", why, fix)

    def _check_known(self, written: str, key: str, known: Iterable[str], pointer: str, else_fix: str) -> None:
        names = list(known)
        if key in names:
            return
        near = suggestion(key, names)
        fix = f"Did you mean {near}" if near else else_fix
        self.reading.add(
            [Problem(pointer=pointer, what=f"there is no {written}", why="nothing gives it a value", fix=fix)]
        )


def _constant(text: str) -> Template:
    """Give a template for what has none: a number, nothing, or what is refused anyway."""
    found = compile_template(text.replace("{{", "").replace("{%", ""))
    assert isinstance(found, Template), "a text without braces is a template"
    return found
