"""POST /v1/sandbox/attach: let a simulated contact send a file."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, NoQuery, Reply
from hub.api.sandbox import Contact, GroupKey, SandboxText, act, done
from hub.model.errors import InvalidRequest


class Attach(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact sends a file, with or without words."""

    contact: Contact
    group: GroupKey | None = None
    #: `card`, `document`, `missing` (whose bytes nobody has), `photo` or `voice`.
    attachment: Annotated[str, Meta(min_length=1, max_length=32)]
    text: SandboxText | None = None


async def _attach(call: Call[NoQuery, Attach]) -> Reply:
    sandbox, body = call.uses.sandbox, call.body
    names = sandbox.contacts.attachment_names()
    if body.attachment not in names:
        raise InvalidRequest(
            "invalid_parameter_value",
            f"'attachment' must be one of {', '.join(names)}.",
            param="attachment",
        )
    stage = await sandbox.place(await sandbox.require_line(), body.contact, body.group)
    guid = sandbox.new_guid()
    sent = sandbox.contacts.attach(stage.scene, body.attachment, guid=guid, at=call.now_ms, text=body.text)
    return await done(call, stage, sent, guid=guid)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    act(
        "attach",
        "The contact sends a file.",
        Attach,
        _attach,
        example={"contact": "+15550100001", "attachment": "photo"},
    ),
)
