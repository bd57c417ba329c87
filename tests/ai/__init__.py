"""Tests of hub.ai."""
