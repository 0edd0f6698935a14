"""The database: connections, transactions, and what is remembered of them. No domain words."""
