"""The journal: the append-only record file that one attempt of a run writes, and the only way out of the process."""
