"""Crashes under load: whatever dies, every event whose accept was answered is delivered."""
