"""Routes at work: which ones stand, what events start, and how runs are driven (decision 20)."""
