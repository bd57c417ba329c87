"""The agent: what it does on its machine, and what it says to the hub."""
