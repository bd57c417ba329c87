"""The filters, by what they work on. `registry.py` has all of them."""
