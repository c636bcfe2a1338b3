"""A run that is going on in this process: its record, config, summary and console."""
