"""Webhooks of other services as data: who may speak, what it said, and under which name it counts once.

Not here: HTTP, files, the clock and what becomes of an accepted event (hub.api.hooks, hub.flow.source_intake).
"""
