"""The store: one durable SQLite file, its migrations, its location and read-only access. The only folder that knows sqlite3."""
