"""The adapters to networks, one folder each; deleting a folder and its line in the registry removes a network."""
