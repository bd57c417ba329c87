"""A schema-driven fuzz: schemathesis reads our OpenAPI document and asks what it allows, and what it does not.

Over a real HTTP server. Every answer must be one that the document describes, in status, type, headers and shape,
and never a 5xx.
"""

from __future__ import annotations

import asyncio
import contextlib
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
from hub.model.ids import Prefix, id_text
from tests.support.hub_world import HubWorld, line_id, open_world

EXAMPLES_EACH = 4
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


async def known_ids(world: HubWorld) -> Mapping[str, str]:
    """One thing of each kind, so that the fuzz comes past `not found`."""
    webhook = await world.webhook()
    await world.say("Hi")
    delivery = (await world.api.get("/v1/deliveries")).json["data"][0]
    key = await world.keys.create(KeyWish(name="spare", scopes=frozenset({"lines:read"})))
    job = await world.api.post("/v1/replays", {"webhook_id": webhook["id"], "since": 0})
    contact = await world.api.post("/v1/contacts", {"name": "Ann", "handles": ["+15550100001"]})
    group = await world.api.post("/v1/contact-groups", {"name": "g", "contact_ids": ["+15550100001"]})
    return {
        "/v1/bridges": id_text(Prefix.BRIDGE, world.other_line.bridge_id),
        "/v1/contact-groups": group.json["id"],
        "/v1/contacts": contact.json["id"],
        "/v1/deliveries": delivery["id"],
        "/v1/events": delivery["event_id"],
        "/v1/files": (await world.api.post("/v1/files", b"hello")).json["id"],
        "/v1/jobs": job.json["id"],
        "/v1/keys": id_text(Prefix.API_KEY, key.key.id),
        "/v1/lines": line_id(world.other_line),
        "/v1/webhooks": webhook["id"],
    }


def fuzz(operation: Any, mode: GenerationMode, ask: Any, **fixed: Any) -> None:
    """Ask one operation with generated requests. schemathesis does not export the types of its objects."""

    @settings(
        max_examples=EXAMPLES_EACH,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
    def holds(case: Any) -> None:
        ask(case)

    holds()


def has_input(operation: Any) -> bool:
    """Whether there is anything that could be wrong."""
    return bool(operation.body) or any(True for _ in operation.iter_parameters())


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)
async def test_every_answer_is_one_that_the_document_describes(tmp_path: Path, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_dict(msgspec.json.decode(document_json()))
    async with open_world(tmp_path, requests_per_hour=0) as world:
        known = await known_ids(world)
        world.parts.live.feed.close()  # a stream ends as soon as it begins
        token = (await world.keys.create(KeyWish(name="fuzz", scopes=frozenset({"admin"})))).text
        async with served(world) as url:

            def ask(case: Any) -> None:
                response = case.call(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
                if response.status_code == 405:  # a `/` in an id leads to another path
                    return
                case.validate_response(response, checks=CHECKS)

            def whole() -> None:
                operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr] # an invalid one fails here
                for operation in sorted(operations, key=lambda each: each.method == "delete"):
                    if mode is GenerationMode.NEGATIVE and not has_input(operation):
                        continue
                    fuzz(operation, mode, ask)
                    noun = next((each for each in known if operation.path.startswith(f"{each}/")), None)
                    if noun is not None and mode is GenerationMode.POSITIVE:
                        fuzz(operation, mode, ask, path_parameters={"id": known[noun]})

            await asyncio.to_thread(whole)
