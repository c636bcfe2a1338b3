"""The config of a run: access, protection of values, the forms it comes in."""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from tracking import notices
from tracking.errors import ConfigLocked, UsageError
from tracking.live.config import Config
from tracking.starting import config_sources


@pytest.fixture(autouse=True)
def _fresh_notices() -> None:
    notices.forget("")


def test_values_are_read_by_item_and_attribute_at_every_depth() -> None:
    config = Config({"lr": 0.1, "model": {"width": 8, "layers": {"count": 2}}})
    assert config.lr == config["lr"] == 0.1
    assert config.model.layers.count == config["model"]["layers"]["count"] == 2
    assert {**config} == config.as_dict()
    assert config.get("missing", 7) == 7


def test_a_missing_key_is_an_error_that_lists_the_keys() -> None:
    with pytest.raises(AttributeError, match=r"no key 'rl'; it has lr, epochs"):
        _ = Config({"lr": 0.1, "epochs": 3}).rl
    with pytest.raises(KeyError):
        _ = Config()["lr"]


def test_new_values_are_told_and_equal_ones_are_not() -> None:
    config, told = Config({"lr": 0.1}), []
    config.connect(told.append)
    config.epochs = 3
    config["lr"] = 0.1
    config.update({"epochs": 3, "extra": {"a": (1, 2)}})
    assert told == [{"epochs": 3}, {"extra": {"a": [1, 2]}}]


def test_changing_a_value_needs_permission_and_a_refused_update_changes_nothing() -> None:
    config = Config({"lr": 0.1})
    with pytest.raises(ConfigLocked, match="allow_val_change=True"):
        config.lr = 0.2
    with pytest.raises(ConfigLocked):
        config.update({"new": 1, "lr": 0.2})
    assert config.as_dict() == {"lr": 0.1}
    config.update({"lr": 0.2}, allow_val_change=True)
    assert config.lr == 0.2
    free = Config({"lr": 0.1}, frozen=False)
    free.lr = 0.3
    assert free.lr == 0.3


def test_keys_of_the_sweep_stay_and_each_ignored_value_is_warned_about_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = Config({"lr": 0.5, "epochs": 3}, locked={"lr": 0.1})
    for _ in range(2):
        config.update({"lr": 0.9}, allow_val_change=True)
        config.lr = 0.9
        config["lr"] = 0.7
    assert config.as_dict() == {"lr": 0.1, "epochs": 3}
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("sets it; ")[2] for line in lines] == ["0.5 is ignored", "0.9 is ignored", "0.7 is ignored"]


def test_a_long_ignored_value_is_shortened_in_the_warning(capsys: pytest.CaptureFixture[str]) -> None:
    Config({"lr": list(range(1000))}, locked={"lr": 0.1})
    assert len(capsys.readouterr().err) < 400


def test_a_locked_leaf_leaves_its_siblings_free(capsys: pytest.CaptureFixture[str]) -> None:
    config = Config({"opt": {"lr": 1, "momentum": 0.9}}, locked={"opt": {"lr": 0.1}})
    assert config.as_dict() == {"opt": {"lr": 0.1, "momentum": 0.9}}
    assert "config opt.lr stays 0.1" in capsys.readouterr().err


def test_equal_values_of_the_sweep_are_no_reason_to_warn(capsys: pytest.CaptureFixture[str]) -> None:
    Config({"lr": 0.1, "width": 8.0}, locked={"lr": 0.1, "width": 8})
    assert capsys.readouterr().err == ""


def test_true_is_not_one() -> None:
    with pytest.raises(ConfigLocked):
        Config({"flag": 1}).flag = True


def test_copies_and_pickles_are_plain_dicts() -> None:
    config = Config({"a": {"b": [1]}})
    for copied in (copy.deepcopy(config), pickle.loads(pickle.dumps(config)), pickle.loads(pickle.dumps(config.a))):
        assert type(copied) is dict
    copied = config.as_dict()
    copied["a"]["b"].append(2)
    assert config.a.b == [1]


@dataclasses.dataclass
class Options:
    lr: float = 0.1
    width: int = 8


class Pydantic:
    def model_dump(self) -> dict[str, Any]:
        return {"lr": 0.1, "width": 8}


class Flags:
    def flag_values_dict(self) -> dict[str, Any]:
        return {"lr": 0.1, "width": 8}


