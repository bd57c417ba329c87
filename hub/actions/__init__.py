"""Actions that the hub brings along: messages, contacts, conversations, drafts, and a word in the log.

They do what clients do over REST, by the same use cases (hub.flow), for runs of routes: without an API key, and each
exactly once under the key of its step. Not here: actions of connectors, and the runs themselves.
"""
