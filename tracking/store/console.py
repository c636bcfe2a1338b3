"""Console output of runs: deflated pieces by byte offset."""

from __future__ import annotations

import zlib

from sqlalchemy import Connection, bindparam, delete, insert, select

from tracking.store.tables import CONSOLE

CONSOLE_LIMIT = 100 * 1024 * 1024
"""Bytes kept of one attempt: the first ones. The file on the machine of the run has all of it."""

_CUT = b"\n[output.log ends here: the store keeps the first 100 MB; the rest is in the log file of the run]\n"

_RUN = CONSOLE.c.run_id == bindparam("in_run")
INSERT = insert(CONSOLE)
_DELETE = delete(CONSOLE).where(_RUN)
_PIECES = (
    select(CONSOLE.c.start, CONSOLE.c.data)
    .where(_RUN, CONSOLE.c.start + CONSOLE.c.size > bindparam("from_byte"), CONSOLE.c.start < bindparam("to_byte"))
    .order_by(CONSOLE.c.start)
)


def append(run_id: str, size: int, data: bytes, offset: int) -> tuple[dict[str, object] | None, int]:
    """The row for bytes that lie at `offset` when `size` are stored already, and the size afterwards.

    Bytes that are there already are skipped; beyond the limit nothing is stored.
    """
    new = data[max(0, size - offset) :]
    if not new or size >= CONSOLE_LIMIT:
        return None, size
    if size + len(new) > CONSOLE_LIMIT:
        new = new[: max(0, CONSOLE_LIMIT - size - len(_CUT))] + _CUT
        after = max(CONSOLE_LIMIT, size + len(new))
    else:
        after = size + len(new)
    return {"run_id": run_id, "start": size, "size": len(new), "data": zlib.compress(new, 6)}, after


def clear(connection: Connection, run_id: str) -> None:
    """Drop what an earlier attempt printed."""
    connection.execute(_DELETE, {"in_run": run_id})


def read(connection: Connection, run_id: str, start: int, limit: int) -> bytes:
    """Bytes [start, start + limit)."""
    stop = start + limit
    out = bytearray()
    for at, data in connection.execute(_PIECES, {"in_run": run_id, "from_byte": start, "to_byte": stop}):
        out += zlib.decompress(data)[max(0, start - at) : stop - at]
    return bytes(out)
