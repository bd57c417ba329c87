"""The agent: runs a bridge's adapter beside its network, on a machine that the hub cannot reach (docs/agent.md)."""
