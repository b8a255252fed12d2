"""Addresses of git repositories: which are fetched, and what the repository is called."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from schemas.failures import Reason
from transforms.crawl.git.command import TRANSPORTS
from transforms.crawl.paths import readable_path
from transforms.crawl.source import CrawlError

LOCAL_HOST = "localhost"
"""What stands for the host in the names of repositories that are folders of this machine."""

# The ports that are left out of names. That of git:// is kept where it is written: who
# writes it has usually started a server of their own.
_DEFAULT_PORTS = {"http": 80, "https": 443, "ssh": 22}

# What `man git-check-ref-format` forbids, and a leading dash, which would be an option,
# or plus, which would be an instruction.
_REFERENCE = re.compile(r"(?![-+/])(?!.*(?:\.\.|//|@\{))[^\x00-\x20\x7f:?*\[\\^~]+(?<![/.])")
_SCP_LIKE = re.compile(r"(?:[^/:@]+@)?(?P<host>[^/:@]+):(?!/?/)(?P<path>.+)")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]|^-|^[A-Za-z0-9+.-]+::")
# Up to the last @ before the path: a password may hold one. Some hold a slash, which no
# port does, and are no URLs any more.
_CREDENTIALS = re.compile(r"//(?:[^/\s]*|[^/:@\s]+:(?!\d*/)[^@\s]{0,500})@")
# Addresses that are signed, or opened by a token, say so in the query.
_QUERY = re.compile(r"(://[^\s\"'?#]{0,2000})\?[^\s\"'#]*")


def repository_name(url: str) -> str:
    """The canonical name: host and path, whatever the way there and whoever asks.

    Takes any text, also what `check_url` refuses: a refused repository has a name too.
    """
    host, path = _host_and_path(url)
    path = re.sub(r"/{2,}", "/", path).strip("/").removesuffix(".git").rstrip("/")
    return readable_path(f"{host}/{path}" if path else host)


def check_url(url: str) -> None:
    """Raises `CrawlError` unless git would only connect to a server or read a folder."""
    refused = _UNSAFE.search(url) is not None
    if not refused and "://" in url:
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
            refused = parts.scheme.lower() not in TRANSPORTS or host.startswith("-")
        except ValueError:
            refused = True
    elif not refused and not url.startswith("/"):
        scp = _SCP_LIKE.fullmatch(url)
        refused = scp is None or scp["host"].startswith("-")
    if refused:
        allowed = ", ".join(sorted(TRANSPORTS))
        detail = f"{without_credentials(url)!r}: a git URL begins with one of {allowed} and ://"
        raise CrawlError(Reason.REQUEST_REFUSED, detail)


def check_reference(reference: str) -> None:
    """Raises `CrawlError` unless a text can name a branch, tag or commit."""
    if not _REFERENCE.fullmatch(reference):
        raise CrawlError(Reason.REQUEST_REFUSED, f"{reference!r} is no branch, tag or commit")


def without_credentials(text: str) -> str:
    """A text in which no URL has a user, password or query any more."""
    return _QUERY.sub(r"\1", _CREDENTIALS.sub("//", text))


def _host_and_path(url: str) -> tuple[str, str]:
    if "://" not in url:
        scp = _SCP_LIKE.fullmatch(url)
        return (scp["host"].lower(), scp["path"]) if scp else (LOCAL_HOST, url)
    scheme, _, rest = _CREDENTIALS.sub("//", url).partition("://")
    location, _, path = rest.partition("/")
    host = location.lower() or LOCAL_HOST
    default = _DEFAULT_PORTS.get(scheme.lower())
    return (host.removesuffix(f":{default}") if default else host), path
