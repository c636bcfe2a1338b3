"""References: files elsewhere (file, http, https, s3, gs, whatever fsspec knows) that an artifact names but has not."""

from __future__ import annotations

import hashlib
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from tracking.artifacts.manifest import Entry
from tracking.artifacts.names import check_path
from tracking.blobs.copying import hash_file
from tracking.errors import ArtifactDamaged, ArtifactError, ExtraMissing, UsageError
from tracking.extras import require

MAX_OBJECTS = 10_000_000
ARTIFACT = "sweep-artifact"
"""The scheme of a file in another artifact."""
TIMEOUT_S = 60.0
_DRIVERS = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
_DIGESTS = ("ETag", "etag", "md5Hash", "md5", "content_md5", "checksum", "crc32c")
_VERSIONS = ("VersionId", "versionId", "version_id", "generation")


def entries(uri: str, name: str | None, checksum: bool, max_objects: int | None) -> list[Entry]:
    """What a URI stands for: one file, or all below a folder (only with `checksum`, which also looks at them).

    Raises UsageError for what is no URI, ArtifactError when it cannot be reached or has more than `max_objects` files.
    """
    scheme = urlsplit(uri).scheme
    if len(scheme) < 2 or "://" not in uri:
        raise UsageError(f"{uri!r} is no URI; a file of this machine is file:///…")
    prefix = check_path(name) if name else ""
    if not checksum and scheme != "file":
        return [Entry(prefix or _base_name(uri), _digest_of(uri), None, ref=uri)]
    found = _SCHEMES.get(scheme, _remote)(uri, prefix, checksum)
    limit = MAX_OBJECTS if max_objects is None else max_objects
    listed: list[Entry] = []
    for entry in found:
        if len(listed) >= limit:
            raise ArtifactError(f"{uri} has more than {limit} files; a larger max_objects allows them")
        listed.append(entry)
    return listed


def open_reference(entry: Entry) -> BinaryIO:
    """What a reference names, open for reading. Raises FileNotFoundError when it is gone, ArtifactDamaged when it is
    not what it was, ArtifactError when it cannot be reached."""
    uri = entry.ref_target()
    scheme = urlsplit(uri).scheme
    if scheme == "file":
        return open(_local_path(uri), "rb")
    if scheme in ("http", "https"):
        return _open_http(uri, entry)
    return _open_remote(uri, entry)


# -- file ---------------------------------------------------------------------------------------


def _files(uri: str, prefix: str, checksum: bool) -> Iterator[Entry]:
    path = _local_path(uri)
    if os.path.isfile(path):
        yield _local_entry(path, prefix or check_path(os.path.basename(path)), uri, checksum)
        return
    if not os.path.isdir(path):
        raise ArtifactError(f"{uri}: there is no such file or folder; checksum=False refers to what is not there, too")
    for folder, inner, names in os.walk(path):
        inner.sort()
        for name in sorted(names):
            full = os.path.join(folder, name)
            if os.path.isfile(full):
                below = os.path.relpath(full, path).replace(os.sep, "/")
                yield _local_entry(
                    full, check_path(f"{prefix}/{below}" if prefix else below), f"file://{full}", checksum
                )


def _local_entry(path: str, name: str, uri: str, checksum: bool) -> Entry:
    if not checksum:
        return Entry(name, _digest_of(uri), os.path.getsize(path), ref=uri)
    digest, size = hash_file(path)
    return Entry(name, digest, size, ref=uri, extra={"digest": "sha256"})


def _local_path(uri: str) -> str:
    rest = uri.partition("://")[2]
    # Quoted ("%20") as URIs should be, or plain as most people write them: what is there decides.
    return rest if os.path.exists(rest) else unquote(rest)


# -- http and https -----------------------------------------------------------------------------


def _http(uri: str, prefix: str, checksum: bool) -> Iterator[Entry]:
    headers = _http_headers(uri)
    tag = _tag(headers)
    size = headers.get("Content-Length")
    extra = {"etag": tag} if tag else None
    yield Entry(prefix or _base_name(uri), tag or _digest_of(uri), int(size) if size else None, ref=uri, extra=extra)


def _http_headers(uri: str) -> Mapping[str, str]:
    for method in ("HEAD", "GET"):  # some servers know no HEAD
        try:
            with closing(urllib.request.urlopen(_request(uri, method), timeout=TIMEOUT_S)) as answer:
                headers: Mapping[str, str] = answer.headers
                return headers
        except urllib.error.HTTPError as error:
            if method == "GET" or error.code not in (400, 403, 405, 501):
                raise ArtifactError(f"{uri}: the server says {error.code} {error.reason}") from None
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{uri} cannot be reached: {error}") from None
    raise AssertionError("unreachable")


