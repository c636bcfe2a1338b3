"""Files and alerts of runs: what a batch brings of them, reading them, and who may send an alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, insert, or_, select, text, update

from tracking.database.dialect import clock, upsert
from tracking.journal.parts import split_id
from tracking.store.contract import AlertRecord, AlertState, FileRecord
from tracking.store.kept_tables import ALERTS, FILES

Row = dict[str, Any]

_AT_ONCE = 500
_DIGITS = frozenset("0123456789abcdef")

_PUT_FILES = upsert(FILES, ("run_id", "name"))
# An alert that is there already may have been sent: it stays as it is.
_NAMES = [column.name for column in ALERTS.columns]
_PUT_ALERTS = text(
    f"INSERT INTO alerts ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)}) "
    "ON CONFLICT (run_id, attempt, part, position) DO NOTHING"
).bindparams(*(bindparam(column.name, type_=column.type) for column in ALERTS.columns))
_DROP_FILES_FROM = delete(FILES).where(FILES.c.run_id == bindparam("in_run"), FILES.c.step >= bindparam("from_step"))
_DROP_FILES = delete(FILES).where(FILES.c.run_id.in_(bindparam("run_ids", expanding=True)))
_DROP_ALERTS = delete(ALERTS).where(ALERTS.c.run_id.in_(bindparam("run_ids", expanding=True)))
_COPY_FILES = insert(FILES).from_select(
    list(FILES.columns.keys()),
    select(
        bindparam("new_run", type_=FILES.c.run_id.type),
        *(column for column in FILES.columns if column.name != "run_id"),
    ).where(FILES.c.run_id == bindparam("in_run"), FILES.c.step < bindparam("from_step")),
)

_FILES = select(*FILES.columns).where(FILES.c.run_id == bindparam("in_run"))
_RECORD = tuple(ALERTS.c[name] for name in AlertRecord.__dataclass_fields__)
_ALERTS = (
    select(*_RECORD)
    .where(ALERTS.c.run_id == bindparam("in_run"))
    .order_by(ALERTS.c.attempt, ALERTS.c.at, ALERTS.c.part, ALERTS.c.position)
)
_WAITS = and_(ALERTS.c.sent == AlertState.WAITING.value, ALERTS.c.claimed_until <= clock())
_WAITING = select(*_RECORD).where(_WAITS).order_by(ALERTS.c.at, ALERTS.c.run_id, ALERTS.c.position)
_IS_ALERT = and_(
    ALERTS.c.run_id == bindparam("in_run"),
    ALERTS.c.attempt == bindparam("in_attempt"),
    ALERTS.c.part == bindparam("in_part"),
    ALERTS.c.position == bindparam("in_position"),
)
_CLAIM = (
    update(ALERTS)
    .where(_IS_ALERT, ALERTS.c.sent == AlertState.WAITING.value)
    .where(or_(ALERTS.c.claimed_until <= clock(), ALERTS.c.claim == bindparam("sender")))
    .values(claim=bindparam("sender"), claimed_until=clock() + bindparam("seconds"), tries=ALERTS.c.tries + 1)
)
_MARK = update(ALERTS).where(
    _IS_ALERT, ALERTS.c.sent == AlertState.WAITING.value, ALERTS.c.claim == bindparam("sender")
)


# -- what a batch brings ------------------------------------------------------------------------


def file_row(run_id: str, record: Row) -> Row | None:
    """The row of a FILE record; None for one that names no blob."""
    name, digest = str(record.get("name") or ""), str(record.get("sha256") or "")
    if not name or len(digest) != 64 or not set(digest) <= _DIGITS:
        return None
    return {
        "run_id": run_id,
        "name": name,
        "digest": digest,
        "size": int(record.get("size") or 0),
        "mime": str(record.get("mime") or ""),
        "step": None if record.get("step") is None else int(record["step"]),
        "at": float(record.get("at") or 0.0),
    }


def alert_row(run_id: str, attempt: int, part: str, record: Row) -> Row:
    """The row of an ALERT record."""
    return {
        "run_id": run_id,
        "attempt": attempt,
        "part": part,
        "position": int(record["position"]),
        "title": str(record.get("title") or ""),
        "text": str(record.get("text") or ""),
        "level": str(record.get("level") or "INFO")[:8],
        "wait": float(record.get("wait") or 0.0),
        "at": float(record.get("at") or 0.0),
        "sent": AlertState.WAITING.value,
        "reason": "",
        "tries": 0,
        "sent_at": None,
        "claim": "",
        "claimed_until": 0.0,
    }


def write(connection: Connection, files: Sequence[Row], alerts: Sequence[Row]) -> None:
    """Write the rows of several runs; an alert that is known already stays as it is."""
    if files:
        connection.execute(_PUT_FILES, list(files))
    if alerts:
        connection.execute(_PUT_ALERTS, list(alerts))


def drop_files_from(connection: Connection, run_id: str, step: int) -> None:
    """Forget the files (media) of the history from this step on; those without a step stay."""
    connection.execute(_DROP_FILES_FROM, {"in_run": run_id, "from_step": step})


def copy_files(connection: Connection, parent: str, run_id: str, before: int) -> None:
    """Give a fork the media of its parent's history before this step."""
    connection.execute(_COPY_FILES, {"in_run": parent, "new_run": run_id, "from_step": before})


