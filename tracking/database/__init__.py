"""The database that both stores share: its URL, engine, transactions, errors and schema upgrades."""
