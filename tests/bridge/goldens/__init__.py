"""Golden files of bridges: what a network told and what was observed of it, what was asked and what was sent for it."""
