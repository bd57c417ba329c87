"""Runs of routes as pure rules: what a run has done decides what it does next (decision 20).

The entrance is `looking.py`: from a route, the facts of a run and the results that are recorded, what is to be
recorded, attempted or waited for now. Not here: doing it (hub.flow.runs) and keeping it (hub.store).
"""
