"""What bridges beside Messages on a Mac share: Apple's dates, child processes, files, and which line it was."""
