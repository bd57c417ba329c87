"""What a message says: inputs that sending and answering share, made into what the outbox keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.actions.desk import Desk
from hub.actions.inputs import read_instant
from hub.flow.downloads import DownloadFailed
from hub.flow.file_intake import Claims
from hub.flow.files import file_id_text, read_file_id
from hub.flow.repeating import Repeatable
from hub.model.actions import ActionCall, ActionFailed
from hub.model.file import File
from hub.model.template import Template, template_words
from hub.rules.file_names import clean_name

MOST_TEXT: Final = 20_000
MOST_ATTACHMENTS: Final = 10
MOST_METADATA_BYTES: Final = 1024
MOST_AHEAD_MS: Final = 366 * 86_400_000
#: What is done once under the key of a step, and what under a key that a route's author chose.
STEP_SCOPE: Final = "run"  # kept with the run (hub.store.repositories.run_retention)
AUTHOR_SCOPE: Final = "routes"

Text = Annotated[
    str,
    Meta(
        title="Text",
        description="The words.",
        max_length=MOST_TEXT,
        examples=["Thanks, we got your message."],
    ),
]
Attachments = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=2048)], ...],
    Meta(
        title="Attachments",
        description="Addresses that are fetched (https), or `file_` ids.",
        max_length=MOST_ATTACHMENTS,
        examples=[["https://example.com/menu.pdf"]],
    ),
]
Effect = Annotated[
    str,
    Meta(title="Effect", description="As the line's network names it.", min_length=1, max_length=64,
         examples=["confetti"]),
]  # fmt: skip
Moment = Annotated[
    int | str,
    Meta(
        title="Send at",
        description="When it is to go out: a date and time with its offset, or Unix milliseconds. At most a year "
        "ahead; a time that is over means now.",
        examples=["2026-08-01T09:00:00+02:00"],
    ),
]
Metadata = Annotated[
    dict[str, Any],
    Meta(
        title="Metadata",
        description="An object of your own, at most 1 KB: given back in `message.*` events. `hub_route`, `hub_run` and "
        "`hub_hops` are added.",
        examples=[{"campaign": "spring"}],
    ),
]
OnceKey = Annotated[
    str,
    Meta(
        title="Idempotency key",
        description="The same key sends once, whichever run asks. Absent: once for this step of this run.",
        min_length=1,
        max_length=255,
        examples=["fallback:msg_0f2m4h8x0g001"],
    ),
]


ApprovedText = Annotated[
    Template,
    Meta(
        title="Template",
        description="Words that the network has approved, in the place of `text` and `attachments`: what WhatsApp lets "
        "through to a contact who has been silent for 24 hours. Name, language, and what fills the blanks: a list in "
        "their order, or an object by their names. The line must be able to (`templates`).",
        examples=[{"name": "order_shipped", "language": "en_US", "values": ["Ada", "17"]}],
    ),
]


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out."""

    text: Text | None = None
    attachments: Attachments = ()
    template: ApprovedText | None = None
    effect: Effect | None = None
    allow_sms_fallback: Annotated[
        bool,
        Meta(title="Allow SMS", description="If the first network refuses it, it may go out as SMS."),
    ] = False
    send_at: Moment | None = None
    metadata: Metadata | None = None
    idempotency_key: OnceKey | None = None


def check_content(content: Content) -> None:
    """Refuse what says nothing, or too much beside.

    Raises:
        ActionFailed: `invalid`.
    """
    has_words = bool(content.text and content.text.strip())
    if content.template is not None and (has_words or content.attachments or content.effect):
        raise ActionFailed(
            "invalid",
            "'template' stands alone, without `text`, `attachments` and `effect`: its words are the network's.",
        )
    if not has_words and not content.attachments and content.template is None:
        raise ActionFailed("invalid", "The message says nothing: give `text`, `attachments` or a `template`.")
    if content.metadata is not None and len(msgspec.json.encode(content.metadata)) > MOST_METADATA_BYTES:
        raise ActionFailed("invalid", f"'metadata' is larger than {MOST_METADATA_BYTES} bytes of JSON.")


def planned_at(content: Content, *, now_ms: int) -> int | None:
    """Give when it is to go out; None for at once.

    Raises:
        ActionFailed: `invalid`.
    """
    at_ms = read_instant(content.send_at, name="send_at")
    if at_ms is not None and at_ms > now_ms + MOST_AHEAD_MS:
        raise ActionFailed("invalid", "'send_at' is more than a year ahead.")
    return None if at_ms is None else max(0, at_ms)


