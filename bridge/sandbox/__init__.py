"""The sandbox: a simulated network with simulated contacts, for newcomers and tests. docs/sandbox.md tells its ways."""
