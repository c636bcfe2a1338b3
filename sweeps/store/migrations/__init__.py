"""The history of the tables of the sweeps floor: an Alembic script directory without env.py (see migrating.py)."""
