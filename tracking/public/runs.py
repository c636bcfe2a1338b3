"""Many runs of the Api: found when they are first looked at, loaded page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from tracking.errors import UsageError
from tracking.public import history
from tracking.public.contract import Query
from tracking.public.run import Run, plain_facts

if TYPE_CHECKING:
    from tracking.public.api import Api

Format = Literal["default", "pandas", "polars"]


class Runs(Sequence[Run]):
    """The runs of a query in its order. Nothing is read before it is asked for; `len()` only counts.

    Going through all of them fixes which runs there are, so that one which comes or goes meanwhile shifts nothing.
    """

    def __init__(self, api: Api, query: Query, per_page: int = 50) -> None:
        if per_page < 1:
            raise UsageError(f"runs(per_page={per_page}): a page has at least one run")
        self._api, self._query, self._page = api, query, per_page
        self._ids: list[str] | None = None

    def __len__(self) -> int:
        return len(self._ids) if self._ids is not None else self._api.session.queries.count(self._query)

    def __bool__(self) -> bool:
        return len(self) > 0

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> list[Run]: ...
    def __getitem__(self, index: int | slice) -> Run | list[Run]:
        if isinstance(index, slice):
            return self._sliced(index)
        found = (
            self._sliced(slice(index, index + 1))
            if index >= 0
            else self._loaded(self._all_ids()[index : index + 1 or None])
        )
        if not found:
            raise IndexError(f"there are {len(self)} runs; no run has the index {index}")
        return found[0]

    def __iter__(self) -> Iterator[Run]:
        ids = self._all_ids()
        for start in range(0, len(ids), self._page):
            yield from self._loaded(ids[start : start + self._page])

    def __repr__(self) -> str:
        return f"<Runs {self._query.project or 'of all projects'} ({len(self)})>"

    def to_frame(self, kind: Literal["pandas", "polars"] = "pandas") -> Any:
        """One row per run: what it is, `config.NAME` and `summary.NAME` for every key. Raises ExtraMissing."""
        from tracking.tables.frames import to_frame

        rows = list(self.rows())
        names = list(dict.fromkeys(name for row in rows for name in row))
        return to_frame({name: [row.get(name) for row in rows] for name in names}, kind)

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """The rows of `to_frame`, one after the other."""
        for run in self:
            config = {f"config.{key}": value for key, value in run.config.items()}
            summary = {f"summary.{key}": value for key, value in run.summary_metrics.items()}
            yield {**plain_facts(run), **config, **summary}

    def histories(
        self,
        samples: int = 500,
        keys: Sequence[str] | None = None,
        x_axis: str = "_step",
        format: Format = "default",
        stream: Literal["default", "system", "events"] = "default",
    ) -> Any:
        """The histories of all of them, one below the other, with the column `run_id` in front: see `Run.history`.

        "default" is a list of mappings. Raises UsageError, ExtraMissing.
        """
        if format not in ("default", "pandas", "polars"):
            raise UsageError(f'histories(format={format!r}): there are "default", "pandas", "polars"')
        rows = [
            {"run_id": run.id, **row}
            for run in self
            for row in run.history(samples, keys, x_axis, pandas=False, stream=stream)
        ]
        if format == "default":
            return rows
        from tracking.tables.frames import to_frame

        first = list(dict.fromkeys(["run_id", history.STEP, x_axis, *(keys or ())]))
        return to_frame(history.columns(rows, first), format)

    # -- inside ---------------------------------------------------------------------------------

    def _all_ids(self) -> list[str]:
        if self._ids is None:
            self._ids = self._api.session.queries.ids(self._query)
        return self._ids

    def _loaded(self, ids: Sequence[str]) -> list[Run]:
        return [Run(self._api, row) for row in self._api.session.queries.load(ids)]

    def _sliced(self, wanted: slice) -> list[Run]:
        start, stop, step = wanted.start or 0, wanted.stop, wanted.step or 1
        if self._ids is not None or start < 0 or step != 1 or (stop is not None and stop < 0):
            return self._loaded(self._all_ids()[wanted])
        limit = None if stop is None else max(0, stop - start)
        return [Run(self._api, row) for row in self._api.session.queries.find(self._query, start, limit)]
