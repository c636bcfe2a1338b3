"""Finding runs by what people type: short filters such as `config.lr>0.1`, ids, beginnings of ids, names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from sweeps.api.lookup import find_run
from sweeps.cli.stores import Stores
from tracking.errors import RunNotFound, UsageError
from tracking.public.api import Api
from tracking.public.contract import Query
from tracking.public.filtering.conditions import Compare
from tracking.public.filtering.fields import field
from tracking.public.filtering.parsing import parse_order
from tracking.public.run import Run

_SHORT = re.compile(r"\s*(?P<name>.+?)\s*(?P<op>>=|<=|!=|==|!~|=|>|<|~)\s*(?P<value>.*?)\s*", re.DOTALL)
_OPERATORS = {
    "=": "$eq", "==": "$eq", "!=": "$ne", ">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte", "~": "$regex",
}  # fmt: skip
_MOST = 5


def filters(texts: Iterable[str]) -> dict[str, Any]:
    """One filter that asks for all of them: JSON as `Api.runs` takes it, or NAME=VALUE, NAME>VALUE, NAME~PATTERN.

    Raises UsageError.
    """
    parts = [_filter(text) for text in texts if text.strip()]
    return {"$and": parts} if len(parts) > 1 else parts[0] if parts else {}


def named_fields(texts: Iterable[str]) -> list[str]:
    """The config and summary values that short filters and orders name: worth a column."""
    names = []
    for text in texts:
        found = _SHORT.fullmatch(text)
        name = found["name"] if found and not text.lstrip().startswith("{") else text.strip().lstrip("+-")
        if name.partition(".")[0] in ("config", "summary", "summary_metrics"):
            names.append(name)
    return list(dict.fromkeys(names))


def one_run(api: Api, stores: Stores, text: str) -> Run:
    """The run with this id, unique beginning of an id, path, name, or SWEEP-NUMBER. Raises RunNotFound."""
    if "/" in text:
        return api.run(text)
    rows = api.session.queries.load([text])
    if rows:
        return Run(api, rows[0])
    named = api.session.queries.find(
        Query(where=Compare(field("displayName"), "eq", text), order=parse_order("-created_at")), 0, _MOST + 1
    )
    if len(named) == 1:
        return Run(api, named[0])
    if named:
        listed = ", ".join(row.id for row in named[:_MOST])
        raise RunNotFound(f"{text!r} is the name of several runs: {listed}{', …' if len(named) > _MOST else ''}")
    try:
        return api.run(find_run(stores.sweeps, stores.runs, text).id)
    except RunNotFound as error:
        if "Did you mean" in str(error) or "beginning" in str(error):
            raise
    return api.run(text)  # which knows near names, too


def many_runs(api: Api, stores: Stores, texts: Sequence[str]) -> list[Run]:
    """The runs that are named, each once. Raises RunNotFound."""
    found = [one_run(api, stores, text) for text in texts]
    return list({run.id: run for run in found}.values())


def _filter(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise UsageError(f"filter {text!r} is no JSON: {error}") from error
        return dict(found)
    short = _SHORT.fullmatch(text)
    if short is None:
        raise UsageError(f"filter {text!r}: write NAME=VALUE, NAME>VALUE or NAME~PATTERN, or JSON as Api.runs takes it")
    name, op, value = short["name"], short["op"], short["value"]
    kind = field(name).kind
    if op in ("~", "!~"):
        matches = {name: {"$regex": value}}
        return {"$nor": [matches]} if op == "!~" else matches
    is_text = kind in ("text", "either", "tags", "time")
    return {name: {_OPERATORS[op]: value if is_text and value != "null" else _value(value)}}


def _value(text: str) -> Any:
    """A number, bool or null where it reads as one, else the text."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if found is None or isinstance(found, bool | int | float | str) else text
