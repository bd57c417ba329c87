"""Expressions and templates of routes and manifests: the syntax of Jinja2, and an evaluator of our own.

Jinja2 reads the text; what it reads is checked against a list of allowed forms and compiled into closures that know
plain values only. No attribute of a Python object is ever looked up, nothing is imported, no code is generated.
`now` is an argument; nothing here does input or output.

The entrance is `templates.py` for one text and `structures.py` for a value with templates in it; see
docs/decisions/0019-expressions.md.
"""
