"""Determine the origin of a request: this machine, a proxy, https, a page of the console. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from aiohttp import web

# A proxy in front adds one of these; the peer's address is then that of the proxy.
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")


def from_this_machine(request: web.Request) -> bool:
    """Return True if the request comes from a program on this machine and through no proxy."""
    if any(name in request.headers for name in _FORWARDED):
        return False
    try:
        named = request.url.host or ""
    except ValueError:
        return False
    return is_loopback(request.remote or "") and is_loopback(named)


def is_loopback(host: str) -> bool:
    """Return True if a host, as an address or a name, can only mean this machine."""
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def came_by_https(request: web.Request) -> bool:
    """Return True if the person's browser speaks https, to us or to a proxy in front."""
    return request.secure or _last(request, "X-Forwarded-Proto").lower() == "https"


def from_our_page(request: web.Request) -> bool:
    """Return True if a page of this console sent the request; one that does not say where it comes from is foreign.

    Browsers let no page choose these headers. `Sec-Fetch-Site` is sent to https and localhost only, `Origin` with
    every form that is posted.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None and site != "same-origin":
        return False
    if origin is None:
        return site is not None
    try:
        parts = urlsplit(origin)
        named = parts.netloc.lower()
    except ValueError:
        return False
    # Behind a proxy that speaks https without saying so we see http under an https page, never the other way round.
    schemes = ("https",) if came_by_https(request) else ("http", "https")
    hosts = {request.host.lower(), _last(request, "X-Forwarded-Host").lower()} - {""}
    return parts.scheme in schemes and bool(named) and named in hosts


def peer(request: web.Request) -> str:
    """Return the key under which sign-in attempts are counted: the address, with the one that a proxy saw."""
    return f"{request.remote or ''} {_last(request, 'X-Forwarded-For')}".strip()


def _last(request: web.Request, header: str) -> str:
    """Return the value that the nearest proxy added to a list; values before it came from outside."""
    return request.headers.get(header, "").rpartition(",")[2].strip()
