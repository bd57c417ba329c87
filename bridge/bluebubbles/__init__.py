"""iMessage through a BlueBubbles server on a Mac. README.md tells how it is set up, and what was never seen."""
