"""Where the bytes of a media file wait until a run, an artifact or a table takes them, and under which name."""
