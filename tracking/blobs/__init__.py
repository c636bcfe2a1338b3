"""Files by the hash of their content, each kept once."""
