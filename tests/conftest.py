"""How Hypothesis and the log work in all tests.

How long an example takes, or is made, says nothing on a busy machine. The examples are the same each time, so that two
runs of one tree end alike; HUB_TEST_EXPLORE=1 draws others.
The log is written as plain text: a traceback that shows all variables, as structlog makes it unless told otherwise,
takes a second.
"""

import os

import structlog
from hypothesis import HealthCheck, settings

settings.register_profile(
    "hub",
    deadline=None,
    derandomize=not os.environ.get("HUB_TEST_EXPLORE"),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("hub")

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)
