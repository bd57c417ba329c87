"""Tests of routes in YAML: what happens, what actions answer, what is to come of it (facts: routes A5).

Read strictly, played in memory by the rules that live runs follow, judged as a subset. Nothing is sent anywhere.
"""
