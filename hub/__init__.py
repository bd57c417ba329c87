"""Hub: a self-hosted messaging webhook relay and integration hub."""

__version__ = "0.1.0"
