"""How Hypothesis works in all tests: how long an example takes, or is made, says nothing on a busy machine."""

from hypothesis import HealthCheck, settings

settings.register_profile("hub", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hub")
