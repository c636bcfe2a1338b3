"""How a run starts: what init() was told, by its arguments, files and the environment, and what it makes of that."""
