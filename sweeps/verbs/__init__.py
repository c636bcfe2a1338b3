"""The verbs of the `sweep` command, one file each; the first line of a file is its help."""
