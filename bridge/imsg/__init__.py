"""Messages on a Mac by `imsg rpc`, JSON-RPC over the standard streams of a child process."""