def delete_of(connection: Connection, run_ids: Sequence[str]) -> None:
    """Forget the files and alerts of these runs."""
    for start in range(0, len(run_ids), _AT_ONCE):
        given = {"run_ids": run_ids[start : start + _AT_ONCE]}
        connection.execute(_DROP_FILES, given)
        connection.execute(_DROP_ALERTS, given)


# -- reading ------------------------------------------------------------------------------------


def files(connection: Connection, run_id: str) -> list[FileRecord]:
    """The files of a run by name."""
    found = (FileRecord(*row) for row in connection.execute(_FILES, {"in_run": run_id}))
    return sorted(found, key=lambda file: file.name)


def alerts(connection: Connection, run_id: str) -> list[AlertRecord]:
    """The alerts of a run in the order in which they were raised."""
    return [_alert(row) for row in connection.execute(_ALERTS, {"in_run": run_id})]


def waiting(connection: Connection, limit: int, run_ids: Sequence[str] | None) -> list[AlertRecord]:
    """Alerts that any sender may claim, oldest first."""
    if run_ids is None:
        return [_alert(row) for row in connection.execute(_WAITING.limit(limit))]
    found: list[AlertRecord] = []
    for start in range(0, len(run_ids), _AT_ONCE):
        some: ColumnElement[bool] = ALERTS.c.run_id.in_(run_ids[start : start + _AT_ONCE])
        found += map(_alert, connection.execute(_WAITING.where(some).limit(limit)))
    return sorted(found, key=lambda alert: alert.at)[:limit]


# -- sending ------------------------------------------------------------------------------------


def claim(connection: Connection, alert: AlertRecord, sender: str, seconds: float) -> bool:
    """Take an alert on; False when another sender has."""
    given = {**_place(alert), "sender": sender, "seconds": seconds}
    return connection.execute(_CLAIM, given).rowcount == 1


def mark(
    connection: Connection, alert: AlertRecord, sender: str, sent: AlertState, reason: str, retry_in: float
) -> bool:
    """Say what came of an alert; False when the claim is not this sender's any more."""
    values: Row = {"sent": sent.value, "reason": reason, "claim": "", "claimed_until": clock() + retry_in}
    if sent is AlertState.SENT:
        values["sent_at"] = clock()
    if sent is not AlertState.WAITING:
        values["claim"] = sender  # marking twice is no error, as a commit whose answer was lost is followed by another
    done = connection.execute(_MARK.values(**values), {**_place(alert), "sender": sender}).rowcount == 1
    return done or _is_marked(connection, alert, sender, sent)


def _is_marked(connection: Connection, alert: AlertRecord, sender: str, sent: AlertState) -> bool:
    same = select(ALERTS.c.title).where(_IS_ALERT, ALERTS.c.sent == sent.value, ALERTS.c.claim == sender)
    return sent is not AlertState.WAITING and connection.execute(same, _place(alert)).first() is not None


def _place(alert: AlertRecord) -> Row:
    return {
        "in_run": alert.run_id,
        "in_attempt": alert.attempt,
        "in_part": alert.part,
        "in_position": alert.position,
    }


def _alert(row: Sequence[Any]) -> AlertRecord:
    values = list(row)
    values[9] = AlertState(values[9])
    return AlertRecord(*values)


def owner_and_part(run_id: str, part_of: str) -> tuple[str, str]:
    """Where the files and alerts of this row of runs belong."""
    return (part_of, split_id(run_id)[1]) if part_of else (run_id, "")
