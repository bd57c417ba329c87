"""Carrying over from vendors: a hub that moves away from another hub, which speaks the vendor's wire."""
