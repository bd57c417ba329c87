"""The dialect of Coop."""
