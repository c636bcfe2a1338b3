"""Artifacts: a large file at the speed of the disk with constant memory (beside sha256, cp and dd), and small files.

`python benchmarks/artifacts.py` takes 512 MB and 5 000 files, `--full` 5 GB and 100 000 files. Each figure comes from a
process of its own. The page cache is warm for every reader alike; written pages are flushed between the figures. `cp`
lets the kernel copy without looking at the bytes; `dd` reads and writes them, as whoever hashes them has to.
"""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

MB = 1_000_000
PIECE = 1 << 20


def main() -> None:
    full = "--full" in sys.argv
    size, count = (5_000 * MB, 100_000) if full else (512 * MB, 5_000)
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as folder:
        os.chdir(folder)
        os.environ["SWEEP_HOME"] = str(Path(folder, "home"))
        _make_large(size)
        _make_small(count)
        print(f"one file of {size // MB} MB")
        for what in ("sha256", "cp", "dd", "put_large", "put_large_again", "get_large"):
            _report(what, size)
        print(f"{count:,} files of 1 KB")
        for what in ("read_small", "cp_small", "put_small", "put_small_again", "get_small", "get_small_again"):
            _report(what, count * 1000, count)


def _make_large(size: int) -> None:
    block = os.urandom(16 * MB)
    with open("large", "wb") as file:
        for number in range(0, size, len(block)):
            piece = number.to_bytes(8, "big") + block[8:]
            file.write(piece[: min(len(piece), size - number)])


def _make_small(count: int) -> None:
    for number in range(count):
        path = Path("small", f"{number // 1000:03d}", f"{number:06d}.bin")
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.write_bytes(number.to_bytes(8, "big") * 125)


def _report(what: str, size: int, count: int = 0) -> None:
    os.sync()
    out = subprocess.run([sys.executable, __file__, "--one", what], check=True, capture_output=True, text=True).stdout
    seconds, memory = map(float, out.split()[-2:])
    speed = f"{count / seconds:10,.0f} files/s" if count else f"{size / MB / seconds:10,.0f} MB/s"
    print(f"  {what:16} {speed}   {seconds:7.2f} s   {memory:5.0f} MB resident")


def _one(what: str) -> None:
    """Do one thing and print its seconds and the most memory that the process had."""
    work: Callable[[], None] = {
        "sha256": _sha256,
        "cp": lambda: _run("cp", "large", "copy"),
        "dd": lambda: _run("dd", "if=large", "of=copied", "bs=1M"),
        "put_large": lambda: _put("large"),
        "put_large_again": lambda: _put("large"),
        "get_large": lambda: _get("large"),
        "read_small": _read_small,
        "cp_small": lambda: _run("cp", "-r", "small", "copies"),
        "put_small": lambda: _put("small"),
        "put_small_again": lambda: _put("small"),
        "get_small": lambda: _get("small"),
        "get_small_again": lambda: _get("small"),
    }[what]
    import tracking.artifacts.recording
    import tracking.store.artifact_store  # noqa: F401

    began = time.perf_counter()
    work()
    print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, stderr=subprocess.DEVNULL)


def _sha256() -> None:
    digest = hashlib.sha256()
    with open("large", "rb", buffering=0) as file:
        while piece := file.read(PIECE):
            digest.update(piece)


def _read_small() -> None:
    """What any tool has to do: read each file and hash it."""
    for path in Path("small").rglob("*.bin"):
        hashlib.sha256(path.read_bytes()).hexdigest()


def _put(name: str) -> None:
    import tracking
    from tracking.artifacts import recording

    artifact = tracking.Artifact(name, type="dataset")
    if os.path.isdir(name):
        artifact.add_dir(name)
    else:
        artifact.add_file(name)
    recording.put(artifact, "bench")


def _get(name: str) -> None:
    import tracking

    tracking.Api().artifact(f"bench/{name}:latest").download(f"got-{name}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        _one(sys.argv[2])
    else:
        main()
