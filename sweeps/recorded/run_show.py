"""What `sweep runs show` and `sweep runs compare` print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.cli.output import console, print_json
from sweeps.cli.stores import Stores
from sweeps.recorded import finding, run_views
from sweeps.views.wording import plural, span
from tracking.public.api import Api
from tracking.public.run import Run, plain_facts

_MOST_METRICS = 60
_MOST_FILES = 20
_POINTS = 60
_METADATA = ("program", "args", "host", "os", "python", "gpu", "gpu_count", "codePath")


def show(text: str, *, as_json: bool) -> None:
    """One run. Raises RunNotFound."""
    with Api() as api, Stores() as stores:
        run = finding.one_run(api, stores, text)
        if as_json:
            print_json(_json(run))
            return
        out = console()
        out.print(run_views.facts_table(_identity(run)))
        if run.config:
            run_views.print_heading(out, "Config")
            out.print(run_views.facts_table(run_views.flat(run.config), blanks=True))
        metrics = _metrics(run)
        if metrics:
            run_views.print_heading(out, "Summary")
            shown = dict(sorted(metrics.items())[:_MOST_METRICS])
            out.print(run_views.metrics_table(shown, _curves(run, shown)))
            if len(shown) < len(metrics):
                out.print(f"… and {len(metrics) - len(shown)} more: --json", style="bright_black")
        _print_kept(out, run)


def compare(texts: Sequence[str], *, everything: bool, as_json: bool) -> None:
    """Runs side by side. Raises RunNotFound."""
    with Api() as api, Stores() as stores:
        runs = finding.many_runs(api, stores, texts)
        config, metrics = run_views.comparison(runs)
        if everything:
            flat = [run_views.flat(run.config) for run in runs]
            config = {name: [values.get(name) for values in flat] for name in sorted(set().union(*flat))}
        if as_json:
            print_json(
                {
                    "runs": [plain_facts(run) for run in runs],
                    "config": run_views.plain_comparison(config),
                    "summary": run_views.plain_comparison(metrics),
                }
            )
            return
        out = console()
        facts = {name: [plain_facts(run)[name] for run in runs] for name in ("name", "state", "last_step")}
        out.print(run_views.comparison_table(runs, facts, "run"))
        for title, rows in (("config", config), ("metric", metrics)):
            if rows:
                out.print()
                out.print(run_views.comparison_table(runs, rows, title))
        if not config:
            out.print("\nTheir configs are equal.", style="bright_black")


def _identity(run: Run) -> dict[str, Any]:
    facts = plain_facts(run)
    machine = run.metadata
    return {
        "run": "/".join(run.path),
        "name": run.name,
        "state": run_views.state_text(run.state),
        "why": run.reason,
        "group": run.group,
        "job type": run.job_type,
        "tags": ", ".join(run.tags),
        "notes": run.notes,
        "sweep": facts["sweep"],
        "started": run.started_at,
        "took": span(run.duration) if run.duration is not None else "",
        "steps": run.lastHistoryStep + 1,
        **{name: machine.get(name) for name in _METADATA},
        "commit": _commit(machine),
    }


def _commit(metadata: Mapping[str, Any]) -> str:
    git = metadata.get("git")
    return str(git.get("commit") or "") if isinstance(git, Mapping) else ""


def _metrics(run: Run) -> dict[str, Any]:
    return {key: value for key, value in run.summary_metrics.items() if not key.startswith("_")}


def _curves(run: Run, names: Mapping[str, Any]) -> dict[str, list[float]]:
    """A few points of every numeric metric."""
    store = run._session.store
    kinds = {info.key: info.kind for info in store.keys(run.id)}
    numeric = [name for name in names if kinds.get(name) in ("float", "int")]
    return {name: list(store.sample(run.id, name, _POINTS).values) for name in numeric}


def _print_kept(out: Any, run: Run) -> None:
    files = run.files()
    if files:
        run_views.print_heading(out, plural(len(files), "file"))
        out.print(run_views.facts_table({file.name: f"{file.size:,} bytes" for file in files[:_MOST_FILES]}))
        if len(files) > _MOST_FILES:
            out.print(f"… and {len(files) - _MOST_FILES} more", style="bright_black")
    for title, artifacts in (("Artifacts logged", run.logged_artifacts()), ("Artifacts used", run.used_artifacts())):
        if artifacts:
            run_views.print_heading(out, title)
            out.print(run_views.facts_table({artifact.name: artifact.type for artifact in artifacts}))
    machine = run.system_metrics
    if machine:
        run_views.print_heading(out, "Machine, last sample")
        out.print(run_views.facts_table(machine))


def _json(run: Run) -> dict[str, Any]:
    return {
        **plain_facts(run),
        "reason": run.reason,
        "notes": run.notes,
        "exit_code": run.exit_code,
        "host": run.host,
        "config": dict(run.config),
        "summary": run.summary_metrics,
        "metadata": run.metadata,
        "keys": [
            {"key": info.key, "kind": info.kind, "count": info.count, "last_step": info.last_step}
            for info in run._session.store.keys(run.id)
        ],
        "files": [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in run.files()],
        "logged_artifacts": [artifact.qualified_name for artifact in run.logged_artifacts()],
        "used_artifacts": [artifact.qualified_name for artifact in run.used_artifacts()],
        "system": run.system_metrics,
    }
