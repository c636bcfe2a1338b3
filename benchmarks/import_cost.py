"""What `import tracking`, init() and finish() of a short run cost, each in a fresh process, with warm bytecode."""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SHORT_RUN = """
import json, time
start = time.perf_counter()
import tracking
imported = time.perf_counter()
run = tracking.init(project="bench", config={"lr": 1e-3})
begun = time.perf_counter()
for i in range(100):
    run.log({"loss": 1.0 / (i + 1)})
logged = time.perf_counter()
run.finish()
ended = time.perf_counter()
print(json.dumps([imported - start, begun - imported, ended - logged]))
"""
HEAVY = ("sqlalchemy", "numpy", "yaml", "rich", "asyncio", "optuna", "alembic", "PIL", "torch", "pandas")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=15, help="processes per figure (default 15)")
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # companions may still be ending
        environ = {**os.environ, "SWEEP_HOME": str(Path(folder, "home")), "SWEEP_SILENT": "1"}
        environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(folder, "bytecode"))}
        traced = [importtime(environ) for _ in range(repeat + 1)][1:]
        imported, begun, ended = columns([short_run(environ, alone=True) for _ in range(repeat + 1)][1:])
        crowded = columns([short_run(environ, alone=False) for _ in range(repeat + 1)][1:])[1]
        print(f"{'':36}{'target':>10}{'median':>12}{'worst':>12}")
        line("import tracking (-X importtime)", "≤ 60 ms", sorted(traced))
        line("import tracking (wall)", "–", imported)
        line("init()", "≤ 50 ms", begun)
        line("init(), other shippers starting", "–", crowded)
        line("finish() of a short run", "≤ 300 ms", ended)
        print("heavy modules imported:", ", ".join(heavy(environ)) or "none")


def importtime(environ: dict[str, str]) -> float:
    """Milliseconds that -X importtime says of the package and all that it brings."""
    done = run([sys.executable, "-X", "importtime", "-c", "import tracking"], environ)
    found = re.search(r"\|\s*(\d+) \| tracking$", done.stderr, re.MULTILINE)
    assert found is not None, done.stderr
    return int(found[1]) / 1000


def short_run(environ: dict[str, str], *, alone: bool) -> list[float]:
    """Seconds of import, init() and finish(); `alone`: once the shippers of earlier runs have ended."""
    while alone and shippers():
        time.sleep(0.05)
    return list(json.loads(run([sys.executable, "-c", SHORT_RUN], environ).stdout))


def shippers() -> list[psutil.Process]:
    """The processes that ship journals on this machine now."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "tracking.shipping" in (process.info["cmdline"] or ())
    ]


def columns(runs: list[list[float]]) -> list[list[float]]:
    """Milliseconds of import, init() and finish(), each ascending."""
    return [sorted(1000 * value for value in column) for column in zip(*runs, strict=True)]


def heavy(environ: dict[str, str]) -> list[str]:
    """Heavy modules that a process has after import and init()."""
    code = "import sys, tracking; tracking.init(mode='offline').finish(); print(*sys.modules)"
    return [name for name in HEAVY if name in run([sys.executable, "-c", code], environ).stdout.split()]


def run(command: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True)


def line(what: str, target: str, took: list[float]) -> None:
    print(f"{what:36}{target:>10}{statistics.median(took):>9.1f} ms{took[-1]:>9.1f} ms")


if __name__ == "__main__":
    main()