SOURCES = [{"lr": 0.1, "width": 8}, argparse.Namespace(lr=0.1, width=8), Options(), Pydantic(), Flags()]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: type(source).__name__)
def test_every_form_gives_the_same_config(source: Any) -> None:
    assert config_sources.as_mapping(source) == {"lr": 0.1, "width": 8}
    config = Config()
    config.update(source)
    assert config.as_dict() == {"lr": 0.1, "width": 8}


@pytest.mark.parametrize("source", [3, Options, [1, 2]])
def test_other_forms_are_refused(source: Any) -> None:
    with pytest.raises(UsageError, match="config is a"):
        config_sources.as_mapping(source)


def test_a_yaml_file_keeps_numbers_numbers_and_words_words(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("lr: 1e-5\nname: on\nday: 2024-01-02\nflag: true\nwidth: {desc: units, value: 8}\nnone: null\n")
    assert config_sources.as_mapping(str(file)) == {
        "lr": 1e-5,
        "name": "on",
        "day": "2024-01-02",
        "flag": True,
        "width": 8,
        "none": None,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", r"config\.yaml:2:1: the key 'a' comes twice"),
        ("a: [1\n", r"config\.yaml:2:1: "),
        ("- a\n", "holds keys and values"),
    ],
)
def test_a_broken_yaml_file_is_named_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message):
        config_sources.as_mapping(file)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UsageError, match=r"nowhere\.yaml does not exist"):
        config_sources.as_mapping("nowhere.yaml")


def test_defaults_come_from_the_folder_then_from_the_named_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config-defaults.yaml").write_text("lr: 1\nwidth: 1\n")
    (tmp_path / "more.yaml").write_text("width: 2\n")
    monkeypatch.setenv("SWEEP_CONFIG_PATHS", f"{tmp_path / 'more.yaml'},{tmp_path / 'gone.yaml'}")
    assert config_sources.defaults() == {"lr": 1, "width": 2}


def test_keys_are_included_or_excluded_but_not_both() -> None:
    values = {"a": 1, "b": 2}
    assert config_sources.chosen(values, ["a"], None) == {"a": 1}
    assert config_sources.chosen(values, None, ["a"]) == {"b": 2}
    with pytest.raises(UsageError):
        config_sources.chosen(values, ["a"], ["b"])


def test_numbers_of_other_libraries_are_recorded_as_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    config = Config({"lr": numpy.float32(0.5), "seeds": numpy.arange(3), "path": Path("/x"), "cls": Options})
    assert config.as_json() == {"lr": 0.5, "seeds": [0, 1, 2], "path": "/x", "cls": f"{__name__}.Options"}
    json.dumps(config.as_json())


def test_a_key_of_a_section_is_set_in_the_config() -> None:
    config, told = Config({"model": {"width": 8, "inner": {"a": 1}}}), []
    config.connect(told.append)
    section = config.model
    section.depth = 3
    config["model"]["inner"]["b"] = 2
    config.model.update(act="relu")
    assert told[-1] == {"model": {"width": 8, "inner": {"a": 1, "b": 2}, "depth": 3, "act": "relu"}}
    assert section.depth == config.model.depth == 3
    with pytest.raises(ConfigLocked, match=r"config model\.inner\.a is 1 and would become 2"):
        config.model.inner.a = 2
    with pytest.raises(ConfigLocked):
        del config.model["width"]
    assert type(config.model.copy()) is dict


def test_a_swept_leaf_stays_when_its_section_is_written() -> None:
    config = Config({"opt": {"momentum": 0.9}}, locked={"opt": {"lr": 0.1}}, frozen=False)
    config.opt.lr = 5
    config.opt.momentum = 0.5
    assert config.as_dict() == {"opt": {"lr": 0.1, "momentum": 0.5}}


def test_real_models_and_flags_are_configs() -> None:
    pydantic = pytest.importorskip("pydantic")
    flags = pytest.importorskip("absl.flags")

    class Model(pydantic.BaseModel):  # type: ignore[name-defined,misc]
        lr: float = 0.1
        width: int = 8

    values = flags.FlagValues()
    flags.DEFINE_float("lr", 0.1, "rate", flag_values=values)
    flags.DEFINE_integer("width", 8, "units", flag_values=values)
    values(["program"])
    assert config_sources.as_mapping(Model()) == {"lr": 0.1, "width": 8}
    assert config_sources.as_mapping(values)["lr"] == 0.1


def test_settings_may_name_other_config_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEP_CONFIG_PATHS", str(tmp_path / "unread.yaml"))
    (tmp_path / "mine.yaml").write_text("lr: {desc: rate, value: 3}\n")
    assert config_sources.defaults([tmp_path / "mine.yaml"]) == {"lr": 3}
