"""Decisions: values in, a decision out. No clock, no chance, no input or output."""
