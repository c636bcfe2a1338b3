"""The controller of a sweep: what it decides, and the work on the store that feeds it."""
