"""Which addresses a result may be fetched from: the public internet; of our own network only what an operator named."""

import ipaddress
import re
import socket
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
# All that is handed out to the internet; what lies outside maps, translates or stays local.
_UNICAST6: Final = ipaddress.IPv6Network("2000::/3")
# Public by their number, not by what answers there: a cloud's own services and relays.
_SPECIAL: Final = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "3fff::/20"),
    )
)


# No name ends in a number: what does is an address in a notation that resolvers read and we do not.
_NUMBER: Final = re.compile(r"(?:^|\.)(?:0x[0-9a-f]*|[0-9]+)\.?$", re.IGNORECASE)


class ForbiddenAddress(OSError):
    """The name leads to an address that is not on the public internet."""


def is_public(address: Address) -> bool:
    """Say whether an address, or the IPv4 one it carries, is on the public internet."""
    inner = _carried(address)
    if inner is not None and not is_public(inner):
        return False
    if any(address in network for network in _SPECIAL):
        return False
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST6:
        return address in _NAT64
    return address.is_global and not address.is_multicast


def _carried(address: Address) -> ipaddress.IPv4Address | None:
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def is_private(address: Address) -> bool:
    """Say whether an address is one of a private network, where a host of our own may stand."""
    # Whoever is named, a machine's own doors and its cloud's are no place for results.
    barred = address.is_loopback or address.is_link_local or address.is_unspecified
    if barred or any(address in network for network in _SPECIAL):
        return False
    return address.is_private and _carried(address) is None


class CheckedResolver(AbstractResolver):
    """Resolves names to permitted addresses only, so that what was checked is connected to."""

    def __init__(self, *, allow_loopback: bool, own_hosts: frozenset[str] = frozenset()) -> None:
        """`allow_loopback` is for sandboxes, whose media live on this machine; `own_hosts` are names in our network."""
        self._plain = ThreadedResolver()
        self._allow_loopback = allow_loopback
        self._own_hosts = own_hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the permitted addresses of a name, or raise `ForbiddenAddress`."""
        found = await self._plain.resolve(host, port, family)
        permits = self._permits_own if host.lower() in self._own_hosts else self.permits
        permitted = [one for one in found if permits(one["host"])]
        if not permitted:
            raise ForbiddenAddress(f"{host} is not on the public internet")
        return permitted

    def permits(self, literal: str) -> bool:
        """Say whether we may connect to an address."""
        address = _read(literal)
        if address is None:
            return False
        return is_public(address) or (self._allow_loopback and address.is_loopback)

    def permits_host(self, host: str) -> bool:
        """Say whether a host, if it is an address, is permitted; names are judged when resolved."""
        if _read(host) is None:
            return _NUMBER.search(host) is None
        return self.permits(host)

    def _permits_own(self, literal: str) -> bool:
        address = _read(literal)
        return self.permits(literal) or (address is not None and is_private(address))

    async def close(self) -> None:
        """Nothing is held."""
        await self._plain.close()


def _read(literal: str) -> Address | None:
    try:
        return ipaddress.ip_address(literal.partition("%")[0])
    except ValueError:
        return None
