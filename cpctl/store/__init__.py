"""The store: one durable SQLite file, its migrations and its location. The only folder that knows sqlite3."""
