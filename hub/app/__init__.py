"""The composition root: settings in, a running hub out.

The only place that names concrete parts, and the only reader of clock, environment and randomness.
"""
