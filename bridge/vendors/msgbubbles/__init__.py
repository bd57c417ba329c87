"""An account at MsgBubbles."""
