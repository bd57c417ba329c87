"""Routes: what a person writes in YAML to turn an event into steps, read and decided without input or output.

Nothing here knows files, the store or a clock; see docs/decisions/0020-routes-and-runs.md.
"""
