"""Posts to a URL that somebody wrote down: to public addresses unless allowed, whatever names and redirects say."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urljoin, urlsplit

from tracking.alerts.channels.contract import Undelivered

TIMEOUT_S = 10.0
MAX_REDIRECTS = 3
_KEPT_METHOD = (301, 302, 307, 308)
_TRY_LATER = (408, 425, 429)
_MOST_WAIT_S = 60.0
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def post(url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool = False) -> None:
    """POST; a status of 2xx (or 303, which says that it is done) is success. Raises Undelivered.

    The address that is connected to is the one that was checked, so a name cannot point elsewhere the second time.
    Redirects stay on their scheme, `headers` do not follow to another host.
    """
    wanted = split(url)
    for _ in range(MAX_REDIRECTS + 1):
        status, location, after = _post_once(wanted, body, headers, allow_private)
        if 200 <= status < 300 or status == 303:
            return
        if status not in _KEPT_METHOD or not location:
            again = status >= 500 or status in _TRY_LATER
            raise Undelivered(f"{wanted.hostname} answered {status}", again=again, after=after)
        target = split(urljoin(wanted.geturl(), location))
        if target.scheme != wanted.scheme:
            raise Undelivered(f"{wanted.hostname} redirects from {wanted.scheme} to {target.scheme}", again=False)
        if (target.hostname, target.port) != (wanted.hostname, wanted.port):
            headers = {"Content-Type": headers.get("Content-Type", "application/json")}
        wanted = target
    raise Undelivered(f"{wanted.hostname} redirects more than {MAX_REDIRECTS} times", again=False)


def split(url: str) -> SplitResult:
    """The parts of an http(s) URL with a host. Raises Undelivered, without the path: that may be the secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Undelivered("the URL is not valid", again=False) from None
    if parts.scheme not in ("http", "https"):
        raise Undelivered(f"a URL must begin with http:// or https://, not {parts.scheme[:20]!r}", again=False)
    if not parts.hostname or port == 0:
        raise Undelivered("the URL names no host", again=False)
    return parts


def is_public(address: Address) -> bool:
    """Whether the address belongs to the public network, seen through the forms in which IPv6 wraps IPv4."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _post_once(
    parts: SplitResult, body: bytes, headers: Mapping[str, str], allow_private: bool
) -> tuple[int, str, float]:
    """Status, Location and Retry-After in seconds."""
    host = parts.hostname or ""
    connection = _Connection(parts, allow_private)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body, {"User-Agent": "sweepwright", "Connection": "close", **headers})
        answer = connection.getresponse()
        answer.read(1 << 16)  # politely, but never more than a little
        return answer.status, answer.getheader("Location") or "", _seconds(answer.getheader("Retry-After"))
    except ssl.SSLCertVerificationError:
        raise Undelivered(f"the certificate of {host} is not valid", again=False) from None
    except (OSError, http.client.HTTPException) as error:
        raise Undelivered(f"cannot reach {host}: {_named(error)}", again=True) from None
    except ValueError:
        raise Undelivered("the URL or a header holds characters that may not be there", again=False) from None
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    """Connects to an address that was looked up and checked here, under the name that the URL has."""

    def __init__(self, parts: SplitResult, allow_private: bool) -> None:
        self._secure = parts.scheme == "https"
        self._allow_private = allow_private
        super().__init__(parts.hostname or "", parts.port or (443 if self._secure else 80), timeout=TIMEOUT_S)

    def connect(self) -> None:
        problem: OSError | None = None
        for family, address in addresses(self.host, self.port, allow_private=self._allow_private):
            self.sock = socket.socket(family, socket.SOCK_STREAM)
            self.sock.settimeout(TIMEOUT_S)
            try:
                self.sock.connect(address)
            except OSError as error:
                self.sock.close()
                problem = error
            else:
                problem = None
                break
        if problem is not None:
            raise problem
        if self._secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def addresses(host: str, port: int, *, allow_private: bool) -> list[tuple[int, tuple[object, ...]]]:
    """Where the name leads, each of it checked: one private address among them refuses the name. Raises Undelivered."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Undelivered(f"the name {host} cannot be looked up", again=True) from None
    places = [(int(family), tuple(address)) for family, _, _, _, address in found]
    if not allow_private:
        for _, address in places:
            # A scope (fe80::1%eth0) only exists on a private network.
            if not is_public(ipaddress.ip_address(str(address[0]).partition("%")[0])):
                raise Undelivered(
                    f"{host} is in a private network ({address[0]}); `allow_private: true` allows it", again=False
                )
    return places


def _seconds(text: str | None) -> float:
    return min(float(text), _MOST_WAIT_S) if text and text.isdecimal() else 0.0


def _named(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    return (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
