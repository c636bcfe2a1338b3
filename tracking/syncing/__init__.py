"""Syncing: brings what lies in run folders into the store, later or from another machine, as often as one likes."""
