"""Each dialect against its contract."""
