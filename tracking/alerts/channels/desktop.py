"""The desktop channel: a notification by the program that the desktop brings."""

from __future__ import annotations

import shutil
import subprocess

from tracking.alerts.channels.contract import Channel, Undelivered
from tracking.alerts.levels import AlertLevel
from tracking.alerts.message import Message

_PATIENCE_S = 5.0


class DesktopChannel(Channel):
    """`notify-send` on Linux, `osascript` on macOS."""

    def __init__(self, *, name: str = "desktop", minimum: AlertLevel = AlertLevel.INFO) -> None:
        self.name, self.minimum = name, minimum

    def send(self, message: Message) -> None:
        command = _command(f"[{message.level}] {message.title}", message.text or message.place)
        if command is None:
            raise Undelivered("neither notify-send nor osascript is installed", again=False)
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Undelivered(f"{command[0]} does not work: {type(error).__name__}", again=False) from None
        if done.returncode:
            raise Undelivered(f"{command[0]} ended with status {done.returncode}", again=False)

    def place(self) -> str:
        return "the desktop of this machine"


def _command(title: str, text: str) -> list[str] | None:
    if shutil.which("notify-send"):
        return ["notify-send", "--app-name=sweepwright", "--", title, text]
    if shutil.which("osascript"):
        # The words are arguments of the script, never a part of it.
        script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
        return ["osascript", "-e", script, title, text]
    return None
