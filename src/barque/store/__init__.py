"""The database: connections, transactions, migrations, and what is remembered of its answers.

Domain words only in migrations.
"""
