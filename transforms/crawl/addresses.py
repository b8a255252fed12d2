"""Where the files lie that a source reads: on this machine, in an object store, behind HTTP."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator

from transforms.crawl.lists import absolute_path
from transforms.crawl.paths import path_order, readable_path
from transforms.crawl.web.objects import OBJECT_SCHEMES, expand_objects
from transforms.web.client import shown_url

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PIN = re.compile(r"#sha256=([0-9a-fA-F]{64})\Z")
_SCHEMES = (*OBJECT_SCHEMES, "http", "https")


@dataclass(frozen=True)
class Address:
    """A file, or a pattern of files: an absolute path or a URL, and the hash it must have."""

    url: str
    sha256: str | None = None

    @property
    def scheme(self) -> str:
        """``s3``, ``gs``, ``http`` or ``https``; empty for files of this machine."""
        found = _SCHEME.match(self.url)
        return found[1] if found else ""

    @property
    def is_pattern(self) -> bool:
        """Whether wildcards stand for several files. In HTTP there are none."""
        if self.scheme in ("http", "https") or not glob.has_magic(self.url):
            return False
        # A file may be called `a[1].zip`.
        return bool(self.scheme) or not Path(self.url).exists()

    @property
    def shown(self) -> str:
        """The address without credentials."""
        return shown_url(self.url) if self.scheme else self.url

    def __str__(self) -> str:
        return self.url + (f"#sha256={self.sha256}" if self.sha256 else "")


def parse_address(text: str) -> Address:
    """Parses ``PATH`` or ``URL``, with ``#sha256=HEX`` behind; raises ValueError."""
    pin = _PIN.search(text)
    url = text[: pin.start()] if pin else text
    if "#sha256=" in url:
        raise ValueError(f"{shown_url(text)}: #sha256= must be followed by 64 hexadecimal digits")
    found = _SCHEME.match(url)
    if found is None:
        address = Address(absolute_path(url), pin[1].lower() if pin else None)
    else:
        scheme = found[1].lower()
        host, _, path = url[found.end() :].partition("/")
        if scheme not in _SCHEMES or not host or not path:
            forms = ", ".join(f"{known}://" for known in _SCHEMES)
            raise ValueError(f"{shown_url(url)!r} is no path, and no file behind {forms}")
        rest = (
            url[found.end() :].partition("#")[0] if scheme.startswith("http") else f"{host}/{path}"
        )
        address = Address(f"{scheme}://{rest}", pin[1].lower() if pin else None)
    if address.sha256 and address.is_pattern:
        raise ValueError(f"{address.shown}: a hash is that of one file, and this names several")
    return address


FileAddress = Annotated[str, AfterValidator(lambda text: str(parse_address(text)))]
"""A path or URL of one file or several, paths absolute once the configuration is read."""


def named_files(address: Address) -> Iterator[tuple[str, Address]]:
    """The files that an address stands for, each with its name, in the order of names.

    A file of this machine is called what it is called below the folder in which a
    pattern begins; others by host or bucket and path. Raises ValueError where a
    pattern matches nothing, `CrawlError` where an object store does not answer.
    """
    if not address.is_pattern:
        yield _name_of(address), address
        return
    if address.scheme:
        found = [(url.partition("://")[2], url) for url in expand_objects(address.url)]
    else:
        found = list(_expand_local(address.url))
    if not found:
        raise ValueError(f"{address.shown} matches no file")
    for name, url in sorted(found, key=lambda pair: path_order(pair[0])):
        yield readable_path(name), Address(url)


def _name_of(address: Address) -> str:
    if not address.scheme:
        return readable_path(Path(address.url).name)
    if address.scheme in OBJECT_SCHEMES:
        return readable_path(address.url.partition("://")[2])
    parts = urlsplit(address.url)
    host = parts.netloc.rpartition("@")[2].lower()
    return readable_path(host + unquote(parts.path))


def _expand_local(pattern: str) -> Iterator[tuple[str, str]]:
    parts = Path(pattern).parts
    fixed = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    root = str(Path(*parts[:fixed]))
    # As shells have it: wildcards match no name that begins with a dot, unlike those of Path.
    for path in glob.iglob(pattern, recursive=True):  # noqa: PTH207
        if Path(path).is_file():
            yield os.path.relpath(path, root), path
