"""Nouns: what things are. Standard library only; no decision, no input or output."""