def _open_http(uri: str, entry: Entry) -> BinaryIO:
    try:
        answer: Any = urllib.request.urlopen(_request(uri, "GET"), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code in (404, 410):
            raise FileNotFoundError(f"{uri} is gone ({error.code} {error.reason})") from None
        raise ArtifactError(f"{uri}: the server says {error.code} {error.reason}") from None
    except OSError as error:
        raise ArtifactError(f"{uri} cannot be reached: {error}") from None
    _compare(uri, entry.extra.get("etag"), _tag(answer.headers))
    return answer  # type: ignore[no-any-return]


def _request(uri: str, method: str) -> urllib.request.Request:
    return urllib.request.Request(
        uri, method=method, headers={"User-Agent": "sweepwright", "Accept-Encoding": "identity"}
    )


def _tag(headers: Mapping[str, str]) -> str:
    return (headers.get("ETag") or "").removeprefix("W/").strip('"')


# -- everything that fsspec knows ---------------------------------------------------------------


def _remote(uri: str, prefix: str, checksum: bool) -> Iterator[Entry]:
    system, path = _system(uri)
    scheme = urlsplit(uri).scheme
    try:
        about = system.info(path)
        if about.get("type") != "directory":
            yield _remote_entry(uri, prefix or _base_name(uri), about)
            return
        root = str(path).rstrip("/")
        for full, details in sorted(system.find(path, detail=True).items()):
            below = str(full)[len(root) :].lstrip("/")
            name = check_path(f"{prefix}/{below}" if prefix else below)
            yield _remote_entry(f"{scheme}://{str(full).lstrip('/')}", name, details)
    except FileNotFoundError:
        raise ArtifactError(f"{uri}: there is no such file or folder") from None


def _remote_entry(uri: str, name: str, about: Mapping[str, Any]) -> Entry:
    tag = next((str(about[key]).strip('"') for key in _DIGESTS if about.get(key)), "")
    version = next((str(about[key]) for key in _VERSIONS if about.get(key)), "")
    extra = {key: value for key, value in (("etag", tag), ("versionID", version)) if value}
    return Entry(name, tag or _digest_of(uri), about.get("size"), ref=uri, extra=extra)


def _open_remote(uri: str, entry: Entry) -> BinaryIO:
    system, path = _system(uri)
    now = _remote_entry(uri, entry.path, system.info(path))  # FileNotFoundError says that it is gone
    _compare(uri, entry.extra.get("etag"), now.extra.get("etag", ""))
    return system.open(path, "rb")  # type: ignore[no-any-return]


def _system(uri: str) -> tuple[Any, Any]:
    scheme = urlsplit(uri).scheme
    core = require("fsspec.core", "remote", f"a reference to {scheme}://")
    try:
        return core.url_to_fs(uri)  # type: ignore[no-any-return]
    except ImportError as error:
        driver = _DRIVERS.get(scheme)
        raise ExtraMissing(
            f"a reference to {scheme}:// needs {driver or error}: pip install {driver or scheme}"
        ) from None
    except ValueError as error:
        raise UsageError(f"{uri}: {error}; add_reference(checksum=False) takes any URI") from None


# -- all of them --------------------------------------------------------------------------------

_SCHEMES = {"file": _files, "http": _http, "https": _http}


def copy_reference(entry: Entry, target: BinaryIO) -> None:
    """Write what a reference names into a file, and check what can be checked. Raises as `open_reference` does."""
    with closing(open_reference(entry)) as source:
        if not entry.has_content_digest:
            shutil.copyfileobj(source, target, 1 << 20)
            if entry.size is not None and target.tell() != entry.size:
                raise ArtifactDamaged(f"{entry.ref} has {target.tell()} bytes now, it had {entry.size}")
            return
        digest = hashlib.sha256()
        while piece := source.read(1 << 20):
            digest.update(piece)
            target.write(piece)
    if digest.hexdigest() != entry.digest:
        raise ArtifactDamaged(f"{entry.ref} has another content than when it was added to the artifact")


def _compare(uri: str, then: str | None, now: str) -> None:
    if then and now and then != now:
        raise ArtifactDamaged(f"{uri} has changed since it was added to the artifact (ETag {now}, it was {then})")


def _digest_of(uri: str) -> str:
    return hashlib.sha256(uri.encode("utf-8", "replace")).hexdigest()


def _base_name(uri: str) -> str:
    parts = urlsplit(uri)
    return check_path(unquote(parts.path).rstrip("/").rpartition("/")[2] or parts.netloc)
