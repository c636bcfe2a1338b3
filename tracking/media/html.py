"""HTML: a text, a file or an open file, with a little style for those that bring none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from tracking.errors import UsageError
from tracking.media.contract import Media, Sink
from tracking.media.keeping import payload
from tracking.media.keeping.paths import checked_file, is_open_file, read_all

_STYLE = (
    '<base target="_blank"><meta charset="utf-8"><style>html{line-height:1.15;-webkit-text-size-adjust:100%}'
    "body{margin:0}img{border-style:none}table{border-collapse:collapse}pre,code{font-family:monospace;font-size:1em}"
    "</style>"
)


class Html(Media):
    """A page or a piece of one. Logged, it becomes {"_type": "html-file", "path", "sha256", "size"}."""

    type_name = "html-file"

    def __init__(
        self, data: Any, inject: bool = True, data_is_not_path: bool = False, caption: str | None = None
    ) -> None:
        """Take HTML as a text, the path of an `.html` file, or an open file.

        Args:
            inject: Put a small style sheet into the head, and let links open a new window.
            data_is_not_path: Take `data` as HTML even if a file of that name exists.

        Raises:
            UsageError: It is neither, or the file is not there.
        """
        self.caption = caption
        self.payload: payload.Payload
        file = None if data_is_not_path else _file_of(data)
        if file is not None and not inject:
            self.payload = payload.of_file(file, "html")
            return
        text = _text_of(data if file is None else file.read_text(encoding="utf-8", errors="replace"))
        self.payload = payload.of_text(_styled(text) if inject else text, "html")

    @property
    def html(self) -> str:
        """The text, as it is kept."""
        with self.payload.open() as file:
            return file.read().decode("utf-8", "replace")

    def to_record(self, sink: Sink, key: str, step: int) -> dict[str, Any]:
        file = self.payload.put(sink, f"media/html/{key}_{step}")
        return {"_type": self.type_name, **file} | ({"caption": self.caption} if self.caption is not None else {})

    @classmethod
    def from_record(cls, record: Mapping[str, Any], opener: payload.Opener) -> Html:
        """The page that a record speaks of."""
        page = cls.__new__(cls)
        page.caption, page.payload = record.get("caption"), payload.Stored(record, opener)
        return page


def _file_of(data: Any) -> Any:
    """The path, when it is one: a PathLike always, a text when it ends like a page and the file exists."""
    if isinstance(data, os.PathLike):
        return checked_file(data, "Html()")
    if isinstance(data, str) and len(data) < 4096 and data.lower().endswith((".html", ".htm")) and "\0" not in data:
        return checked_file(data, "Html()") if os.path.isfile(data) else None
    return None


def _text_of(data: Any) -> str:
    if is_open_file(data):
        return read_all(data).decode("utf-8", "replace")
    if isinstance(data, (bytes, bytearray)):
        return bytes(data).decode("utf-8", "replace")
    if isinstance(data, str):
        return data
    raise UsageError(f"Html(): it takes a text, a path or an open file, not {type(data).__name__}")


def _styled(text: str) -> str:
    """The text with our style in its head; what has no head gets the style in front."""
    for tag, after in (("<head>", _STYLE), ("<html>", f"<head>{_STYLE}</head>")):
        at = text.lower().find(tag)
        if at >= 0:
            end = at + len(tag)
            return f"{text[:end]}{after}{text[end:]}"
    return f"{_STYLE}{text}"
