"""Versioned sets of files: made, recorded, fetched, verified."""
