"""What is at a path."""

from __future__ import annotations

import re

import pytest

from hub.api.paths import Paths
from hub.api.surface import ENDPOINTS
from hub.dialects.registry import DIALECTS

TEMPLATES = (
    "/v1/chats",
    "/v1/chats/{id}",
    "/v1/chats/{id}/messages",
    "/v1/chats/{id}/messages/{message_id}",
    "/v1/chats/unread",
    "/v1/{noun}/{id}",
)
SURFACES = {"native": ENDPOINTS, **{each.name: each.endpoints for each in DIALECTS}}


@pytest.mark.parametrize(
    ("path", "template", "parameters"),
    [
        ("/v1/chats", "/v1/chats", {}),
        ("/v1/chats/unread", "/v1/chats/unread", {}),
        ("/v1/chats/7", "/v1/chats/{id}", {"id": "7"}),
        ("/v1/chats/a b+ü%", "/v1/chats/{id}", {"id": "a b+ü%"}),
        ("/v1/chats/{id}", "/v1/chats/{id}", {"id": "{id}"}),
        ("/v1/lines/7", "/v1/{noun}/{id}", {"noun": "lines", "id": "7"}),
        ("/v1/chats/7/messages", "/v1/chats/{id}/messages", {"id": "7"}),
        (
            "/v1/chats/7/messages/messages",
            "/v1/chats/{id}/messages/{message_id}",
            {"id": "7", "message_id": "messages"},
        ),
    ],
)
def test_what_fits_is_found_with_its_parameters(path: str, template: str, parameters: dict[str, str]) -> None:
    assert Paths({each: each for each in TEMPLATES}).find(path) == (template, parameters)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/v1", "/v1/chats/", "/v1//7", "/v1/chats//messages", "v1/chats", "/v1/chats/7/messages/8/9"],
)
def test_what_does_not_fit_or_leaves_a_parameter_empty_is_not_found(path: str) -> None:
    assert Paths({each: each for each in TEMPLATES}).find(path) is None


@pytest.mark.parametrize("surface", SURFACES)
def test_every_path_of_a_surface_is_found_at_itself_alone(surface: str) -> None:
    paths = {each.path: each.path for each in SURFACES[surface]}
    table = Paths(paths)

    assert {path: table.find(re.sub(r"\{[^}]*\}", "x", path)) for path in paths} == {
        path: (path, dict.fromkeys(re.findall(r"\{([^}]*)\}", path), "x")) for path in paths
    }


@pytest.mark.parametrize("surface", SURFACES)
def test_a_parameter_is_the_whole_of_a_segment(surface: str) -> None:
    segments = {part for each in SURFACES[surface] for part in each.path.split("/")}

    assert [each for each in segments if "{" in each and not re.fullmatch(r"\{\w+\}", each)] == []
