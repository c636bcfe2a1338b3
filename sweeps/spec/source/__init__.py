"""YAML as checked nodes that know where they stand in the file."""
