"""`sweep alerts`: what people see of their channels, and the message that tries them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.desk import Run
from tests.acceptance.tracking_sdk.post_office import Hooks
from tracking.alerts.setup import load
from tracking.home import Home

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def hooks(home: Path) -> Iterator[Hooks]:
    hooks = Hooks()
    home.mkdir()
    path = home / "alerts.yaml"
    path.write_text(
        f"""
        allow_private: true
        channels:
          - {{type: slack, url: "{hooks.url}/T0P/S3CRET", level: ERROR}}
          - {{type: webhook, url: "{hooks.url}/hook"}}
        events: {{new_best: false, stalled: 90}}
        """
    )
    path.chmod(0o600)
    yield hooks
    hooks.close()


@pytest.mark.usefixtures("hooks")
def test_channels_are_shown_without_their_secrets(run: Run) -> None:
    status, out, err = run("alerts", "show")
    assert status == 0, err
    assert re.search(r"slack +ERROR +127\.0\.0\.1", out)
    assert "finished, first failure, stalled for 90 s" in out
    assert "S3CRET" not in out
    status, out, _ = run("alerts", "show", "--json")
    found = json.loads(out)
    assert [channel["name"] for channel in found["channels"]] == ["slack", "webhook"]
    assert found["events"] == {"finished": True, "first_failure": True, "new_best": False, "stalled": 90.0}


def test_a_test_goes_over_every_channel_or_over_those_that_are_named(run: Run, hooks: Hooks) -> None:
    assert run("alerts", "test")[0] == 0
    assert [posted.path for posted in hooks.posted] == ["/T0P/S3CRET", "/hook"]
    status, out, _ = run("alerts", "test", "webhook", "--title", "Hi", "--level", "info")
    assert (status, out) == (0, "webhook: sent to 127.0.0.1\n")
    assert (hooks.bodies[-1]["title"], hooks.bodies[-1]["level"]) == ("Hi", "INFO")


def test_a_test_says_what_failed_and_where_nothing_is_set_up(run: Run, hooks: Hooks, home: Path) -> None:
    hooks.answers["/hook"] = (404, {})
    status, out, err = run("alerts", "test")
    assert (status, out, err) == (1, "slack: sent to 127.0.0.1\n", "webhook: not sent: 127.0.0.1 answered 404\n")
    status, _, err = run("alerts", "test", "pigeon")
    assert status == 2
    assert "there are: slack, webhook" in err
    (home / "alerts.yaml").unlink()
    status, _, err = run("alerts", "test")
    assert status == 1
    assert "No channel is set up" in err


def test_an_open_file_is_refused_with_what_to_do(run: Run, hooks: Hooks, home: Path) -> None:
    (home / "alerts.yaml").chmod(0o644)
    status, _, err = run("alerts", "show")
    assert status == 1
    assert "chmod 600" in err
    assert "S3CRET" not in err
    assert not hooks.posted


def test_the_file_in_the_docs_is_right(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLACK_HOOK", "MAIL_PASSWORD", "CHAT_TOKEN"):
        monkeypatch.setenv(name, "https://hooks.slack.com/x")
    (text,) = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / "alerts.md").read_text("utf-8"), re.M | re.S)
    home.mkdir()
    path = home / "alerts.yaml"
    path.write_text(text)
    path.chmod(0o600)
    setup = load(Home(home))
    assert [channel.name for channel in setup.channels] == ["slack", "email", "webhook", "desktop", "console"]
    assert (setup.events.new_best, setup.events.stalled) == (False, 7200)


@pytest.mark.parametrize("page", ["alerts.md", "sync.md"])
def test_the_python_of_the_docs_runs(page: str, tmp_path: Path, home: Path) -> None:
    from tests.acceptance.tracked import Training

    with Training(tmp_path, home) as training:
        for code in re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.M | re.S):
            assert "Traceback" not in training.run(code, SWEEP_SYSTEM="off").stderr
