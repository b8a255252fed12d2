"""An explanation in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.explanation import Explanation
from schemas.repositories import Status
from schemas.selection import OPTED_OUT


def tell(explanation: Explanation) -> Iterator[str]:
    """The lines that ``repomill why`` prints, with nothing in them that moves a terminal."""
    for line in _tell(explanation):
        yield printable(line)


def printable(text: str) -> str:
    """A text from outside with nothing in it that moves a terminal."""
    return "".join(
        character if character.isprintable() else f"\\x{ord(character):02x}" for character in text
    )


def _tell(explanation: Explanation) -> Iterator[str]:
    for row in explanation.repositories:
        yield from _tell_repository(row)
    yield from _tell_opt_outs(explanation)
    for row in explanation.failures:
        where = f"  {row['path']}" if row["path"] else "  the repository"
        detail = f": {row['detail']}" if row["detail"] else ""
        yield f"{where} is not in: {row['reason']}{detail}"
    for document in explanation.documents:
        yield from _tell_document(document)
    if not explanation.documents:
        for name, count in explanation.bins.items():
            yield f"  {count:>8,}  {name}"


def _tell_opt_outs(explanation: Explanation) -> Iterator[str]:
    left_out = any(row["status"] == Status.OPTED_OUT for row in explanation.repositories)
    rejected = OPTED_OUT in explanation.bins
    opt_outs = explanation.opt_outs
    for entry in opt_outs.entries:
        verb = "opted out" if left_out or rejected else "the next `repomill run` leaves it out"
        place = f"line {entry['line']} of {entry['list']}"
        if entry["list"] is None:
            place = "`opt_out.repositories` in the configuration"
        yield f"  {verb}: entry {entry['entry']} in {place}"
    if opt_outs.problem:
        yield f"  the opt-out lists cannot be read: {opt_outs.problem}"
    elif left_out and not opt_outs.entries:
        yield "  no opt-out entry names it any more: `repomill run CONFIG --redo crawl` fetches it"
    elif rejected and not opt_outs.entries:
        yield "  no opt-out entry names it any more: `repomill run CONFIG` takes it in again"


def _tell_repository(row: Mapping[str, Any]) -> Iterator[str]:
    reason = f" ({row['reason']})" if row["reason"] else ""
    yield (
        f"{row['repository']} {row['revision']}  {row['status']}{reason}, "
        f"{row['files']:,} documents, {row['bytes']:,} bytes, {_license(row)}"
    )


def _license(row: Mapping[str, Any]) -> str:
    """The license of a repository or a document, with where it was read and how sure that is."""
    if row["license"] is None:
        return "license: none found"
    where = f"{row['license_evidence']}, confidence {row['license_confidence']:.2f}"
    return f"license: {row['license']} ({where})"


def _tell_document(document: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"{document['repository']} {document['revision']}: {document['path']}"
    yield f"  document {document['document']}, {document['size']:,} bytes, {document['encoding']}"
    yield f"  sha256 {document['sha256']}"
    yield f"  {_license(document)}"
    for name, value in (document["quality"] or {}).items():
        yield f"  {name:<22}{value:,.3f}" if isinstance(value, float) else f"  {name:<22}{value:,}"
    yield from _tell_duplicate(document["duplicates"])
    if document["selected"] is None:
        yield "  not decided yet: the select stage has not run"
    elif document["selected"]:
        yield "  SELECTED: no rule rejects it"
    elif document["rule"] == OPTED_OUT:
        yield f"  REJECTED by {OPTED_OUT}: an opt-out list names its repository"
    else:
        yield f"  REJECTED by {document['rule']}: {document['expression']}"
    for place in document["sequences"]:
        yield f"  in {place['shard']}, row {place['row']}"
    # Last, because it may be long.
    for line in (document["duplicates"] or {}).get("diff", ()):
        yield f"  {line}"


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
