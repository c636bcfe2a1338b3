"""The history of the tables of the tracking floor: an Alembic script directory without env.py (see migrating.py)."""
