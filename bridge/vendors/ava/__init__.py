"""An account at AVA by Buzzed Tech."""
