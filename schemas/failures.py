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
    NO_COMMIT = "no_commit"
    """What was asked for is no commit: an empty repository, or a tag of a file or folder."""
    REPOSITORY_TOO_LARGE = "repository_too_large"
    """It exceeds a limit on bytes, memory or number of files a repository."""
    REQUEST_REFUSED = "request_refused"
    """The location is one that is never fetched, such as a URL that runs a command."""

    CORRUPT_FILE = "corrupt_file"
    """The data file cannot be read to its end; its rows until then are."""
    UNUSABLE_COLUMN = "unusable_column"
    """The data file has no column of a name that the configuration gives, or of another type."""

    DUPLICATE_REPOSITORY = "duplicate_repository"
    """Another request of the configuration gave the same repository and revision."""
    UNEXPECTED = "unexpected"
    """An error that no other word describes: a defect of repomill, worth a report."""

    # A repository or a file.
    UNSUPPORTED_COMPRESSION = "unsupported_compression"
    """It is compressed by a method, or with a window, that is not read."""

    # A single file.
    FILE_TOO_LARGE = "file_too_large"
    """It exceeds the limit on bytes a file."""
    BINARY_CONTENT = "binary_content"
    """It contains a NUL byte."""
    UNDECODABLE = "undecodable"
    """Its bytes are not text in the encoding that it declares, UTF-8 if it declares none."""
    UNSAFE_PATH = "unsafe_path"
    """Its path leaves the repository, lies in Git's own folder, is not UTF-8, is over-long, or is
    no path on some system."""
    PATH_TOO_DEEP = "path_too_deep"
    """It lies in more folders than the limit allows."""
    DUPLICATE_PATH = "duplicate_path"
    """The repository holds another file of the same path, which was read first."""
    COLLIDING_PATH = "colliding_path"
    """Its path differs only in case or Unicode normalization from one that was read first."""
    LINK = "link"
    """It is a symbolic or hard link: what it points to is judged under its own name."""
    SUBMODULE = "submodule"
    """It is a commit of another repository, which is crawled where it is asked for."""
    SPECIAL_FILE = "special_file"
    """It is a device, a FIFO, a socket or another kind of member that is no plain file."""
    SPARSE_FILE = "sparse_file"
    """It is archived with holes, which read as NUL bytes."""
    ENCRYPTED = "encrypted"
    """It is encrypted."""
    NESTED_ARCHIVE = "nested_archive"
    """It is an archive, by its name: archives inside of a repository are not opened."""
    MISSING_CONTENT = "missing_content"
    """The row of a data set has no content."""
    MALFORMED_ROW = "malformed_row"
    """The row of a data set cannot be read, or a value in it is of another type than it should."""
    LFS_POINTER = "lfs_pointer"
    """It is a Git LFS pointer, not the file itself."""
