"""The database: connections, transactions, and what is remembered of them. Domain words only in migrations."""
