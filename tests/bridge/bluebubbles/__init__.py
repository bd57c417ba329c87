"""BlueBubbles, before a server that is true to the source."""
