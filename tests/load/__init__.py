"""The measuring tools of `make bench` and of the chaos test: receiver, load generator, real hub processes, report.

They share no code with the product except where a bare loop must use the product's own client: a signature that
both sides compute with the same function proves nothing.
"""
