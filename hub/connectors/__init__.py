"""Does what manifests of connectors say: credentials, pace, requests, and what their answers mean for a run.

The way out, the store and the clock are given (hub.app); the decisions are those of hub.rules.connectors.
"""
