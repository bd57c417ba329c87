"""An account at Coop (txtcoop.com)."""
