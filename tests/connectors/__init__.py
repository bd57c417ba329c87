"""Connectors held to their golden exchanges, and their engine to everything that providers do."""
