"""Steps from one schema to the next, forward only; each is checked by hand and never changed once released."""
