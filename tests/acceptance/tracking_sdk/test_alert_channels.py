"""The channels against real servers: what arrives, what is tried again, and where no message ever goes."""

from __future__ import annotations

import ipaddress
import shutil
import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.tracking_sdk.post_office import Hooks, MailBox, certificate, mail_server
from tracking.alerts import reaching
from tracking.alerts.channels.contract import Undelivered
from tracking.alerts.channels.email import EmailChannel
from tracking.alerts.channels.slack import SlackChannel
from tracking.alerts.channels.webhook import WebhookChannel
from tracking.alerts.levels import AlertLevel
from tracking.alerts.message import Message

MESSAGE = Message("Loss <high> & rising", "it is\n0.9", AlertLevel.WARN, "brave-owl (r1)", "digits", "", "box7")
SECRET = "S3CRET"


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    hooks = Hooks()
    yield hooks
    hooks.close()


@pytest.fixture
def inside() -> Iterator[Hooks]:
    """A server at an address which `public_loopback` leaves private."""
    hooks = Hooks("127.0.0.2")
    yield hooks
    hooks.close()


@pytest.fixture
def public_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 counts as an address of the public network, everything else as it is."""
    real = reaching.is_public
    monkeypatch.setattr(
        reaching, "is_public", lambda address: address == ipaddress.ip_address("127.0.0.1") or real(address)
    )


def test_a_webhook_gets_all_fields_as_json(hooks: Hooks) -> None:
    WebhookChannel(f"{hooks.url}/x?y=1", allow_private=True).send(MESSAGE)
    (posted,) = hooks.posted
    assert posted.path == "/x?y=1"
    assert posted.headers["Content-Type"] == "application/json"
    assert posted.body == {
        "title": "Loss <high> & rising",
        "text": "it is\n0.9",
        "level": "WARN",
        "run": "brave-owl (r1)",
        "project": "digits",
        "sweep": "",
        "host": "box7",
    }


def test_a_webhook_gets_the_words_and_headers_that_it_wants(hooks: Hooks) -> None:
    channel = WebhookChannel(
        hooks.url,
        template={"msg": "{level}: {title}", "tags": ["{host}", 3]},
        headers={"Authorization": f"Bearer {SECRET}"},
        allow_private=True,
    )
    channel.send(MESSAGE)
    assert hooks.bodies == [{"msg": "WARN: Loss <high> & rising", "tags": ["box7", 3]}]
    assert hooks.posted[0].headers["Authorization"] == f"Bearer {SECRET}"


def test_slack_gets_text_that_cannot_call_the_whole_channel(hooks: Hooks) -> None:
    channel = SlackChannel(f"{hooks.url}/services/{SECRET}", allow_private=True)
    channel.send(Message("<!channel> now", "see <http://evil>", AlertLevel.ERROR, run="r1"))
    assert hooks.bodies == [{"text": "*ERROR: &lt;!channel&gt; now*\nsee &lt;http://evil&gt;\n_run r1_"}]


@pytest.mark.parametrize(
    ("status", "again"), [(500, True), (503, True), (429, True), (408, True), (400, False), (404, False), (403, False)]
)
def test_only_what_may_work_later_is_to_be_tried_again(hooks: Hooks, status: int, again: bool) -> None:
    hooks.answers["/S3CRET"] = (status, {"Retry-After": "7"})
    with pytest.raises(Undelivered) as caught:
        WebhookChannel(f"{hooks.url}/{SECRET}", allow_private=True).send(MESSAGE)
    assert (caught.value.again, caught.value.after) == (again, 7.0)
    assert str(caught.value) == f"127.0.0.1 answered {status}"


def test_a_server_that_is_not_there_may_come_back() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/{SECRET}"
    with pytest.raises(Undelivered) as caught:
        WebhookChannel(url, allow_private=True).send(MESSAGE)
    assert caught.value.again
    assert SECRET not in str(caught.value)


def test_a_name_that_does_not_exist_is_told_without_the_secret() -> None:
    with pytest.raises(Undelivered, match="cannot be looked up") as caught:
        WebhookChannel(f"https://nowhere.invalid/{SECRET}").send(MESSAGE)
    assert SECRET not in str(caught.value)


# -- private networks -------------------------------------------------------------------------


def test_a_private_address_is_refused_unless_allowed(hooks: Hooks) -> None:
    with pytest.raises(Undelivered, match=r"private network \(127\.0\.0\.1\).*allow_private"):
        WebhookChannel(hooks.url).send(MESSAGE)
    assert not hooks.posted
    WebhookChannel(hooks.url.replace("127.0.0.1", "localhost"), allow_private=True).send(MESSAGE)
    assert len(hooks.posted) == 1


@pytest.mark.usefixtures("public_loopback")
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_leads_into_a_private_network(hooks: Hooks, inside: Hooks, status: int) -> None:
    hooks.answers["/"] = (status, {"Location": f"{inside.url}/admin"})
    with pytest.raises(Undelivered, match="private network"):
        WebhookChannel(hooks.url).send(MESSAGE)
    assert not inside.posted


@pytest.mark.usefixtures("public_loopback")
def test_a_redirect_is_followed_where_that_is_allowed_but_headers_stay_with_their_host(
    hooks: Hooks, inside: Hooks
) -> None:
    hooks.answers["/"] = (307, {"Location": f"{inside.url}/next"})
    inside.answers["/next"] = (308, {"Location": "/last"})
    WebhookChannel(hooks.url, headers={"Authorization": SECRET}, allow_private=True).send(MESSAGE)
    assert [posted.path for posted in inside.posted] == ["/next", "/last"]
    assert "Authorization" in hooks.posted[0].headers
    assert all("Authorization" not in posted.headers for posted in inside.posted)


@pytest.mark.parametrize("target", ["https://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1/"])
def test_no_redirect_changes_the_scheme(hooks: Hooks, target: str) -> None:
    hooks.answers["/"] = (302, {"Location": target})
    with pytest.raises(Undelivered) as caught:
        WebhookChannel(hooks.url, allow_private=True).send(MESSAGE)
    assert not caught.value.again


def test_redirects_in_a_circle_end(hooks: Hooks) -> None:
    hooks.answers["/"] = (302, {"Location": "/"})
    with pytest.raises(Undelivered, match="more than 3 times"):
        WebhookChannel(hooks.url, allow_private=True).send(MESSAGE)
    assert len(hooks.posted) == 4


@pytest.mark.usefixtures("public_loopback")
def test_a_name_that_changes_its_address_after_the_check_leads_nowhere_else(
    hooks: Hooks, inside: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, other = int(hooks.url.rpartition(":")[2]), int(inside.url.rpartition(":")[2])
    answers = [[("127.0.0.1", port)], [("127.0.0.2", other)]]

    def look_up(*_: Any, **__: Any) -> list[Any]:
        places = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    WebhookChannel(f"http://tricky.example:{port}/").send(MESSAGE)
    assert len(hooks.posted) == 1
    with pytest.raises(Undelivered, match="private network"):
        WebhookChannel(f"http://tricky.example:{port}/").send(MESSAGE)
    assert not inside.posted


@pytest.mark.usefixtures("public_loopback")
def test_one_private_address_among_several_refuses_the_name(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(hooks.url.rpartition(":")[2])
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.1", "10.0.0.7")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(Undelivered, match=r"10\.0\.0\.7"):
        WebhookChannel(f"http://both.example:{port}/").send(MESSAGE)
    assert not hooks.posted


@pytest.mark.parametrize("host", ["0x7f000001", "2130706433", "127.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_no_spelling_of_an_address_slips_through(hooks: Hooks, host: str) -> None:
    with pytest.raises(Undelivered) as caught:
        WebhookChannel(hooks.url.replace("127.0.0.1", host)).send(MESSAGE)
    assert "private network" in str(caught.value) or "cannot be looked up" in str(caught.value)
    assert not hooks.posted


# -- e-mail -----------------------------------------------------------------------------------


def test_a_mail_arrives_with_its_words() -> None:
    with mail_server(MailBox()) as box:
        EmailChannel("127.0.0.1", ["a@b.org", "c@d.org"], port=box.port, security="none", sender="me@b.org").send(
            Message("Two\r\nBcc: lines", "ünï\n.dot", AlertLevel.ERROR, run="r1", host="box7")
        )
    (mail,) = box.mails
    parsed = message_from_bytes(mail.text.encode(), policy=default)
    assert (mail.sender, mail.recipients) == ("FROM:<me@b.org>", ["TO:<a@b.org>", "TO:<c@d.org>"])
    assert parsed["Subject"] == "[ERROR] Two Bcc: lines"
    assert parsed["Bcc"] is None
    body = parsed.get_content().replace("\n..", "\n.")
    assert body.startswith("ünï\n.dot")
    assert "run r1 · host box7" in body


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


@needs_openssl
@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_a_password_goes_over_a_connection_that_is_secure_and_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    cert, context = certificate(tmp_path)
    box = MailBox(tls=context, immediate=security == "ssl", users={"me": SECRET})
    with mail_server(box):
        channel = EmailChannel(
            "localhost", ["a@b.org"], port=box.port, user="me", password=SECRET, security=security, sender="x@b.org"
        )
        with pytest.raises(Undelivered, match="certificate of localhost is not valid"):
            channel.send(MESSAGE)
        assert not box.mails
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        channel.send(MESSAGE)
    assert box.was_secure == [True]


@needs_openssl
def test_a_wrong_password_is_told_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, context = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    with mail_server(MailBox(tls=context, users={"me": "right"})) as box:
        channel = EmailChannel("localhost", ["a@b.org"], port=box.port, user="me", password=SECRET)
        with pytest.raises(Undelivered) as caught:
            channel.send(MESSAGE)
    assert str(caught.value) == "localhost refused the user or the password"
    assert not caught.value.again


def test_a_server_without_tls_gets_no_password() -> None:
    with mail_server(MailBox(users={"me": SECRET})) as box:
        with pytest.raises(Undelivered, match="does not offer"):
            EmailChannel("127.0.0.1", ["a@b.org"], port=box.port, user="me", password=SECRET).send(MESSAGE)
        assert not box.mails


@pytest.mark.parametrize(("answer", "again"), [("450 later", True), ("550 nobody", False)])
def test_refused_recipients_are_tried_again_when_the_server_says_so(answer: str, again: bool) -> None:
    with mail_server(MailBox(refuse=answer)) as box, pytest.raises(Undelivered) as caught:
        EmailChannel("127.0.0.1", ["a@b.org"], port=box.port, security="none").send(MESSAGE)
    assert caught.value.again is again
