"""What a table costs: rows a second, peak memory and bytes, beside the same rows as one JSON text (as W&B stores them).

python benchmarks/table_cost.py [--rows N]

Each is a process of its own. Memory is what the peak grows by while the table is encoded and stored; the rows are there
before.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

COLUMNS = ["id", "score", "label", "correct", "text"]
WHAT = ("first", "table", "rows_appended", "read", "json")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--only", choices=WHAT, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(_MEASURES[options.only](options.rows)))
        return
    print(
        f"{options.rows:,} rows × {len(COLUMNS)} columns{'':16}{'seconds':>9}{'rows/s':>12}{'memory':>11}{'file':>11}"
    )
    for name, title in zip(WHAT, TITLES, strict=True):
        found = subprocess.run(
            [sys.executable, __file__, "--rows", str(options.rows), "--only", name], check=True, capture_output=True
        )
        said = json.loads(found.stdout)
        rows = 1 if name == "first" else options.rows
        print(
            f"{title:<44}{said['seconds']:>9.2f}{rows / said['seconds']:>12,.0f}"
            f"{said['memory'] / 2**20:>7.0f} MiB{said['size'] / 2**20:>7.2f} MiB"
        )


TITLES = (
    "first table of a process, one row (imports)",
    "Table(columns, data), then stored",
    "add_data() for each row, then stored",
    "read back",
    "the same as one JSON text (json.dump)",
)


def rows_of(count: int) -> list[list[Any]]:
    rng = random.Random(1)
    labels = [f"class {number}" for number in range(10)]
    words = [f"word{number}" for number in range(500)]
    return [
        [number, rng.random(), rng.choice(labels), rng.random() < 0.9, " ".join(rng.choices(words, k=4))]
        for number in range(count)
    ]


def measured(work: Callable[[], Path]) -> dict[str, float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    file = work()
    seconds = time.perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return {"seconds": seconds, "memory": grown, "size": file.stat().st_size}


class FolderSink:
    """Keeps files as a run does: content-addressed, streamed."""

    def __init__(self, folder: Path) -> None:
        from tracking.blobs.store import Blobs

        self.blobs = Blobs(folder)

    def add_bytes(self, name: str, data: bytes | memoryview, mime: str = "") -> dict[str, Any]:
        blob = self.blobs.put_bytes(data)
        return {"path": name, "sha256": blob.digest, "size": blob.size}

    def add_file(self, name: str, source: Any, mime: str = "") -> dict[str, Any]:
        blob = self.blobs.put_file(source)
        return {"path": name, "sha256": blob.digest, "size": blob.size}


def _table(count: int, appended: bool = False) -> dict[str, float]:
    from tracking.tables.table import Table

    rows = rows_of(count)
    _first(count)
    with tempfile.TemporaryDirectory() as folder:
        sink = FolderSink(Path(folder))

        def work() -> Path:
            table = Table(COLUMNS, [] if appended else rows)
            if appended:
                for row in rows:
                    table.add_data(*row)
            return sink.blobs.path(table.to_record(sink, "table", 0)["sha256"])

        return measured(work)


def _first(count: int) -> dict[str, float]:
    """A table of one row: what a process pays once. pyarrow imports pandas where it is installed."""
    from tracking.tables.table import Table

    with tempfile.TemporaryDirectory() as folder:
        sink = FolderSink(Path(folder))
        return measured(lambda: sink.blobs.path(Table(COLUMNS, rows_of(1)).to_record(sink, "table", 0)["sha256"]))


def _read(count: int) -> dict[str, float]:
    from tracking.tables.reading import read_table
    from tracking.tables.table import Table

    with tempfile.TemporaryDirectory() as folder:
        sink = FolderSink(Path(folder))
        path = sink.blobs.path(Table(COLUMNS, rows_of(count)).to_record(sink, "table", 0)["sha256"])

        def work() -> Path:
            read_table(path)
            return path

        return measured(work)


def _json(count: int) -> dict[str, float]:
    rows = rows_of(count)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.json")

        def work() -> Path:
            with path.open("w") as file:
                json.dump({"columns": COLUMNS, "data": rows}, file)
            return path

        return measured(work)


_MEASURES: dict[str, Callable[[int], dict[str, float]]] = {
    "first": _first,
    "table": _table,
    "rows_appended": lambda count: _table(count, appended=True),
    "read": _read,
    "json": _json,
}

if __name__ == "__main__":
    main()
