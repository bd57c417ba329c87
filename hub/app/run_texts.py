"""What runs say about where they run, from the settings."""

from __future__ import annotations

from hub.config.settings import Settings
from hub.flow.routing.parts import RunTexts


def run_texts(settings: Settings) -> RunTexts:
    """Read them."""
    return RunTexts(
        public_url=settings.web.public_url.rstrip("/"),
        env_name=settings.instance_name,
        timezone=settings.safety.time_zone,
    )
