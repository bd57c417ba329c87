"""Use cases, step by step, in the order things happen. No decision (hub.rules), no socket, no SQL."""
