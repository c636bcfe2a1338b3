"""Tables with media cells, stored as Parquet."""
