"""One HTTP call to somebody else's machine: the whole of it within a time, to an address that was looked at, followed nowhere.

A name is resolved once, every address it has is judged, and the connection goes to the very address judged: a name that
answers differently a moment later (DNS rebinding) gains nothing. Redirects are answers, not instructions. No proxy is asked.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

MOST_ANSWER = 64 * 1024
MOST_URL = 300
_NAT64 = IPv6Network("64:ff9b::/96")
Address = IPv4Address | IPv6Address


class Unreachable(Exception):
    """No answer: the address may not be called, or the call failed. `permanent`: trying again changes nothing."""

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        self.reason, self.permanent = reason, permanent
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; the body cut at MOST_ANSWER."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart."""

    secure: bool
    host: str
    port: int
    path: str


def target_of(url: str) -> Target:
    """The URL's parts. Errors: Unreachable for what is no plain http(s) URL, or carries a name and password."""
    if len(url) > MOST_URL or not url.isascii() or any(c <= " " or c == "\x7f" for c in url):
        raise Unreachable("地址格式不对", permanent=True)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Unreachable("地址格式不对", permanent=True) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or parts.fragment:
        raise Unreachable("地址格式不对", permanent=True)
    secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, parts.hostname, (443 if secure else 80) if port is None else port, path)


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one leads to (mapped, 6to4, NAT64, Teredo); else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def may_call(address: Address, networks: Iterable[str]) -> bool:
    """A public address, or one in the networks that a setting allows."""
    real = embedded(address)
    if any(real.version == net.version and real in net for net in map(ip_network, networks)):
        return True
    return real.is_global and not real.is_multicast and not real.is_reserved


def judged(target: Target, networks: Iterable[str]) -> list[str]:
    """The addresses of a host, all of which may be called; plain http only within this machine. Errors: Unreachable."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable("找不到这个主机名") from None
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    for text in addresses:
        address = ip_address(text)
        if not may_call(address, networks):
            raise Unreachable("地址错误：指向内部网络", permanent=True)
        if not target.secure and not embedded(address).is_loopback:
            raise Unreachable("地址错误：须用 https", permanent=True)
    return addresses


class _Connection(http.client.HTTPConnection):
    """To an address that was judged, in the name of the host that was asked for; TLS is checked against that name."""

    def __init__(self, target: Target, address: str, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self._target, self._address = target, address
        self._plain: socket.socket | None = None
        self.cut_off = False

    def connect(self) -> None:
        """Straight to the address, without asking for the name again."""
        self._plain = self.sock = socket.create_connection((self._address, self._target.port), self.timeout)
        if self._target.secure:
            # wrap_socket takes the descriptor over; the handshake comes after, so that the watchdog can end it.
            context = ssl.create_default_context()
            self._plain = self.sock = context.wrap_socket(
                self.sock, server_hostname=self._target.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()

    def cut(self) -> None:
        """The time is over: whoever waits on the socket is woken. A host that drips bytes resets no clock of ours."""
        self.cut_off = True
        if self._plain is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._plain, socket.SHUT_RDWR)


def post(
    url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, networks: Iterable[str] | None
) -> Answer:
    """POST, once, all of it within so many seconds. `networks` None: the operator's own address, which is not judged.

    Errors: Unreachable.
    """
    target = target_of(url)
    address = target.host if networks is None else judged(target, networks)[0]
    connection = _Connection(target, address, seconds)
    watchdog = threading.Timer(seconds, connection.cut)
    watchdog.start()
    try:
        connection.request("POST", target.path, body=body, headers={**headers, "Connection": "close"})
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read(MOST_ANSWER))
        if connection.cut_off:
            raise TimeoutError
        return answer
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable("对方没有在时限内应答" if connection.cut_off else _reason(error)) from None
    finally:
        watchdog.cancel()
        connection.close()


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "对方没有在时限内应答"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "对方的证书不可信"
    if isinstance(error, ConnectionRefusedError):
        return "对方没有在接收"
    return f"连接中断（{type(error).__name__}）"
