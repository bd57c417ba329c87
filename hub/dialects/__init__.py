"""Vendors' wire forms as translations of the native surface: one folder each, and one line in the registry.

A dialect reads a vendor's request, asks native endpoints in process (hub.dialects.native), and writes the vendor's
answer. It decides nothing, keeps nothing, and cannot reach the store: what it lacks is added to the native surface.
"""
