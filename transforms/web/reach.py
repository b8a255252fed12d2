"""Which machines a server may send us to.

A redirect or a link comes from outside and must not lead to what only this machine
reaches: a page of the public network leads to public addresses, a page of a private
network to private and public ones. Compared are the addresses of the connections
themselves, so that a name which changes its address meanwhile gains nothing.
"""

from __future__ import annotations

import ipaddress
from enum import IntEnum


class Reach(IntEnum):
    """How near to this machine an address is."""

    PUBLIC = 0
    PRIVATE = 1
    LOOPBACK = 2
    LINK_LOCAL = 3
    """Here clouds answer a machine with its own credentials."""


ANYWHERE = Reach.LINK_LOCAL
"""For addresses that the user gives."""


def reach_of(address: str) -> Reach:
    """Of an IP address; names count as public, except those of this machine by convention."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        name = address.rstrip(".").lower()
        return Reach.LOOPBACK if name.rpartition(".")[2] == "localhost" else Reach.PUBLIC
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if ip.is_link_local:
        return Reach.LINK_LOCAL
    if ip.is_loopback or ip.is_unspecified:
        return Reach.LOOPBACK
    return Reach.PUBLIC if ip.is_global and not ip.is_multicast else Reach.PRIVATE


def reach_beyond(reach: Reach) -> Reach:
    """How near an address may be that something of this reach names."""
    return min(reach, Reach.LOOPBACK)
