"""An explanation in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.explanation import Explanation


def tell(explanation: Explanation) -> Iterator[str]:
    """The lines that ``repomill why`` prints, with nothing in them that moves a terminal."""
    for line in _tell(explanation):
        yield "".join(
            character if character.isprintable() else f"\\x{ord(character):02x}"
            for character in line
        )


def _tell(explanation: Explanation) -> Iterator[str]:
    for row in explanation.repositories:
        yield from _tell_repository(row)
    for row in explanation.failures:
        where = f"  {row['path']}" if row["path"] else "  the repository"
        detail = f": {row['detail']}" if row["detail"] else ""
        yield f"{where} is not in: {row['reason']}{detail}"
    for document in explanation.documents:
        yield from _tell_document(document)
    if not explanation.documents:
        for name, count in explanation.bins.items():
            yield f"  {count:>8,}  {name}"


def _tell_repository(row: Mapping[str, Any]) -> Iterator[str]:
    licenses = ", ".join(row["licenses"]) or "none found"
    reason = f" ({row['reason']})" if row["reason"] else ""
    yield (
        f"{row['repository']} {row['revision']}  {row['status']}{reason}, "
        f"{row['files']:,} documents, {row['bytes']:,} bytes, licenses: {licenses}"
    )


def _tell_document(document: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{document['repository']} {document['revision']}: {document['path']}"
    yield f"  document {document['document']}, {document['size']:,} bytes, {document['encoding']}"
    yield f"  sha256 {document['sha256']}"
    for name, value in (document["quality"] or {}).items():
        yield f"  {name:<22}{value:,.3f}" if isinstance(value, float) else f"  {name:<22}{value:,}"
    yield from _tell_duplicate(document["duplicates"])
    if document["selected"] is None:
        yield "  not decided yet: the select stage has not run"
    elif document["selected"]:
        yield "  SELECTED: no rule rejects it"
    else:
        yield f"  REJECTED by {document['rule']}: {document['expression']}"
    for place in document["sequences"]:
        yield f"  in {place['shard']}, row {place['row']}"


def _tell_duplicate(duplicates: Mapping[str, Any] | None) -> Iterator[str]:
    if duplicates is None:
        return
    kept = duplicates.get("kept")
    if kept is None:
        yield "  no document that stays is alike"
        return
    yield (
        f"  {duplicates['level']} duplicate, similarity {duplicates['similarity']:.3f}, of "
        f"{kept['repository']} {kept['revision']}: {kept['path']}"
    )
