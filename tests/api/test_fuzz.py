"""A schema-driven fuzz: schemathesis reads our OpenAPI document and asks what it allows, and what it does not.

Over a real HTTP server. Every answer must be one that the document describes, in status, type, headers and shape,
and never a 5xx.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.api.openapi import document_json
from hub.api.surface import build
from hub.flow.keys import KeyWish
from tests.support.hub_world import CONTACT, OTHER_LINE, HubWorld, open_world
from tests.support.permission_stage import set_stage

#: Of each operation and way; scripts/fuzz asks for many.
EXAMPLES_EACH = int(os.environ.get("HUB_FUZZ_EXAMPLES", "2"))
#: What answers 503 because somebody else does not answer.
ASKS_OTHERS = {"/v1/availability", "/v1/contacts/{id}/capabilities"}
#: What is longer the server refuses before it is a request.
LONGEST_URL = 60_000
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@contextlib.asynccontextmanager
async def served(world: HubWorld) -> AsyncIterator[str]:
    """Serve a hub's surface on a free port; give its URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(build(world.parts), http="httptools", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        try:
            while not server.started:  # noqa: ASYNC110 - uvicorn offers no event
                await asyncio.sleep(0.005)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


#: Under which path a thing is asked for, and its name on the stage.
NOUNS = {
    "/v1/bridges/": "bridge",
    "/v1/bulk/": "bulk",
    "/v1/chats/": "group",
    "/v1/contact-groups/": "contact_group",
    "/v1/contacts/": "contact",
    "/v1/deliveries/": "delivery",
    "/v1/events/": "event",
    "/v1/files/": "file",
    "/v1/jobs/": "job",
    "/v1/keys/": "key",
    "/v1/lines/": "line",
    "/v1/messages/": "message",
    "/v1/polls/": "poll",
    "/v1/routes/": "route",
    "/v1/runs/": "run",
    "/v1/webhooks/": "webhook",
}
#: Fields and query parameters, and what is there of them.
FIELDS = {
    "bridge_id": "bridge",
    "chat": "chat",
    "contact_group": "contact_group",
    "event_id": "event",
    "file_id": "file",
    "group": "contact_group",
    "message_id": "message",
    "route_id": "route",
    "webhook_id": "webhook",
}


def make_known(case: Any, things: Mapping[str, str]) -> None:
    """Put what is there in place of what was made up, so that the fuzz comes past `not found`."""
    noun = next((name for path, name in NOUNS.items() if case.path.startswith(path)), None)
    if noun is not None and "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = things[noun]
    people = {"from": OTHER_LINE, "line": OTHER_LINE, "to": CONTACT, "handle": CONTACT, "contact": CONTACT}
    known = {**{field: things[name] for field, name in FIELDS.items()}, **people}
    for given_fields in (case.query, case.body):
        if isinstance(given_fields, dict):
            given_fields.update({name: known[name] for name in given_fields.keys() & known.keys()})


def fuzz(operation: Any, mode: GenerationMode, ask: Any) -> None:
    """Ask one operation with generated requests. schemathesis does not export the types of its objects."""

    @settings(
        max_examples=EXAMPLES_EACH if mode is GenerationMode.POSITIVE else max(1, EXAMPLES_EACH // 2),
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def holds(case: Any) -> None:
        ask(case)

    holds()


def has_input(operation: Any) -> bool:
    """Whether there is anything that could be wrong."""
    return bool(operation.body) or any(True for _ in operation.iter_parameters())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "is_known"),
    [(GenerationMode.POSITIVE, False), (GenerationMode.POSITIVE, True), (GenerationMode.NEGATIVE, False)],
    ids=["allowed", "allowed-of-what-is-there", "forbidden"],
)
async def test_every_answer_is_one_that_the_document_describes(
    tmp_path: Path, mode: GenerationMode, is_known: bool
) -> None:
    schema = schemathesis.openapi.from_dict(msgspec.json.decode(document_json()))
    async with open_world(tmp_path, requests_per_hour=0) as world:
        stage = await set_stage(world)
        world.parts.live.feed.close()  # a stream ends as soon as it begins
        token = (await world.keys.create(KeyWish(name="fuzz", scopes=frozenset({"admin"})))).text
        async with served(world) as url:

            def ask(case: Any) -> None:
                if is_known:
                    make_known(case, stage.things)
                response = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
                if response.status_code == 405:  # a `/` in an id leads to another path
                    return
                if len(response.request.url or "") > LONGEST_URL:
                    return
                checks = CHECKS[1:] if case.path in ASKS_OTHERS and response.status_code == 503 else CHECKS
                case.validate_response(response, checks=checks)

            def whole() -> None:
                operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr] # an invalid one fails here
                for operation in sorted(operations, key=lambda each: each.method == "delete"):
                    if mode is GenerationMode.NEGATIVE and not has_input(operation):
                        continue
                    fuzz(operation, mode, ask)

            await asyncio.to_thread(whole)
