"""The cold repositories, one a noun, written once in SQLAlchemy Core for both databases."""
