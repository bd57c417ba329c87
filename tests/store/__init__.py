"""The store, both databases held to one suite."""
