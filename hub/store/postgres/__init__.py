"""PostgreSQL behind the store's port: multi-row statements over arrays, retries, healing after a restart."""