def stamped(content: Content, call: ActionCall) -> str | None:
    """Give the metadata with what tells that a run sent this: by it a route that triggers itself is cut off."""
    ours = {"hub_route": call.route, "hub_run": call.run, "hub_hops": call.hops if call.run else None}
    both = {**(content.metadata or {}), **{name: value for name, value in ours.items() if value is not None}}
    return msgspec.json.encode(both).decode() if both else None


def once(call: ActionCall, key: str | None = None) -> Repeatable:
    """Give that by which what a step asks for is done once.

    Args:
        call: The attempt; every attempt at a step has the same key and inputs.
        key: As the route's author chose it.
    """
    asked = msgspec.json.encode([call.name, call.inputs], order="deterministic")
    return Repeatable(
        scope=STEP_SCOPE if key is None else AUTHOR_SCOPE,
        key=call.key if key is None else key,
        request_hash=blake2b(asked, digest_size=32).digest(),
        run_id=call.key_run_id,
    )


async def content_fields(desk: Desk, content: Content) -> dict[str, object]:
    """Give the fields of the send, attachments fetched and stored.

    Raises:
        InvalidRequest: A file that is not there or not ready, or is too large.
        ActionFailed: An address gave no file.
    """
    if content.template is not None:
        return await _template_fields(desk, content.template)
    files = [
        await _file(desk, text, f"attachments[{index}]") for index, text in enumerate(content.attachments)
    ]
    named = [file_id_text(file) for file in files]
    fields: dict[str, object] = {}
    if len(named) > 1:
        words = [{"type": "text", "text": content.text}] if content.text else []
        fields["parts"] = [*words, *({"type": "attachment", "file_id": each} for each in named)]
    else:
        fields |= {"text": content.text, "attachments": named}
    fields |= {"effect": content.effect, "allow_sms_fallback": content.allow_sms_fallback}
    fields["files"] = _shown(files)
    return {name: value for name, value in fields.items() if value}


async def _template_fields(desk: Desk, template: Template) -> dict[str, object]:
    fields: dict[str, object] = {"template": msgspec.to_builtins(template)}
    if template.header_file_id is not None:
        if "://" in template.header_file_id:
            raise ActionFailed("invalid", "'template.header_file_id' is a `file_` id, not an address.")
        fields["files"] = _shown([await _file(desk, template.header_file_id, "template.header_file_id")])
    return fields


def _shown(files: Sequence[File]) -> dict[str, object]:
    """Give what the message shows of files."""
    return {
        file_id_text(file): {"filename": file.filename, "mime_type": file.mime_type, "size": file.size}
        for file in files
    }


async def _file(desk: Desk, text: str, param: str) -> File:
    if "://" not in text:
        file = await desk.files.get(read_file_id(text, param=param), param=param)
        desk.files.require_ready(file, param=param)
        return file
    try:
        async with desk.downloads.open(
            text, most_bytes=desk.files.most_bytes, timeout_seconds=desk.fetch_seconds
        ) as download:
            claims = Claims(filename=clean_name(download.filename), mime_type=download.mime_type)
            return await desk.files.upload(None, download.pieces, claims)
    except DownloadFailed as error:
        raise ActionFailed(
            "permission" if error.is_refused else "invalid" if error.is_permanent else "retryable",
            f"The address in '{param}' gave no file: {error}.",
        ) from None


def quoted(text: str | None, attachments: tuple[str, ...] = (), template: Template | None = None) -> str:
    """Show words in a line of a preview."""
    if template is not None:
        return f"the template {template_words(template)}"
    words = " ".join((text or "").split())
    shown = f'"{words[:77]}…"' if len(words) > 80 else f'"{words}"' if words else ""
    files = f"{len(attachments)} attachment{'s' if len(attachments) > 1 else ''}" if attachments else ""
    return " and ".join(filter(None, (shown, files))) or "nothing"


def placed(call: ActionCall, what: str, inputs: Mapping[str, object]) -> str:
    """Add to a line of a preview what else was said."""
    more = ", ".join(f"{name} {value}" for name, value in inputs.items() if value)
    ignored = f"ignoring {' and '.join(sorted(call.ignore))}" if call.ignore else ""
    aside = "; ".join(filter(None, (more, ignored)))
    return f"{call.name} {what} ({aside})" if aside else f"{call.name} {what}"
