"""The catalog in one SQLite file: definitions, inventory, journal, history; WAL, one transaction per settled action."""
