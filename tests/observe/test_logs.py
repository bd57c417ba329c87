"""One line a unit of work, in one of two forms, with the ids that people know."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hub.model.ids import Prefix, id_text
from hub.observe.logs import configure_logs


@pytest.fixture(autouse=True)
def _loggers_of_its_own() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_json_lines_hold_time_level_process_and_fields() -> None:
    stream = io.StringIO()
    configure_logs(level="info", form="json", process="web", stream=stream)

    structlog.get_logger("x").info("thing.done", count=2)

    line = json.loads(stream.getvalue())
    assert {"event": "thing.done", "level": "info", "process": "web", "count": 2}.items() <= line.items()
    assert line["at"].endswith("Z")


@pytest.mark.parametrize("form", ["json", "text"])
def test_ids_are_written_as_the_wire_writes_them(form: str) -> None:
    stream = io.StringIO()
    configure_logs(level="info", form=form, process="worker", stream=stream)

    structlog.get_logger("x").info(
        "delivery.failed", webhook_id=12345, delivery_id="dlv_known", event_id=None
    )

    assert id_text(Prefix.WEBHOOK, 12345) in stream.getvalue()
    assert "dlv_known" in stream.getvalue()


def test_people_are_not_shown_fields_without_a_value() -> None:
    stream = io.StringIO()
    configure_logs(level="info", form="text", process="web", stream=stream)

    structlog.get_logger("x").info("request.answered", code=None, status=200)

    assert "status=200" in stream.getvalue()
    assert "code" not in stream.getvalue()


@pytest.mark.parametrize(("level", "shown"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_lines_below_the_level_are_not_written(level: str, shown: int) -> None:
    stream = io.StringIO()
    configure_logs(level=level, form="json", process="web", stream=stream)
    log = structlog.get_logger("x")

    log.debug("a.b")
    log.info("a.b")
    log.warning("a.b")

    assert len(stream.getvalue().splitlines()) == shown


def test_libraries_log_warnings_in_the_same_form() -> None:
    stream = io.StringIO()
    configure_logs(level="debug", form="json", process="web", stream=stream)

    logging.getLogger("uvicorn").info("quiet")
    logging.getLogger("uvicorn").warning("%s happened", "something")

    (line,) = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert line["event"] == "something happened"
    assert line["process"] == "web"


def test_an_exception_is_told_without_the_values_of_variables() -> None:
    """A traceback with variables would show message text."""
    stream = io.StringIO()
    configure_logs(level="info", form="text", process="web", stream=stream)

    def fail(text: str) -> None:
        raise ValueError("no")

    try:
        fail("a secret " + "text")
    except ValueError:
        structlog.get_logger("x").exception("thing.failed")

    assert "ValueError: no" in stream.getvalue()
    assert "a secret text" not in stream.getvalue()
