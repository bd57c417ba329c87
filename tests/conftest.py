"""How Hypothesis works in all tests.

How long an example takes, or is made, says nothing on a busy machine. The examples are the same each time, so that two
runs of one tree end alike; HUB_TEST_EXPLORE=1 draws others.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "hub",
    deadline=None,
    derandomize=not os.environ.get("HUB_TEST_EXPLORE"),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("hub")
