"""The bridge to an Android phone."""
