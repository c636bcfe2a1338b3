"""Starts trials: as processes under the guard, or as calls of a function."""
