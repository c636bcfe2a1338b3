"""Where the console script `sweep` begins: it clears the search path before anything that a user's file could hide."""

from __future__ import annotations

from sweeps.cli import search_path


def main() -> int:
    """Run the command line; returns the exit status."""
    search_path.clean()
    from sweeps.cli.main import main as run  # only now: it imports click, tracking and half of Python

    return run()
