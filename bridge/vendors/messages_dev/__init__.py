"""An account at messages.dev."""
