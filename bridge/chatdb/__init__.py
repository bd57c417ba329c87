"""Messages on a Mac without any third party: its database is read, and AppleScript sends."""
