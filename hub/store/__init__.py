"""The only SQL: tables, migrations, hot statements and repositories for SQLite and PostgreSQL behind one port."""
