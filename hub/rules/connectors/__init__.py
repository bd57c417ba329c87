"""Connectors: what a manifest in YAML says about a provider's API, read and decided without input or output.

Nothing here knows files, sockets, the store or a clock; see docs/decisions/0024-connectors-are-manifests.md.
"""
