"""The Python of docs/tracking.md and docs/journal.md runs as it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.tracked import Training

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("tracking.md", "journal.md")
BLOCKS = [
    pytest.param(code, id=f"{page}-{number}")
    for page in PAGES
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.M | re.S))
]


@pytest.fixture
def training(tmp_path: Path, home: Path) -> Iterator[Training]:
    with Training(tmp_path, home) as training:
        yield training


@pytest.mark.parametrize("code", BLOCKS)
def test_a_block_of_the_docs_runs(training: Training, code: str) -> None:
    assert "Traceback" not in training.run(code, SWEEP_SYSTEM="off").stderr
