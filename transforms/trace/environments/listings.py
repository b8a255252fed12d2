"""What an index lists of a project, as the index of the sandbox shows it (PEP 503, 691, 700)."""

from __future__ import annotations

import datetime
import html
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from packaging.utils import canonicalize_name
from pypi_simple import DistributionPackage

from transforms.web.eviction import is_distribution_name
from transforms.web.index import Page
from transforms.web.reach import Reach

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html"

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_TEXT = 1000


@dataclass(frozen=True)
class ListedFile:
    """A file of a project. ``metadata`` is the SHA-256 of its PEP 658 file, where there is one."""

    filename: str
    sha256: str
    url: str
    size: int | None = None
    requires_python: str | None = None
    uploaded: str | None = None
    yanked: str | None = None
    metadata: str | None = None


@dataclass(frozen=True)
class Listing:
    """All files of a project, and how near to us the upstream's addresses may lead."""

    name: str
    nearest: Reach
    files: tuple[ListedFile, ...]

    def only(self, wanted: Callable[[ListedFile], bool]) -> Listing:
        """The same with the files that are wanted."""
        return replace(self, files=tuple(filter(wanted, self.files)))

    def without_metadata(self) -> Listing:
        """The same for an index that has the files alone."""
        return replace(self, files=tuple(replace(file, metadata=None) for file in self.files))

    def to_json(self) -> str:
        """For the cache of the trusted side."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes) -> Listing:
        """What `to_json` gave; raises ValueError, KeyError or TypeError for anything else."""
        values = json.loads(text)
        files = tuple(ListedFile(**file) for file in values["files"])
        return cls(str(values["name"]), Reach(values["nearest"]), files)


def is_project_name(name: str) -> bool:
    """Whether a name may be that of a project."""
    return _NAME.fullmatch(name) is not None


def is_sha256(text: str) -> bool:
    """Whether a text is a SHA-256 in small hexadecimal digits."""
    return _SHA256.fullmatch(text) is not None


def listing_of(name: str, page: Page) -> Listing:
    """The sdists and wheels of a page whose names are harmless and whose hash is promised."""
    found = map(_listed, page.listed.packages)
    return Listing(canonicalize_name(name), page.nearest, tuple(file for file in found if file))


def uploaded_before(day: datetime.date) -> Callable[[ListedFile], bool]:
    """Whether a file was there at the end of the day before; one of unknown age was not."""

    def was_there(file: ListedFile) -> bool:
        return file.uploaded is not None and file.uploaded[:10] < day.isoformat()

    return was_there


def render_json(listing: Listing) -> bytes:
    """The page as JSON (PEP 691, with the sizes and times of PEP 700)."""
    page = {
        "meta": {"api-version": "1.1"},
        "name": listing.name,
        "files": [_json_entry(file) for file in listing.files],
    }
    return json.dumps(page).encode()


def render_html(listing: Listing) -> bytes:
    """The page as HTML (PEP 503), for programs that know no other form."""
    links = "\n".join(map(_link, listing.files))
    return f"<!DOCTYPE html>\n<title>{listing.name}</title>\n{links}\n".encode()


def path_of(file: ListedFile) -> str:
    """Where the index of the sandbox has a file."""
    return f"/files/{file.sha256}/{file.filename}"


def _listed(package: DistributionPackage) -> ListedFile | None:
    sha256 = package.digests.get("sha256", "").lower()
    is_ours = package.package_type in ("sdist", "wheel") and is_distribution_name(package.filename)
    if not is_ours or not is_sha256(sha256):
        return None
    metadata = (package.metadata_digests or {}).get("sha256", "").lower()
    moment = package.upload_time
    return ListedFile(
        filename=package.filename,
        sha256=sha256,
        url=package.url,
        size=package.size,
        requires_python=(package.requires_python or "")[:_MOST_TEXT] or None,
        uploaded=None if moment is None else _in_utc(moment),
        yanked=(package.yanked_reason or "")[:_MOST_TEXT] if package.is_yanked else None,
        metadata=metadata if is_sha256(metadata) else None,
    )


def _in_utc(moment: datetime.datetime) -> str | None:
    try:
        aware = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        return aware.astimezone(datetime.UTC).isoformat()
    except OverflowError:
        return None


def _json_entry(file: ListedFile) -> dict[str, object]:
    entry: dict[str, object] = {
        "filename": file.filename,
        "url": path_of(file),
        "hashes": {"sha256": file.sha256},
        "requires-python": file.requires_python,
        "yanked": False if file.yanked is None else file.yanked or True,
        "core-metadata": False if file.metadata is None else {"sha256": file.metadata},
    }
    if file.size is not None:
        entry["size"] = file.size
    if file.uploaded is not None:
        entry["upload-time"] = file.uploaded.replace("+00:00", "Z")
    return entry


def _link(file: ListedFile) -> str:
    attributes = {"href": f"{path_of(file)}#sha256={file.sha256}"}
    if file.requires_python is not None:
        attributes["data-requires-python"] = file.requires_python
    if file.yanked is not None:
        attributes["data-yanked"] = file.yanked
    if file.metadata is not None:
        attributes["data-core-metadata"] = f"sha256={file.metadata}"
    text = " ".join(f'{name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<a {text}>{html.escape(file.filename)}</a><br>"
