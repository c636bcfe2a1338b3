"""Where alerts arrive in tests: real HTTP and SMTP servers on this machine, which remember what they were sent."""

from __future__ import annotations

import base64
import json
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class Posted:
    """One request."""

    path: str
    headers: dict[str, str]
    body: Any


class Hooks:
    """An HTTP server. `answers` maps a path to (status, headers) or a list of them, one for each request."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.posted: list[Posted] = []
        self.answers: dict[str, Any] = {}
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hooks.posted.append(Posted(self.path, dict(self.headers), json.loads(body)))
                answer = hooks.answers.get(self.path, (200, {}))
                if isinstance(answer, list):
                    answer = answer.pop(0) if answer else (200, {})
                self.send_response(answer[0])
                for name, value in {**answer[1], "Content-Length": "0"}.items():
                    self.send_header(name, value)
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def bodies(self) -> list[Any]:
        return [posted.body for posted in self.posted]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class Mail:
    """One mail as it came over the wire."""

    sender: str
    recipients: list[str]
    text: str


@dataclass
class MailBox:
    """What an SMTP server does and got."""

    tls: ssl.SSLContext | None = None
    immediate: bool = False
    users: dict[str, str] = field(default_factory=dict)
    refuse: str = ""
    """The answer to every recipient; "" takes them."""
    mails: list[Mail] = field(default_factory=list)
    was_secure: list[bool] = field(default_factory=list)
    port: int = 0


class _Session(socketserver.StreamRequestHandler):
    """As much of SMTP as smtplib speaks."""

    def handle(self) -> None:
        box: MailBox = self.server.box  # type: ignore[attr-defined]
        self.secure = False
        if box.immediate:
            self._secure(box)
        self._say("220 box ready")
        sender, recipients = "", []
        while line := self.rfile.readline().decode().strip():
            verb, _, rest = line.partition(" ")
            match verb.upper():
                case "EHLO":
                    self._say("250-box", *(["250-STARTTLS"] if box.tls and not self.secure else []), "250 AUTH PLAIN")
                case "STARTTLS":
                    self._say("220 go")
                    self._secure(box)
                case "AUTH":
                    _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
                    good = box.users.get(user) == password
                    self._say("235 welcome" if good else f"535 {user} may not enter with {password}")
                case "MAIL":
                    sender, recipients = rest, []
                    self._say("250 ok")
                case "RCPT":
                    recipients.append(rest)
                    self._say(box.refuse or "250 ok")
                case "DATA":
                    self._say("354 go on")
                    lines = []
                    while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                        lines.append(text)
                    box.mails.append(Mail(sender, recipients, "\n".join(lines)))
                    box.was_secure.append(self.secure)
                    self._say("250 kept")
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 ok")

    def _secure(self, box: MailBox) -> None:
        assert box.tls is not None
        self.connection = self.request = box.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.secure = True

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def finish(self) -> None:
        self.rfile.close()
        self.wfile.close()
        self.connection.close()


@contextmanager
def mail_server(box: MailBox) -> Iterator[MailBox]:
    """The box behind a port of this machine."""

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

        def handle_error(self, request: Any, address: Any) -> None:
            """A client that does not trust the certificate leaves in the middle."""

    with Server(("127.0.0.1", 0), _Session) as server:
        server.box = box  # type: ignore[attr-defined]
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for `localhost` that nobody has signed, and a server's context with it."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run([*command.split(), "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context
