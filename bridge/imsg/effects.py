"""Effects by the names of our API → as Apple spells them (bluebubbles-app lib/helpers/types/constants.dart)."""

from __future__ import annotations

from typing import Final

_BUBBLE: Final = "com.apple.MobileSMS.expressivesend."
_SCREEN: Final = "com.apple.messages.effect."

EFFECTS: Final = {
    "balloons": f"{_SCREEN}CKHappyBirthdayEffect",
    "celebration": f"{_SCREEN}CKSparklesEffect",
    "confetti": f"{_SCREEN}CKConfettiEffect",
    "echo": f"{_SCREEN}CKEchoEffect",
    "fireworks": f"{_SCREEN}CKFireworksEffect",
    "gentle": f"{_BUBBLE}gentle",
    "invisible": f"{_BUBBLE}invisibleink",
    "invisible_ink": f"{_BUBBLE}invisibleink",
    "lasers": f"{_SCREEN}CKLasersEffect",
    "loud": f"{_BUBBLE}loud",
    "love": f"{_SCREEN}CKHeartEffect",
    "shooting_star": f"{_SCREEN}CKShootingStarEffect",
    "slam": f"{_BUBBLE}impact",
    "spotlight": f"{_SCREEN}CKSpotlightEffect",
}


def effect_id(name: str) -> str | None:
    """Give Apple's name; None for an effect that nobody knows."""
    if name.startswith((_BUBBLE, _SCREEN)):
        return name
    return EFFECTS.get(name.lower().replace("-", "_").replace(" ", "_"))
