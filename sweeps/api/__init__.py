"""The Python API: create a sweep, work on it, ask and tell, steer it, look at it."""
