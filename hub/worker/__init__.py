"""The worker: what is due, to whom, when. Woken by Redis, driven by arq, decided by SQL."""
