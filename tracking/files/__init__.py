"""Files that a run keeps beside its history."""
