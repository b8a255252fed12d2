"""An explanation in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.explanation import Explanation
from pipeline.terminal import printable
from pipeline.tracing import tell_tracing
from schemas.repositories import Status
from schemas.selection import OPTED_OUT


def tell(explanation: Explanation) -> Iterator[str]:
    """The lines that ``repomill why`` prints, with nothing in them that moves a terminal."""
    for line in _tell(explanation):
        yield printable(line)


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
    yield from tell_tracing(explanation.tracing, explanation.path)
    if not explanation.documents:
        yield from map(_tell_copy, explanation.copies)
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
    for table in ("quality", "syntax", "redundancy"):
        for name, value in (document[table] or {}).items():
            if value is not None:
                yield f"  {name:<28}{_signal(value)}"
    yield from _tell_contamination(document["contamination"])
    yield from _tell_secrets(document["secrets"])
    yield from _tell_duplicate(document["duplicates"])
    if document["selected"] is None:
        yield "  not decided yet: the select stage has not run"
    elif document["selected"]:
        yield "  SELECTED: no rule rejects it"
    elif document["rule"] == OPTED_OUT:
        yield f"  REJECTED by {OPTED_OUT}: an opt-out list names its repository"
    else:
        yield f"  REJECTED by {document['rule']}: {document['expression']}"
    if document["selected"] and document["sharded"] and not document["sequences"]:
        yield "  in no shard: the mixture gives it no copies"
    for place in document["sequences"]:
        yield f"  in {place['shard']}, row {place['row']}"
    # Last, because it may be long.
    for line in (document["duplicates"] or {}).get("diff", ()):
        yield f"  {line}"


def _signal(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.3f}"
    # True and False are whole numbers, too.
    return f"{value:,}" if type(value) is int else str(value)


def _tell_contamination(match: Mapping[str, Any] | None) -> Iterator[str]:
    if match is not None and match["benchmark"] is not None:
        yield (
            f"  contaminated: {match['matched_words']:,} words of {match['benchmark']} "
            f"{match['benchmark_task']} ({match['benchmark_match']}, {match['matched_share']:.0%} "
            f"of it) in bytes {match['matched_start']:,} to {match['matched_end']:,}"
        )


def _tell_secrets(secrets: Mapping[str, Any] | None) -> Iterator[str]:
    """Where secrets are, and never what they are."""
    for span in secrets["spans"] if secrets is not None else ():
        yield f"  secret: {span['kind']} in bytes {span['start']:,} to {span['end']:,}"


def _tell_copy(row: Mapping[str, Any]) -> str:
    return (
        f"  {row['shared_files']:,} of its {row['files']:,} files ({row['share']:.0%}) have a "
        f"duplicate in {row['copy_of']} {row['copy_of_revision']}, and make "
        f"{row['reverse_share']:.0%} of that"
    )


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
