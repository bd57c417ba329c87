"""Long texts beside routes: taken in as if they were written out, followed, and never read from elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.config.blueprint_files import read_blueprint_folder
from hub.config.route_documents import read_route_document
from hub.config.route_files import read_route_files, read_route_text
from hub.config.text_files import LONGEST_TEXT, MOST_TEXTS
from hub.rules.routes.model import UseStep

ROUTE = """\
version: 1
routes:
  - id: a
    trigger: message.received
    steps:
      - parallel:
          - use: message.reply
            with: {{ text: {{ file: {name} }} }}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    routes = tmp_path / "routes"
    (routes / "prompts").mkdir(parents=True)
    (tmp_path / "secret.md").write_text("not for routes")
    return routes


def read(place: Path, name: str = "prompts/a.md", route: str = ROUTE) -> list[str]:
    path = place / "a.yaml"
    path.write_text(route.format(name=name))
    found = read_route_text(path.read_bytes(), source=str(path))
    told = [
        f"{Path(each.path).name}:{each.line}:{each.column} {each.what}: {each.why}" for each in found.problems
    ]
    assert told == [
        f"{Path(each.path).name}:{each.line}:{each.column} {each.what}: {each.why}"
        for each in read_route_document(path).problems
    ]
    return told or [each.source for each in found.routes]


def test_a_text_is_as_if_it_were_written_out(place: Path) -> None:
    (place / "prompts" / "a.md").write_bytes("\ufeffDear {{ event.from }},\r\n\r\n# Ä\n\n".encode())
    (source,) = read(place)
    (out,) = read(place, route=ROUTE.replace("{{ file: {name} }}", '"Dear {{{{ event.from }}}},\\n\\n# Ä"'))

    assert source == out


def test_a_mistake_in_a_text_is_told_where_it_stands(place: Path) -> None:
    (place / "prompts" / "a.md").write_text("Dear,\n\n  {{ evnt.from }} and {{ steps.x.output }}\n")

    assert [each.split(": ")[0] for each in read(place)] == [
        "a.md:3:6 evnt is not known",
    ]
    (place / "prompts" / "a.md").write_text("Dear,\n\n  {{ steps.x.output }}\n")
    assert [each.split(": ")[0] for each in read(place)] == ["a.md:3:6 there is no step x"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("prompts/b.md", "there is no such file, or the hub's user may not read it"),
        ("prompts", "there is no such file, or the hub's user may not read it"),
        ("../secret.md", "it leads out of the folder of this file, or to a hidden file"),
        ("prompts/../../secret.md", "it leads out of the folder of this file, or to a hidden file"),
        ("prompts/.hidden.md", "it leads out of the folder of this file, or to a hidden file"),
        (".git/config", "it leads out of the folder of this file, or to a hidden file"),
        ("/etc/passwd", "it is no path from the folder of this file on"),
        ("'..\\secret.md'", "it is no path from the folder of this file on"),
        ("' '", "it is no path from the folder of this file on"),
        ("prompts/out.md", "a link leads out of the folder of this file"),
        ("out/secret.md", "a link leads out of the folder of this file"),
        ("prompts/pipe.md", "there is no such file, or the hub's user may not read it"),
        ("prompts/loop.md", "a link leads out of the folder of this file"),
        ("prompts/empty.md", "it is empty"),
        ("prompts/long.md", f"it is longer than {LONGEST_TEXT} characters"),
        ("prompts/huge.md", f"it is longer than {LONGEST_TEXT} characters"),
        ("prompts/latin.md", "byte 1 of it is not UTF-8"),
        ("prompts/nul.md", "it has a control character, U+0000"),
    ],
)
def test_what_is_no_text_of_this_folder_is_refused(name: str, why: str, place: Path) -> None:
    prompts = place / "prompts"
    (prompts / ".hidden.md").write_text("hidden")
    (prompts / "out.md").symlink_to(place.parent / "secret.md")
    (place / "out").symlink_to(place.parent)
    (prompts / "loop.md").symlink_to(prompts / "loop.md")
    os.mkfifo(prompts / "pipe.md")
    (prompts / "empty.md").write_text("\n \n")
    (prompts / "long.md").write_text("ä" * (LONGEST_TEXT + 1))
    (prompts / "huge.md").write_text("€" * (LONGEST_TEXT * 3))
    (prompts / "latin.md").write_bytes(b"a\xe4")
    (prompts / "nul.md").write_bytes(b"a\0b")
    shown = name.strip("'")

    assert read(place, name) == [f"a.yaml:8:35 the text {shown!r} cannot be used: {why}"]


