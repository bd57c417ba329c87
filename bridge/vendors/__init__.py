"""Accounts at vendors of messaging APIs, as bridges: the vendor carries the messages, the hub is its client."""
