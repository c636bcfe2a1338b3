"""Where a run comes from: its code, commit, packages and machine."""
