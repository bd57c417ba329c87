"""An account at Blooio, by its API of version 2."""
