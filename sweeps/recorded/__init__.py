"""Verbs about runs and what they recorded, one file each."""
