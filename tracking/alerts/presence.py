"""Whether any channel is set up at all: the cheap question before what sends is loaded."""

from __future__ import annotations

from tracking import environment
from tracking.home import Home

_VARIABLES = (environment.ALERT_SLACK, environment.ALERT_WEBHOOK, environment.ALERT_SMTP)


def is_set_up(home: Home) -> bool:
    """Whether there is an alerts.yaml, right or wrong, or a variable that names a channel."""
    return (home.root / "alerts.yaml").exists() or any(environment.read(name) for name in _VARIABLES)
