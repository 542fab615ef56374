"""Who counts as one caller, by address."""

from __future__ import annotations

import functools
import ipaddress


@functools.lru_cache(maxsize=1024)
def place_of(address: str) -> str:
    """Who has one address of IPv6 has the 2**64 beside it.

    >>> place_of("2001:db8:1:2:3::9"), place_of("10.0.0.7"), place_of("::ffff:10.0.0.7")
    ('2001:db8:1:2::/64', '10.0.0.7', '10.0.0.7')
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))
