"""What an artifact store promises: versions, aliases, links, lineage, deletion."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

import tracking.store
from tests.contract.store_examples import further, started
from tracking.artifacts.contract import (
    DELETED,
    NEVER,
    ArtifactChange,
    ArtifactPath,
    ArtifactRecord,
    ArtifactStore,
    CollectionChange,
)
from tracking.errors import AliasProtected, ArtifactNotFound, ArtifactRefused
from tracking.store.contract import RunStore

MODEL = ArtifactPath("", "digits", "model")
RUN = "run00001"
BEST = ArtifactPath("", "registry-models", "best")


@pytest.fixture
def store(url: str) -> Iterator[ArtifactStore]:
    store = tracking.store.open_artifacts(url)
    yield store
    store.close()


def logged(number: int, content: str = "", **more: Any) -> dict[str, Any]:
    """The record of a log: number tells the id, `content` (one hex digit) the digest."""
    digit = content or f"{number % 16:x}"
    body = {"do": "log", "id": f"{number:032x}", "name": "model", "type": "model", "digest": digit * 64}
    return {**body, "manifest": digit * 64, "size": 10, "count": 2, "at": 1000.0 + number, **more}


def log(store: ArtifactStore, *records: dict[str, Any], run: str = RUN) -> None:
    store.apply(run, "digits", "", records)


def at(alias: str, path: ArtifactPath = MODEL) -> ArtifactPath:
    return ArtifactPath(path.entity, path.project, path.name, alias)


def numbers(records: Sequence[ArtifactRecord]) -> list[int]:
    return [record.version for record in records]


def test_versions_are_numbered_in_order_and_latest_moves(store: ArtifactStore) -> None:
    log(store, logged(1), logged(2, aliases=["best"]))
    assert numbers(store.versions(MODEL)) == [1, 0]
    assert numbers(store.versions(MODEL, oldest_first=True, limit=1)) == [0]
    assert store.find(at("latest")).version == store.find(at("best")).version == store.find(at("v1")).version == 1
    first = store.find(at("v0"))
    assert (first.aliases, first.run_id, first.size, first.count, first.type) == ((), RUN, 10, 2, "model")
    assert (first.created_at, first.id, first.state, first.is_link) == (1001.0, f"{1:032x}", "COMMITTED", False)
    assert store.find(at("1" * 64)).version == 0


def test_the_same_record_twice_makes_one_version(store: ArtifactStore) -> None:
    log(store, logged(1), logged(1))
    log(store, logged(1), logged(2))
    log(store, logged(2))
    assert numbers(store.versions(MODEL)) == [1, 0]


def test_the_same_content_makes_no_new_version_and_takes_the_aliases(store: ArtifactStore) -> None:
    log(store, logged(1, metadata={"a": 1}), logged(2))
    log(store, logged(3, content="1", aliases=["again"], metadata={"b": 2}, tags=["t"]), run="run00002")
    found = store.find(at("latest"))
    assert (found.version, found.aliases, found.metadata, found.tags) == (
        0,
        ("again", "latest"),
        {"a": 1, "b": 2},
        ("t",),
    )
    assert found.run_id == RUN
    made = store.made_by(f"{3:032x}")
    assert made is not None
    assert made.version == 0
    assert numbers(store.logged_by("run00002")) == [0]


def test_what_is_logged_again_by_its_id_is_the_same_version_whatever_it_holds(store: ArtifactStore) -> None:
    log(store, logged(1), logged(2, same=f"{1:032x}", aliases=["best"]))
    assert numbers(store.versions(MODEL)) == [0]
    assert store.find(at("best")).version == 0


def test_records_shipped_with_their_run_are_there_after_the_transaction(url: str, run_store: RunStore) -> None:
    run_store.apply([started(artifacts=[logged(1)])])
    run_store.apply([further(artifacts=[logged(2)])])
    with_store = tracking.store.open_artifacts(url)
    project = run_store.run(RUN).project
    assert numbers(with_store.versions(ArtifactPath("", project, "model"))) == [1, 0]
    with_store.close()


def test_two_runs_that_race_get_different_versions(url: str, store: ArtifactStore) -> None:
    store.now()

    def ship(run: int) -> None:
        own = tracking.store.open_artifacts(url)
        for step in range(5):
            own.apply(f"run{run}", "digits", "", [logged(run * 100 + step) | {"digest": f"{run * 100 + step:064x}"}])
        own.close()

    threads = [threading.Thread(target=ship, args=(run,)) for run in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store.versions(MODEL)
    assert numbers(found) == list(range(19, -1, -1))
    assert len({record.id for record in found}) == 20
    assert store.find(at("latest")).version == 19


def test_an_incremental_version_stands_on_the_latest(store: ArtifactStore) -> None:
    log(store, logged(1), logged(2, incremental=True), logged(3, incremental=True))
    last = store.find(at("latest"))
    assert (last.version, last.bases, last.manifest) == (2, ("1" * 64, "2" * 64), "3" * 64)
    assert (last.size, last.count) == (30, 6)
    log(store, logged(4, incremental=True, empty=True))
    assert numbers(store.versions(MODEL)) == [2, 1, 0]
    assert set(store.manifests()) == {"1" * 64, "2" * 64, "3" * 64}


def test_what_is_unknown_is_named_with_what_is_there(store: ArtifactStore) -> None:
    log(store, logged(1, aliases=["best"]))
    with pytest.raises(ArtifactNotFound, match=r"no version 'v7'; it has v0, best, latest"):
        store.find(at("v7"))
    with pytest.raises(ArtifactNotFound, match="did you mean 'model'"):
        store.find(ArtifactPath("", "digits", "modell"))
    with pytest.raises(ArtifactNotFound, match="has no artifacts"):
        store.find(ArtifactPath("", "letters", "model"))
    with pytest.raises(ArtifactNotFound):
        store.by_id("f" * 32)
    assert store.versions(ArtifactPath("", "letters", "model")) == []
    assert store.made_by("f" * 32) is None


def test_an_entity_that_has_none_falls_back_to_what_was_logged_without(store: ArtifactStore) -> None:
    log(store, logged(1))
    store.apply("r2", "digits", "lab", [logged(2)])
    assert store.find(ArtifactPath("me", "digits", "model")).id == f"{1:032x}"
    assert store.find(ArtifactPath("lab", "digits", "model")).id == f"{2:032x}"
    store.apply("r3", "only", "lab", [logged(3)])
    assert store.find(ArtifactPath("", "only", "model")).id == f"{3:032x}"


def test_lineage_is_known_both_ways(store: ArtifactStore) -> None:
    log(store, logged(1), logged(2))
    use = {"do": "use", "artifact": f"{1:032x}", "use_as": "data", "at": 5.0}
    log(store, use | {"id": "a" * 32}, use | {"id": "b" * 32, "artifact": f"{2:032x}", "at": 6.0}, run="user")
    log(store, use | {"id": "c" * 32, "at": 7.0}, run="user")
    assert numbers(store.used_by("user")) == [0, 1]
    assert numbers(store.logged_by(RUN)) == [0, 1]
    (by,) = store.users(f"{1:032x}")
    assert (by.run_id, by.use_as, by.at) == ("user", "data", 5.0)
    assert store.users("f" * 32) == []


def test_aliases_move_and_go(store: ArtifactStore) -> None:
    log(store, logged(1, aliases=["best"]), logged(2))
    found = store.change_aliases(at("v1"), ["best", "new"], ["missing"])
    assert found.aliases == ("best", "latest", "new")
    assert store.change_aliases(at("v1"), [], ["new", "latest"]).aliases == ("best",)
    assert store.find(at("v0")).aliases == ()


def test_a_registry_numbers_its_members_itself(store: ArtifactStore) -> None:
    log(store, logged(1), logged(2), logged(3))
    first = store.link(f"{3:032x}", ArtifactPath("lab", "wandb-registry-models", "best"), ["prod"])
    assert (first.version, first.is_link, first.source_version, first.entity) == (0, True, 2, "")
    assert (first.project, first.aliases) == ("registry-models", ("latest", "prod"))
    assert store.link(f"{1:032x}", BEST).version == 1
    assert store.link(f"{3:032x}", BEST).version == 0
    assert store.find(at("latest", BEST)).source_version == 2
    assert numbers(store.links(f"{3:032x}")) == [0]
    assert store.find(at("v2")).aliases == ("latest",)
    assert [record.name for record in store.collections(registry=True)] == ["best"]
    assert [record.name for record in store.collections(registry=False)] == ["model"]


def test_a_link_can_be_a_record_of_what_is_logged_just_before(store: ArtifactStore) -> None:
    link = {"do": "link", "id": "d" * 32, "artifact": f"{1:032x}", "project": "registry-models", "name": "best"}
    log(store, logged(1), link | {"aliases": ["prod"]}, link | {"id": "e" * 32, "artifact": "f" * 32})
    made = store.made_by("d" * 32)
    assert made is not None
    assert (made.name, made.version, made.aliases, made.is_link) == ("best", 0, ("latest", "prod"), True)
    assert store.made_by("e" * 32) is None


def test_protected_aliases_move_by_force_only(store: ArtifactStore) -> None:
    log(store, logged(1), logged(2))
    store.link(f"{1:032x}", BEST, ["prod"])
    store.update_collection(BEST, CollectionChange(protected=["prod"]))
    with pytest.raises(AliasProtected, match=r"'prod'.*force=True"):
        store.link(f"{2:032x}", BEST, ["prod"])
    assert numbers(store.versions(BEST)) == [0]
    with pytest.raises(AliasProtected):
        store.change_aliases(at("prod", BEST), remove=["prod"])
    with pytest.raises(AliasProtected):
        store.unlink(at("prod", BEST))
    link = {"do": "link", "id": "d" * 32, "artifact": f"{2:032x}", "project": "registry-models", "name": "best"}
    log(store, link | {"aliases": ["prod"]})
    assert store.find(at("prod", BEST)).version == 0
    assert store.link(f"{2:032x}", BEST, ["prod"], force=True).aliases == ("latest", "prod")
    store.unlink(at("prod", BEST), force=True)
    assert store.find(at("latest", BEST)).version == 0


def test_a_source_version_cannot_be_unlinked(store: ArtifactStore) -> None:
    log(store, logged(1))
    with pytest.raises(ArtifactRefused, match="no link"):
        store.unlink(at("v0"))


def test_descriptions_tags_and_metadata_change(store: ArtifactStore) -> None:
    log(store, logged(1))
    changed = store.update(f"{1:032x}", ArtifactChange("about", {"x": [1]}, ["a"], 60.0))
    assert (changed.description, changed.metadata, changed.tags, changed.ttl) == ("about", {"x": [1]}, ("a",), 60.0)
    assert store.update(f"{1:032x}", ArtifactChange(inherit_ttl=True)).ttl is None
    with pytest.raises(ArtifactNotFound):
        store.update("f" * 32, ArtifactChange("x"))


def test_a_deleted_version_is_gone_but_lineage_knows_it(store: ArtifactStore) -> None:
    log(store, logged(1), logged(2, aliases=["best"]))
    store.link(f"{2:032x}", BEST)
    with pytest.raises(ArtifactRefused, match=r"digits/model:best"):
        store.delete(f"{2:032x}")
    store.delete(f"{2:032x}", delete_aliases=True)
    assert numbers(store.versions(MODEL)) == [0]
    assert store.find(at("latest")).version == 0
    assert store.versions(BEST) == []
    assert store.by_id(f"{2:032x}").state == DELETED
    assert [record.state for record in store.logged_by(RUN)] == ["COMMITTED", DELETED]
    with pytest.raises(ArtifactNotFound):
        store.delete(f"{2:032x}")
    assert list(store.manifests()) == ["1" * 64]
    # Neither the number nor the record come back.
    log(store, logged(2), logged(3, content="2"))
    assert numbers(store.versions(MODEL)) == [2, 0]


def test_versions_expire_by_their_own_time_or_that_of_their_collection(store: ArtifactStore) -> None:
    old = store.now() - 100.0
    log(store, *(logged(number, at=old) for number in (1, 2, 3, 4)), logged(5))
    store.update(f"{1:032x}", ArtifactChange(ttl=50.0))
    store.update(f"{2:032x}", ArtifactChange(ttl=NEVER))
    store.update_collection(MODEL, CollectionChange(ttl=60.0))
    store.link(f"{4:032x}", BEST)
    assert numbers(store.expired()) == [0, 2, 4]
    store.update_collection(MODEL, CollectionChange(ttl=NEVER))
    assert numbers(store.expired()) == [0]


def test_collections_say_what_they_hold(store: ArtifactStore) -> None:
    log(store, logged(1), logged(2, aliases=["best"]), logged(3, name="data", type="dataset"))
    data, model = store.collections(project="digits")
    assert (data.name, data.type, model.versions, model.size) == ("data", "dataset", 2, 20)
    assert model.aliases == {"best": 1, "latest": 1}
    assert [record.name for record in store.collections(type="dataset")] == ["data"]
    renamed = store.update_collection(MODEL, CollectionChange(name="net", description="nets", tags=["x"]))
    assert (renamed.name, renamed.description, renamed.tags) == ("net", "nets", ("x",))
    with pytest.raises(ArtifactRefused, match="already"):
        store.update_collection(ArtifactPath("", "digits", "net"), CollectionChange(name="data"))
    store.delete_collection(ArtifactPath("", "digits", "net"))
    assert [record.name for record in store.collections()] == ["data"]
    with pytest.raises(ArtifactNotFound):
        store.collection(MODEL)


def test_strange_words_are_kept(store: ArtifactStore) -> None:
    log(
        store, logged(1, aliases=["gr\u00fcn \u2603"], description="a\x00b", metadata={"n": float("inf"), "k\x00": "v"})
    )
    found = store.find(at("gr\u00fcn \u2603"))
    assert found.description == "a\ufffdb"
    assert found.metadata == {"n": float("inf"), "k\x00": "v"}
