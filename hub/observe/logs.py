"""Structured logs: one line a unit of work, `noun.verbed`, JSON or text on standard error.

No message text and no secret is ever given to a logger; what could name a person (handles) is not logged either,
ids are.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, TextIO, cast

import msgspec
import structlog

from hub.model.ids import Prefix, id_text

_ID_FIELDS: Final = {
    "bridge_id": Prefix.BRIDGE,
    "chat_id": Prefix.CHAT,
    "delivery_id": Prefix.DELIVERY,
    "event_id": Prefix.EVENT,
    "job_id": Prefix.JOB,
    "key_id": Prefix.API_KEY,
    "line_id": Prefix.LINE,
    "outbox_id": Prefix.OUTBOX,
    "webhook_id": Prefix.WEBHOOK,
}

_encoder = msgspec.json.Encoder(enc_hook=str)


class _StandardError(io.TextIOBase):
    """Standard error as it is when a line is written: loggers are kept, and it may be replaced meanwhile."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


def configure_logs(*, level: str, form: str, process: str, stream: TextIO | None = None) -> None:
    """Set up logging of the whole process, ours and the libraries'.

    Args:
        level: debug, info, warning or error.
        form: `json` for machines, `text` for people.
        process: Name shown on each line: web, worker, supervisor.
        stream: Where lines go; standard error if None.
    """
    stream = stream or cast(TextIO, _StandardError())
    number = getattr(logging, level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        _ids_as_people_know_them,
        structlog.stdlib.add_log_level if form == "text" else structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at" if form == "json" else "timestamp"),
        structlog.processors.format_exc_info,
    ]
    if form == "text":
        shared.append(_without_nothing)
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_to_json)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_library_formatter(shared, renderer))
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)


def _ids_as_people_know_them(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write ids as the wire and the command line do; inside they are integers."""
    for key in event.keys() & _ID_FIELDS.keys():
        if isinstance(event[key], int):
            event[key] = id_text(_ID_FIELDS[key], event[key])
    return event


def _without_nothing(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Leave out what has no value: machines want each field, people do not."""
    return {key: value for key, value in event.items() if value is not None}


def _to_json(value: Mapping[str, Any], **_: Any) -> str:
    return _encoder.encode(value).decode()


def _library_formatter(shared: list[Any], renderer: Any) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
