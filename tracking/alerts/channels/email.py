"""The e-mail channel: SMTP with STARTTLS, with TLS from the start, or plain for a relay on the own machine."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from tracking.alerts.channels.contract import Channel, Undelivered
from tracking.alerts.levels import AlertLevel
from tracking.alerts.message import Message, render

TIMEOUT_S = 15.0
SECURITIES = ("starttls", "ssl", "none")
DEFAULT_SUBJECT = "[{level}] {title}"


class EmailChannel(Channel):
    """One mail to all of `to`. `security` "" chooses: ssl on port 465, else STARTTLS, which a password always needs."""

    def __init__(
        self,
        host: str,
        to: Sequence[str],
        *,
        port: int = 0,
        user: str = "",
        password: str = "",
        sender: str = "",
        security: str = "",
        subject: str = "",
        template: str = "",
        name: str = "email",
        minimum: AlertLevel = AlertLevel.INFO,
    ) -> None:
        self.name, self.minimum = name, minimum
        self._security = security or ("ssl" if port == 465 else "starttls")
        self._host = host
        self._port = port or {"ssl": 465, "starttls": 587, "none": 25}[self._security]
        self._to = list(to)
        self._user, self._password = user, password
        self._sender = sender or (user if "@" in user else self._to[0])
        self._subject, self._template = subject or DEFAULT_SUBJECT, template

    def send(self, message: Message) -> None:
        mail = self._mail(message)
        try:
            with self._connected() as server:
                if self._security == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if self._user:
                    server.login(self._user, self._password)
                refused = server.send_message(mail, self._sender, self._to)
        except smtplib.SMTPException as error:
            raise self._explained(error) from None
        except ssl.SSLCertVerificationError:
            raise Undelivered(f"the certificate of {self._host} is not valid", again=False) from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise Undelivered(f"cannot reach {self._host}:{self._port}: {why}", again=True) from None
        if refused:
            raise Undelivered(f"{self._host} refused {len(refused)} of {len(self._to)} recipients", again=False)

    def place(self) -> str:
        return f"{', '.join(self._to)} by {self._host}:{self._port}"

    def _connected(self) -> smtplib.SMTP:
        if self._security == "ssl":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self._host, self._port, timeout=TIMEOUT_S, context=context)
        return smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_S)

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["Subject"] = " ".join(str(render(self._subject, message)).split())  # a header is one line
        mail["From"], mail["To"] = self._sender, ", ".join(self._to)
        mail["Date"], mail["Message-ID"] = formatdate(localtime=True), make_msgid(domain="sweepwright.invalid")
        text = render(self._template, message) if self._template else f"{message.text}\n\n{message.place}"
        mail.set_content(str(text).strip() + "\n", cte="quoted-printable")  # not every server takes 8 bits
        return mail

    def _explained(self, error: smtplib.SMTPException) -> Undelivered:
        """In our own words: what a server says back may repeat the user's name."""
        if isinstance(error, smtplib.SMTPAuthenticationError):
            return Undelivered(f"{self._host} refused the user or the password", again=False)
        if isinstance(error, smtplib.SMTPNotSupportedError):
            return Undelivered(f"{self._host} does not offer {self._security} or a login", again=False)
        code = getattr(error, "smtp_code", None)
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            code = max((found for found, _ in error.recipients.values()), default=None)
        if isinstance(code, int) and code > 0:
            return Undelivered(f"{self._host} answered {code}", again=400 <= code < 500)
        return Undelivered(f"{self._host} broke the connection ({type(error).__name__})", again=True)
