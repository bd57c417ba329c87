"""/v1/connections: which other services routes may ask, and whether those believe the hub."""

from __future__ import annotations

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.flow.connection_states import ConnectionStanding


class ConnectionReply(msgspec.Struct, frozen=True, kw_only=True):
    """A connection to another service. Its secrets are never shown."""

    #: As connections.yaml calls it.
    name: str
    #: The connector: `hubspot`.
    connector: str
    #: Which of the connector's ways to be known it uses.
    auth: str
    #: `ok`, `paused` (its credentials are refused, calls fail at once) or `failing` (its last test failed).
    state: str
    #: Why it is paused or failing.
    reason: str | None
    #: Unix ms; null unless it is paused.
    paused_at: int | None
    #: Unix ms; null before its first test.
    tested_at: int | None
    #: What the last test showed; null without one.
    works: bool | None
    #: Whose credentials they are, or why the test failed.
    test_result: str | None


async def _list(call: Call[NoQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    data = [_reply(each) for each in await call.uses.parts.connections()]
    return Reply(content=Listed(data=data, request_id=call.request_id))


def _reply(standing: ConnectionStanding) -> ConnectionReply:
    return ConnectionReply(
        name=standing.name,
        connector=standing.connector,
        auth=standing.auth,
        state=standing.state,
        reason=standing.reason,
        paused_at=standing.paused_at,
        tested_at=standing.tested_at,
        works=standing.works,
        test_result=standing.told,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/connections",
        name="list_connections",
        summary="List the connections to other services, and whether those believe the hub.",
        description=(
            "They are set up in connections.yaml; those that need no credentials are there anyway. Each that can be is "
            "tested about once a day. `hub connections test` tests now. docs/connectors.md."
        ),
        tag="routes",
        scope="routes:read",
        query=NoQuery,
        body=NoBody,
        reply=Listed[ConnectionReply],
        errors=("line_not_accessible",),
        handle=_list,
    ),
)
