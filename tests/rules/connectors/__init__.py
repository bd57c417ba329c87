"""What manifests of connectors say, and the decisions that follow, without a wire."""
