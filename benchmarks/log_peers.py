"""log() of 4 scalars beside other trackers: each in its own process, pinned alike, all in one run.

`make peers` installs the others into `.peers`; those that are missing are said to be. Every process trains for the same
number of steps with a little pause now and then (so that background threads and processes get their turn as they do in
training) and once in a row. CPU counts the process and, once they ended, its children.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PEERS_PYTHON = ROOT / ".peers" / "bin" / "python"

# `start()` gives log(step, row) and finish(); what it imports and opens is timed as import and init.
PEERS = {
    "sweepwright": """
import tracking
def start():
    run = tracking.init(project="bench")
    return (lambda step, row: run.log(row)), run.finish
""",
    "JSON lines, flushed": """
import json
def start():
    file = open("log.jsonl", "w")
    def log(step, row):
        file.write(json.dumps({"step": step, **row}) + "\\n")
        file.flush()
    return log, file.close
""",
    "wandb offline": """
import wandb
def start():
    run = wandb.init(project="bench", mode="offline")
    return (lambda step, row: run.log(row)), run.finish
""",
    "trackio": """
import trackio
def start():
    trackio.init(project="bench")
    return (lambda step, row: trackio.log(row)), trackio.finish
""",
    "mlflow (SQLite)": """
import mlflow
def start():
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.start_run()
    return (lambda step, row: mlflow.log_metrics(row, step=step)), mlflow.end_run
""",
    "aim": """
import aim
def start():
    run = aim.Run(repo=".", system_tracking_interval=None)
    def log(step, row):
        for name, value in row.items():
            run.track(value, name=name, step=step)
    return log, run.close
""",
    "tensorboardX": """
from tensorboardX import SummaryWriter
def start():
    writer = SummaryWriter("tb")
    def log(step, row):
        for name, value in row.items():
            writer.add_scalar(name, value, step)
    return log, writer.close
""",
}
HARNESS = """
import json, os, resource, sys, time
rows = int(sys.argv[1])
now = time.perf_counter_ns
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
def cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime
row = {"train/loss": 0.5, "train/accuracy": 0.8, "lr": 1e-3, "epoch": 1.0}
t0 = now()
PEER
imported = now() - t0
t0 = now()
log, finish = start()
opened = now() - t0
for i in range(min(200, rows)):
    log(i, row)
time.sleep(1.0)
memory, used = rss(), cpu(resource.RUSAGE_SELF)
took = []
for i in range(rows):
    values = {"train/loss": 1.0 / (i + 1), "train/accuracy": 0.8, "lr": 1e-3, "epoch": float(i)}
    t0 = now()
    log(200 + i, values)
    took.append(now() - t0)
    if i % 200 == 0:
        time.sleep(0.01)
used, grown = cpu(resource.RUSAGE_SELF) - used, rss() - memory
t0 = now()
for i in range(rows):
    log(200 + rows + i, row)
rate = rows / ((now() - t0) / 1e9)
t0 = now()
finish()
ended = now() - t0
took.sort()
sys.stdout.flush()
os.write(3, json.dumps({
    "import": imported / 1e6, "init": opened / 1e6,
    "median": took[rows // 2] / 1e3, "p99": took[rows * 99 // 100] / 1e3,
    "rate": rate, "finish": ended / 1e6, "cpu": used / rows * 1e6, "memory": grown,
}).encode())
"""
COLUMNS = (
    ("import", "import ms"),
    ("init", "init ms"),
    ("median", "log µs"),
    ("p99", "p99 µs"),
    ("rate", "calls/s"),
    ("finish", "finish ms"),
    ("cpu", "CPU µs/call"),
    ("memory", "RSS +MB"),
)
TARGETS = {"import": "≤ 60", "init": "≤ 50", "median": "≤ 5", "p99": "≤ 50", "rate": "≥ 100 000", "finish": "≤ 300"}
SLOW = {"mlflow (SQLite)": 20, "aim": 4}
"""Peers that would take minutes get this many times fewer rows."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=20_000, help="calls of log() in each of two loops (default 20000)")
    parser.add_argument("--times", type=int, default=3, help="runs of each; the median of each figure is shown")
    options = parser.parse_args()
    print(f"log() of 4 scalars, {options.rows} calls twice, median of {options.times} processes, all on the same cores")
    print(f"{'':22}" + "".join(f"{title:>12}" for _, title in COLUMNS))
    print(f"{'target':22}" + "".join(f"{TARGETS.get(name, '–'):>12}" for name, _ in COLUMNS))
    for name, code in PEERS.items():
        python = Path(sys.executable) if name in ("sweepwright", "JSON lines, flushed") else PEERS_PYTHON
        rows = options.rows // SLOW.get(name, 1)
        results = [found for _ in range(options.times) if (found := measure(python, code, rows)) is not None]
        if not results:
            print(f"{name:22}    not installed (make peers)")
            continue
        figures = {key: statistics.median(result[key] for result in results) for key, _ in COLUMNS}
        print(f"{name:22}" + "".join(f"{shown(figures[key]):>12}" for key, _ in COLUMNS))


def measure(python: Path, code: str, rows: int) -> dict[str, float] | None:
    """The figures of one process in an empty folder; None when the peer cannot run."""
    if not python.exists():
        return None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environ |= {"SWEEP_HOME": f"{folder}/home", "SWEEP_SILENT": "1", "WANDB_SILENT": "true", "HOME": folder}
        environ |= {
            "TRACKIO_DIR": f"{folder}/trackio",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "AIM_UI_TELEMETRY_ENABLED": "0",
        }
        reader, writer = os.pipe()
        script = Path(folder, "peer.py")
        # The result has a descriptor of its own: peers print what they like.
        script.write_text(HARNESS.replace("PEER", code).replace("os.write(3,", f"os.write({writer},"))
        command = [str(python), str(script), str(rows)]
        process = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=(writer,)
        )
        os.close(writer)
        _, errors = process.communicate()
        with os.fdopen(reader, "rb") as pipe:
            answer = pipe.read() if process.returncode == 0 else b""
        if not answer:
            last = errors.decode(errors="replace").strip().splitlines()[-1:]
            print(f"  ({python.name}: {' '.join(last)})" if last else "  (no answer)")
            return None
        found: dict[str, float] = json.loads(answer)
        return found


def shown(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


if __name__ == "__main__":
    main()
