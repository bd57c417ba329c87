"""Tests of hub.api, over real ASGI and a real SQLite store."""
