"""What tracking costs beside the training: CPU and memory of the training process and of its companion."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

# The same loop in every mode: a step of a training loop is a sleep, so what is left is what tracking costs.
TRAINING = """
import json, resource, sys, time
seconds, rate, mode = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
log = lambda row: None
if mode != "none":
    import tracking
    run = tracking.init(project="bench", mode=mode)
    log = run.log
before = resource.getrusage(resource.RUSAGE_SELF)
end, i = time.monotonic() + seconds, 0
while time.monotonic() < end:
    for _ in range(10):
        log({"train/loss": 1.0 / (i + 1), "train/accuracy": 0.8, "lr": 1e-3, "epoch": i})
        i += 1
    time.sleep(10 / rate)
after = resource.getrusage(resource.RUSAGE_SELF)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
with open("/proc/self/statm") as file:
    resident = int(file.read().split()[1]) * resource.getpagesize()
if mode != "none":
    began = time.perf_counter()
    run.finish()
    finish = time.perf_counter() - began
else:
    finish = 0.0
print(json.dumps([cpu, resident / 1e6, i, finish]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each training lasts (default 20)")
    parser.add_argument("--rate", type=float, default=1000.0, help="rows a second (default 1000)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"SWEEP_HOME": str(Path(folder, "home")), "SWEEP_SILENT": "1"}
        os.chdir(folder)
        measured = {
            mode: train(mode, arguments.seconds, arguments.rate) for mode in ("none", "disabled", "offline", "online")
        }
        report(measured, arguments.seconds, arguments.rate)
        first_sample(Path(folder, "home"))


def train(mode: str, seconds: float, rate: float) -> dict[str, float]:
    """One training; CPU in percent of one core and memory in MB, of it and of its companion."""
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(seconds), str(rate), mode], stdout=subprocess.PIPE, text=True
    )
    found: dict[str, float] = {}
    time.sleep(min(8.0, seconds / 2))  # the companion has started and looked at the environment
    companion = _companion(process.pid) if mode in ("offline", "online") else None
    if companion is not None:
        found["start cpu s"] = sum(companion.cpu_times()[:2])
        before, began = sum(companion.cpu_times()[:2]), time.monotonic()
        time.sleep(seconds - min(8.0, seconds / 2) - 1.0)
        found["companion cpu"] = 100 * (sum(companion.cpu_times()[:2]) - before) / (time.monotonic() - began)
        found["companion rss"] = companion.memory_info().rss / 1e6
        found["companion own"] = companion.memory_full_info().uss / 1e6
    out, _ = process.communicate()
    cpu, resident, rows, finish = json.loads(out)
    found |= {"cpu": 100 * cpu / seconds, "rss": resident, "rows": rows, "finish": finish}
    if companion is not None:
        began = time.monotonic()
        while companion.is_running() and companion.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        found["companion end"] = time.monotonic() - began
    return found


def _companion(pid: int) -> psutil.Process | None:
    for child in psutil.Process(pid).children():
        if "tracking.shipping" in child.cmdline():
            return child
    return None


def report(measured: dict[str, dict[str, float]], seconds: float, rate: float) -> None:
    """Lines of measured figures; what is extra is compared with the same loop without tracking."""
    none = measured["none"]
    print(f"{rate:g} rows of 4 scalars a second for {seconds:g} s; CPU in percent of one core\n")
    print(f"{'training process':22}{'CPU':>9}{'extra':>9}{'memory':>10}{'extra':>10}{'finish':>10}")
    for mode, found in measured.items():
        print(
            f"{mode:22}{found['cpu']:8.2f}%{found['cpu'] - none['cpu']:8.2f}%"
            f"{found['rss']:7.1f} MB{found['rss'] - none['rss']:7.1f} MB{1000 * found['finish']:7.0f} ms"
        )
    print(f"\n{'companion':22}{'start':>9}{'CPU':>9}{'memory':>10}{'own':>10}{'ends in':>10}")
    for mode in ("offline", "online"):
        found = measured[mode]
        print(
            f"{mode:22}{found['start cpu s']:7.2f} s{found['companion cpu']:8.2f}%"
            f"{found['companion rss']:7.1f} MB{found['companion own']:7.1f} MB{found['companion end']:8.2f} s"
        )


def first_sample(home: Path) -> None:
    """How long after init() the machine has been sampled and the run is in the store."""
    from tracking.errors import RunNotFound, StoreError
    from tracking.home import journal_path, part_id
    from tracking.store import open_store

    code = "import time, tracking\nrun = tracking.init(id='first')\nprint(time.time(), flush=True)\ntime.sleep(4)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    began = float(process.stdout.readline())
    path = journal_path(home / "runs" / "first", 1, "system")
    while not path.exists() or path.stat().st_size < 700:
        time.sleep(0.005)
    sampled = time.time() - began
    store = open_store()
    while True:
        try:
            if store.keys(part_id("first", "system")):
                break
        except (RunNotFound, StoreError):
            pass
        time.sleep(0.005)
    stored = time.time() - began
    store.close()
    process.communicate()
    print(f"\nfirst sample {sampled:.2f} s after init(), in the store after {stored:.2f} s")


if __name__ == "__main__":
    main()
