"""The `sweep` command itself: finding verbs, errors as exit codes, what verbs share."""
