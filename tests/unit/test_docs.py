"""The documentation: its Python compiles, its sweeps load, and it names every key that a sweep.yaml may have."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from sweeps.spec import load
from sweeps.spec.families import FAMILIES
from sweeps.spec.kinds import Record
from sweeps.spec.macros import LISTS, WORDS
from sweeps.spec.tables import BUDGET, EARLY_TERMINATE, METHODS, METRIC, RETRY, TOP

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
YAML_PAGES = [ROOT / "README.md", ROOT / "docs" / "sweep-yaml.md", ROOT / "docs" / "search.md"]
SWEEP_YAML = (ROOT / "docs" / "sweep-yaml.md").read_text()
RECORDS = [TOP, METRIC, EARLY_TERMINATE, BUDGET, RETRY]


class Block(NamedTuple):
    page: str
    line: int
    text: str

    def __repr__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(pages: list[Path], language: str) -> Iterator[Block]:
    """The fenced blocks of a language; the line is the first one of the block."""
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            yield Block(page.name, text.count("\n", 0, found.start(1)) + 1, found[1])


def is_whole(text: str) -> bool:
    """Whether it is a sweep and not only a part of one."""
    found = yaml.safe_load(text)
    return isinstance(found, dict) and {"method", "parameters"} <= found.keys()


PYTHON = list(blocks(PAGES, "python"))
YAML = list(blocks(YAML_PAGES, "yaml"))


@pytest.mark.parametrize("block", PYTHON, ids=repr)
def test_every_python_block_compiles(block: Block) -> None:
    compile("\n" * (block.line - 1) + block.text, block.page, "exec")


@pytest.mark.parametrize("block", [block for block in YAML if is_whole(block.text)], ids=repr)
def test_every_whole_sweep_loads_without_a_warning(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "sweep.yaml"
    file.write_text(block.text)
    assert load(file).warnings == ()


def test_there_are_blocks_to_look_at() -> None:
    assert len(PYTHON) >= 5
    assert sum(is_whole(block.text) for block in YAML) >= 2


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.what)
def test_every_key_is_on_the_page(record: Record) -> None:
    assert [key for key in [*record.keys, *record.refused] if key not in code_words()] == []


def test_every_method_distribution_key_and_macro_is_on_the_page() -> None:
    keys = [key for family in FAMILIES.values() for key in family.keys]
    macros = [f"${{{name}}}" for name in (*WORDS, *LISTS)]
    assert [word for word in (*METHODS, *FAMILIES, *keys) if word not in code_words()] == []
    assert [macro for macro in macros if macro not in SWEEP_YAML] == []


def test_what_is_not_yet_supported_is_listed() -> None:
    listed = set(re.findall(r"[\w:]+", SWEEP_YAML.partition("### Not yet supported")[2].partition("###")[0]))
    refused = {key for record in RECORDS for key in record.refused} | {"metrics", "when"}
    for record, key in ((TOP, "method"), (EARLY_TERMINATE, "type")):
        refused |= set(record.keys[key].kind.refused)  # type: ignore[attr-defined]
    assert refused - listed == set()


def code_words() -> set[str]:
    """Every word that stands in `code` on the page."""
    return {word for code in re.findall(r"`([^`\n]+)`", SWEEP_YAML) for word in re.findall(r"\w+", code)}
