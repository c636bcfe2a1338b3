"""Store, fetch, list, verify and remove artifacts, without a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from sweeps.cli.arguments import as_json
from sweeps.cli.output import print_json
from sweeps.cli.stores import store_is_missing
from sweeps.recorded.artifact_views import bar, files_text, readable, show_collections, show_files, show_versions
from tracking.errors import ArtifactNotFound, ArtifactRefused, UsageError
from tracking.home import Home

if TYPE_CHECKING:
    from tracking.artifacts.artifact import Artifact
    from tracking.artifacts.contract import ArtifactPath

Progress = Callable[[int, int], None]
_project = click.option("-p", "--project", help="Project of names that say none (default: SWEEP_PROJECT).")
_name = click.argument("name", metavar="NAME[:ALIAS]")


@click.group("artifact")
def command() -> None:
    """Store, fetch, list, verify and remove artifacts: versioned files that runs log and use.

    NAME is [[ENTITY/]PROJECT/]NAME; an alias is one that was given, a version such as v3, or "latest".
    """


@command.command("put")
@click.argument("path", type=click.Path(exists=True))
@click.option("-n", "--name", required=True, help="[[ENTITY/]PROJECT/]NAME of the artifact.")
@click.option("-t", "--type", "kind", default="dataset", show_default=True, help="Its type: dataset, model …")
@click.option("-a", "--alias", "aliases", multiple=True, help="An alias beside latest; may be repeated.")
@click.option("-d", "--description", help="What it is.")
@as_json
def put_artifact(
    path: str, name: str, kind: str, aliases: tuple[str, ...], description: str | None, as_json: bool
) -> None:
    """Store a file or a folder as the next version of an artifact. Known content makes no new version."""
    from tracking.artifacts import recording  # these load what `--help` does not need
    from tracking.artifacts.artifact import Artifact

    place = _place(name, None)
    if ":" in name:
        raise UsageError(f"{name!r}: versions are numbered by the store; --alias gives aliases")
    artifact = Artifact(place.name, kind, description)
    with _progress("storing", *_measured(path), quiet=as_json) as progress:
        if os.path.isdir(path):
            artifact.add_dir(path, progress=progress)
        else:
            artifact.add_file(path, progress=progress)
    recording.put(artifact, place.project, place.entity, aliases)
    if as_json:
        print_json(_as_json(artifact))
    else:
        click.echo(f"{artifact.qualified_name}: {files_text(artifact.file_count)}, {readable(artifact.size)}")


@command.command("get")
@_name
@click.option("-r", "--root", type=click.Path(file_okay=False), help="Where to (default: ./artifacts/NAME:VERSION).")
@_project
@as_json
def get_artifact(name: str, root: str | None, project: str | None, as_json: bool) -> None:
    """Fetch the files of a version. Those that are there already and right are left alone."""
    artifact = _found(name, project)
    with _progress("fetching", artifact.file_count, artifact.size, quiet=as_json) as progress:
        folder = artifact.download(root, progress=progress)
    if as_json:
        print_json({**_as_json(artifact), "root": os.path.abspath(folder)})
    else:
        click.echo(f"{artifact.qualified_name} is in {folder}")


@command.command("ls")
@click.argument("name", required=False)
@_project
@click.option("-t", "--type", "kind", help="Only artifacts of this type.")
@as_json
def list_artifacts(name: str | None, project: str | None, kind: str | None, as_json: bool) -> None:
    """List artifacts; with NAME its versions, or the files of NAME:ALIAS."""
    if name is not None and ":" in name:
        show_files(_found(name, project), as_json=as_json)
    elif name is not None:
        show_versions(_versions(name, project), as_json=as_json)
    else:
        show_collections([] if store_is_missing() else _collections(project, kind), as_json=as_json)


@command.command("verify")
@_name
@click.option("-r", "--root", type=click.Path(exists=True, file_okay=False), help="Compare this folder instead.")
@_project
def verify_artifact(name: str, root: str | None, project: str | None) -> None:
    """Read all stored bytes of a version again (or a folder it was fetched to) and compare them with the digests."""
    from tracking.artifacts import fetching

    artifact = _found(name, project)
    if root is not None:
        artifact.verify(root)
    else:
        with _progress("reading", artifact.file_count, artifact.size) as progress:
            fetching.check_stored(artifact, progress)
    click.echo(f"{artifact.qualified_name}: {files_text(artifact.file_count)} as logged")


@command.command("rm")
@click.argument("name", metavar="NAME:VERSION")
@click.option("-f", "--force", is_flag=True, help="Although it has aliases.")
@_project
def remove_artifact(name: str, force: bool, project: str | None) -> None:
    """Remove a version, or a link. Its bytes go with the next `sweep artifact gc`."""
    if ":" not in name:
        raise UsageError(f"say which version to remove, such as {name}:v0; `sweep artifact ls {name}` lists them")
    artifact = _found(name, project)
    named = [alias for alias in artifact.aliases if alias != "latest"]
    if named and not force:
        raise ArtifactRefused(f"{artifact.qualified_name} has the alias {', '.join(named)}; --force removes it anyway")
    artifact.delete(delete_aliases=force)
    click.echo(f"removed {artifact.qualified_name}")


@command.command("gc")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be removed, change nothing.")
@click.option("--grace", type=click.FloatRange(min=0), metavar="HOURS", help="Spare what is younger (24; shared: 168).")
@as_json
def collect_garbage(dry_run: bool, grace: float | None, as_json: bool) -> None:
    """Remove expired versions, and bytes that no artifact, run or journal names any more."""
    from tracking.artifacts.collecting import collect

    done = collect(dry_run=dry_run, grace=None if grace is None else grace * 3600)
    swept = done.swept
    if as_json:
        paths = [str(record.path) for record in done.expired]
        print_json({"expired": paths, "blobs": swept.blobs, "bytes": swept.size, "unfinished": swept.unfinished})
        return
    verb = "would remove" if dry_run else "removed"
    for record in done.expired:
        click.echo(f"{verb} {record.path}, which has expired")
    click.echo(f"{verb} {files_text(swept.blobs)}, {readable(swept.size)}; {files_text(swept.kept)} stay")


# -- inside -------------------------------------------------------------------------------------


def _place(name: str, project: str | None) -> ArtifactPath:
    from tracking import environment
    from tracking.artifacts.names import parse
    from tracking.starting.making import DEFAULT_PROJECT

    default = project or environment.read(environment.PROJECT) or DEFAULT_PROJECT
    return parse(name, default, environment.read(environment.ENTITY) or "")


def _found(name: str, project: str | None) -> Artifact:
    from tracking.artifacts import access
    from tracking.artifacts.artifact import Artifact

    place = _place(name, project)
    if store_is_missing():
        raise ArtifactNotFound(f"no artifact {name!r}: there is no store at {Home.find().store_url} yet")
    with access.opened() as store:
        return Artifact.of(store.find(place))


def _versions(name: str, project: str | None) -> Any:
    from tracking.artifacts import access

    place = _place(name, project)
    if store_is_missing():
        raise ArtifactNotFound(f"no artifact {name!r}: there is no store at {Home.find().store_url} yet")
    with access.opened() as store:
        store.collection(place)  # raises for an unknown one
        return store.versions(place)


def _collections(project: str | None, kind: str | None) -> Any:
    from tracking.artifacts import access

    with access.opened() as store:
        return store.collections(project=project, type=kind)


def _as_json(artifact: Artifact) -> dict[str, Any]:
    return {
        "name": artifact.qualified_name,
        "version": artifact.version,
        "type": artifact.type,
        "digest": artifact.digest,
        "size": artifact.size,
        "files": artifact.file_count,
        "aliases": artifact.aliases,
    }


def _measured(path: str) -> tuple[int, int]:
    """Files and bytes below a path."""
    if os.path.isfile(path):
        return 1, os.path.getsize(path)
    count = size = 0
    for folder, _, names in os.walk(path, followlinks=True):
        count += len(names)
        size += sum(os.path.getsize(full) for name in names if os.path.isfile(full := os.path.join(folder, name)))
    return count, size


@contextmanager
def _progress(what: str, files: int, size: int, quiet: bool = False) -> Iterator[Progress | None]:
    """A bar on a terminal, nothing elsewhere."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    with bar(what, files, size) as progress:
        yield progress
