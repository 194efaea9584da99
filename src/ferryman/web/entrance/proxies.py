"""Proxies in front of us, which may say who asks and by which address."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from starlette.requests import Request

from ferryman.errors import ConfigError

__all__ = ["Proxies", "is_path", "on_this_machine"]


class Proxies:
    """The networks whose headers are believed; without any, nobody's are."""

    def __init__(self, networks: Iterable[str] = (), *, origin: str = "trusted_proxies") -> None:
        try:
            self._networks = tuple(ip_network(text.strip(), strict=False) for text in networks if text.strip())
        except ValueError as error:
            raise ConfigError(f"{origin}: {error}. It takes networks such as 10.0.0.0/8, or addresses.") from None

    def __bool__(self) -> bool:
        return bool(self._networks)

    def trusted(self, request: Request) -> bool:
        """Whether the request came from one of them directly."""
        return self._within(request.client.host if request.client else "")

    def scheme(self, request: Request) -> str:
        """Return the scheme that the person's browser used."""
        said = request.headers.get("x-forwarded-proto", "").split(",")[0].strip()
        return said if said in ("http", "https") and self.trusted(request) else request.url.scheme

    def host(self, request: Request) -> str:
        """Return the host and port that the person's browser asked for."""
        said = request.headers.get("x-forwarded-host", "").split(",")[0].strip()
        return said if said and self.trusted(request) else request.headers.get("host", "")

    def prefix(self, request: Request) -> str:
        """Return the path that a proxy took away before it asked us."""
        said = request.headers.get("x-forwarded-prefix", "").rstrip("/")
        return said if is_path(said) and self.trusted(request) else ""

    def client(self, request: Request) -> str:
        """Return the address of who asks: the last one in the chain that is not a proxy of ours."""
        peer = request.client.host if request.client else ""
        chain = [each.strip() for each in request.headers.get("x-forwarded-for", "").split(",") if each.strip()]
        for address in [peer, *reversed(chain)]:
            if not self._within(address):
                return address
        return peer

    def _within(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def is_path(text: str) -> bool:
    """Whether a text can be the path at which something is mounted, and nothing else when it stands in a page."""
    return text.startswith("/") and not text.startswith("//") and not set(text) & set("\\\"<>?# \t'")


def on_this_machine(request: Request) -> bool:
    """Whether the request came from this machine itself."""
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