def test_a_link_within_the_folder_is_followed(place: Path) -> None:
    (place / "prompts" / "real.md").write_text("Hello")
    (place / "prompts" / "a.md").symlink_to("real.md")

    assert "Hello" in read(place)[0]


def test_only_so_many_are_read(place: Path) -> None:
    steps = "".join(
        f"      - {{ use: log, with: {{ message: {{ file: prompts/{number}.md }} }} }}\n"
        for number in range(MOST_TEXTS + 1)
    )
    for number in range(MOST_TEXTS + 1):
        (place / "prompts" / f"{number}.md").write_text("a")
    path = place / "a.yaml"
    path.write_text(f"version: 1\nroutes:\n  - id: a\n    trigger: message.sent\n    steps:\n{steps}")
    (told,) = read_route_text(path.read_bytes(), source=str(path)).problems

    assert told.why == f"a file of routes has {MOST_TEXTS} texts at most"


def test_a_map_that_is_sent_is_left_alone(place: Path) -> None:
    path = place / "a.yaml"
    steps = "[{ use: http.request, with: { url: 'https://a.example', method: POST, json: %s } }]"
    written = [
        steps % "{ a: { file: b.md } }",
        steps % "{ file: \"{{ 'b.md' }}\" }",
        steps % "{ file: b.md, c: 1 }",
    ]
    for each in written:
        path.write_text(f"version: 1\nroutes: [{{ id: a, trigger: message.sent, steps: {each} }}]\n")
        assert read_route_text(path.read_bytes(), source=str(path)).problems == ()


def test_texts_are_a_part_of_the_revision_and_followed(place: Path) -> None:
    text = place / "prompts" / "a.md"
    (place / "a.yaml").write_text(ROUTE.format(name="prompts/a.md"))
    missing = read_route_files(place)
    text.write_text("one")
    first = read_route_files(place, known=missing.known)
    same = read_route_files(place, known=first.known)
    text.write_text("two")
    second = read_route_files(place, known=same.known)

    assert len(missing.problems) == 1
    assert list(missing.texts) == [text]
    assert same.routes[0] is first.routes[0]
    assert "one" in first.routes[0].source
    assert "two" in second.routes[0].source


def test_blueprints_have_texts_and_take_them(tmp_path: Path) -> None:
    for name in ("routes", "blueprints"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.md").write_text(f"of {name}")
    blueprint = tmp_path / "blueprints" / "two.yaml"
    blueprint.write_text(
        "version: 1\nblueprint: Two\ninputs: { text: { type: template, description: What, default: a } }\n"
        "routes:\n  - id: r\n    trigger: message.sent\n    steps:\n"
        '      - { use: log, with: { message: "{{ input.text }}" } }\n'
        "      - { use: log, with: { message: { file: own.md } } }\n"
    )
    use = "version: 1\nroutes: [{ use_blueprint: two, id: a, inputs: { text: { file: own.md } } }]\n"
    path = tmp_path / "routes" / "a.yaml"
    path.write_text(use)
    folder = read_blueprint_folder(blueprint.parent)
    found = read_route_files(path.parent, folder=folder)
    (route,) = (each.route for each in found.routes)
    (tmp_path / "blueprints" / "own.md").write_text("otherwise")
    changed = read_route_files(path.parent, folder=read_blueprint_folder(blueprint.parent), known=found.known)
    (tmp_path / "routes" / "own.md").write_text("a\n{{ evnt.a }}")
    (told,) = read_route_files(path.parent, folder=folder, known=found.known).problems

    assert [each.with_.source for each in route.steps if isinstance(each, UseStep)] == [
        {"message": "of routes"},
        {"message": "of blueprints"},
    ]
    assert "otherwise" in changed.routes[0].source
    assert set(found.texts) == {tmp_path / "routes" / "own.md", tmp_path / "blueprints" / "own.md"}
    assert (told.path, told.line, told.column) == (str(tmp_path / "routes" / "own.md"), 2, 4)
    assert told.origin is not None
    assert (told.origin.line, told.origin.column) == (8, 38)
