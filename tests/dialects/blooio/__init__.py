"""Blooio's API (contracts: blooio)."""
