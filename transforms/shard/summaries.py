"""Summaries of sections: what of their documents counts beyond their section.

A row for each repository and group of its documents, and the duplicate clusters by range of
hashes, so that whoever has a range finds all repositories of a cluster.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.draws import draw
from transforms.shard.sections import Integers
from transforms.shard.split import Links, link_repositories
from transforms.shard.staging import PlanFiles, join_columns

GROUPS = pa.schema(
    [
        pa.field("repository_hash", pa.uint64(), nullable=False),
        pa.field("group", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("weighted_tokens", pa.float64(), nullable=False),
        pa.field("greatest_weight", pa.float64(), nullable=False),
    ]
)
"""Tokens of a repository's documents of one group, those times weights, and the greatest weight.

By hash and group, both ascending."""


def summary_file(section: int) -> str:
    """The rows of `GROUPS` of a section."""
    return f"repositories/section-{section:05d}.arrow"


def summarize_groups(measures: pa.Table) -> pa.RecordBatch:
    """The rows of `GROUPS` for documents, of which there may be none."""
    hashes, groups = (measures[name].to_numpy() for name in ("repository_hash", "group"))
    order = np.lexsort((groups, hashes))
    hashes, groups = hashes[order], groups[order]
    weights, lengths = (measures[name].to_numpy()[order] for name in ("weight", "length"))
    firsts = np.flatnonzero(
        np.append(True, (hashes[1:] != hashes[:-1]) | (groups[1:] != groups[:-1]))[: order.size]
    )
    tokens = lengths + 1
    columns = (
        hashes[firsts],
        groups[firsts],
        _reduce(np.add, tokens, firsts),
        _reduce(np.add, tokens * weights, firsts),
        _reduce(np.maximum, weights, firsts),
    )
    return pa.RecordBatch.from_arrays(list(map(pa.array, columns)), schema=GROUPS)


def _reduce(
    function: np.ufunc, values: npt.NDArray[np.generic], firsts: Integers
) -> npt.NDArray[np.generic]:
    # Of no values there is nothing to reduce, which NumPy refuses.
    return np.asarray(function.reduceat(values, firsts)) if firsts.size else values


def write_clusters(files: PlanFiles, section: int, ranges: int, measures: pa.Table) -> None:
    """Writes the links of a section, and its clusters for each range of hashes."""
    clusters, hashes = (measures[name].to_numpy() for name in ("cluster", "repository_hash"))
    joined = link_repositories(clusters, hashes)
    _write_links(files, _links_of_section(section), joined.links)
    owners = (draw(joined.clusters, 0) >> np.uint64(32)) * np.uint64(ranges) >> np.uint64(32)
    order = np.argsort(owners, kind="stable")
    ends = np.searchsorted(owners[order], np.arange(ranges + 1).astype(np.uint64))
    for number, (start, stop) in enumerate(itertools.pairwise(ends.tolist())):
        own = order[start:stop]
        columns = {"cluster": joined.clusters[own], "repository_hash": joined.repositories[own]}
        files.write_columns(_clusters_file(number, section), columns)


def link_range(files: PlanFiles, number: int, sections: int) -> None:
    """Writes the links between repositories of sections that clusters of a range join."""
    claims = [files.map(_clusters_file(number, section)) for section in range(sections)]
    clusters, hashes = (join_columns(claims, name) for name in ("cluster", "repository_hash"))
    _write_links(files, _links_of_range(number), link_repositories(clusters, hashes).links)


def read_links(files: PlanFiles, sections: int) -> list[Links]:
    """All links, in arrays of files that are read when they are used."""
    names = [*map(_links_of_section, range(sections)), *map(_links_of_range, range(sections))]
    return [files.map(name)["hash"].to_numpy().reshape(-1, 2) for name in names]


def _write_links(files: PlanFiles, name: str, links: Links) -> None:
    files.write_columns(name, {"hash": links.reshape(-1)})


def _links_of_section(section: int) -> str:
    return f"links/section-{section:05d}.arrow"


def _links_of_range(number: int) -> str:
    return f"links/range-{number:05d}.arrow"


def _clusters_file(number: int, section: int) -> str:
    return f"clusters/range-{number:05d}-section-{section:05d}.arrow"
