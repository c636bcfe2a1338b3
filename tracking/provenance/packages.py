"""Lists what is installed for the interpreter that trains, in the form of a requirements file."""

from __future__ import annotations

import subprocess

TIMEOUT_S = 60.0

# Runs in the interpreter that trains, which need not be ours: nothing of ours can be imported there.
_PROGRAM = r"""
import json, sys
from importlib.metadata import distributions
found = {}
for one in distributions():
    try:
        name, version = one.metadata["Name"], one.version
        if not name or not version:
            continue
        line = name + "==" + version
        origin = one.read_text("direct_url.json")
        if origin:
            origin = json.loads(origin)
            url, vcs = origin.get("url", ""), origin.get("vcs_info")
            scheme, mark, rest = url.partition("://")
            place, slash, path = rest.partition("/")
            url = scheme + mark + place.rpartition("@")[2] + slash + path
            if vcs:
                line = name + " @ " + vcs.get("vcs", "git") + "+" + url + "@" + vcs.get("commit_id", "")
            elif url:
                line += "  # from " + url
        found.setdefault(name.lower().replace("_", "-"), line)
    except Exception:
        continue
sys.stdout.buffer.write("".join(found[name] + "\n" for name in sorted(found)).encode("utf-8", "replace"))
"""


def installed(executable: str) -> bytes:
    """`name==version` lines, sorted; b"" when that interpreter does not answer."""
    try:
        done = subprocess.run(
            [executable, "-P", "-c", _PROGRAM],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""
