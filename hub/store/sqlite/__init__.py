"""SQLite behind the store's port: one writer thread with group commit, a few readers, the standard driver."""
