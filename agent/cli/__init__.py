"""The verbs `sweep agent` and `sweep run`."""
