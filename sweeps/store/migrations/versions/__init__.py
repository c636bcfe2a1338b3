"""One script for each version; Alembic loads them by path."""
