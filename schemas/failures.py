"""Failures: one row a repository or file that did not become what it should, and why."""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa

SCHEMA = pa.schema(
    [
        pa.field("stage", pa.string(), nullable=False),
        pa.field("repository", pa.string(), nullable=False),
        pa.field("path", pa.string()),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)


class Reason(StrEnum):
    """The vocabulary of failures. A word says what is wrong with the repository or file."""

    # A whole repository.
    NOT_FOUND = "not_found"
    """The index, server or disk has no such project, version, repository, reference or folder."""
    ACCESS_DENIED = "access_denied"
    """The server wants credentials, or refuses those it was given."""
    UNREACHABLE = "unreachable"
    """No usable answer after all retries."""
    TIMED_OUT = "timed_out"
    """It took longer than the time a repository is given."""
    HASH_MISMATCH = "hash_mismatch"
    """What was downloaded does not have the hash that was promised."""
    NO_SOURCE_DISTRIBUTION = "no_source_distribution"
    """The project's release has no file that holds its source."""
    CORRUPT_ARCHIVE = "corrupt_archive"
    """The archive cannot be read to its end."""
    CORRUPT_REPOSITORY = "corrupt_repository"
    """git cannot read what the server sent."""
    REPOSITORY_TOO_LARGE = "repository_too_large"
    """It exceeds a limit on bytes or number of files a repository."""
    REQUEST_REFUSED = "request_refused"
    """The location is one that is never fetched, such as a URL that runs a command."""

    DUPLICATE_REPOSITORY = "duplicate_repository"
    """Another request of the configuration gave the same repository and revision."""
    UNEXPECTED = "unexpected"
    """An error that no other word describes: a defect of repomill, worth a report."""

    # A single file.
    FILE_TOO_LARGE = "file_too_large"
    """It exceeds the limit on bytes a file."""
    BINARY_CONTENT = "binary_content"
    """It contains a NUL byte."""
    UNDECODABLE = "undecodable"
    """Its bytes are not text in the encoding that it declares, UTF-8 if it declares none."""
    UNSAFE_PATH = "unsafe_path"
    """Its path leaves the repository, is not UTF-8, is over-long, or is no path on some system."""
    DUPLICATE_PATH = "duplicate_path"
    """The repository holds another file of the same path, which was read first."""
    LINK = "link"
    """It is a symbolic or hard link: what it points to is judged under its own name."""
    LFS_POINTER = "lfs_pointer"
    """It is a Git LFS pointer, not the file itself."""
