"""Licenses: what is found in files of published packages, against known answers."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import yaml

from benchmarks.corpus import crawled_run, sample_texts, text_bytes
from benchmarks.harness import ROOT, Report
from benchmarks.peers.licenseclassifier_alone import license_of_text
from transforms.crawl.licenses.assignment import RepositoryLicenses, find_repository_licenses
from transforms.crawl.licenses.findings import LicenseFinding
from transforms.crawl.licenses.headers import find_in_header
from transforms.crawl.licenses.paths import is_license_path
from transforms.crawl.licenses.texts import find_in_license_file
from transforms.crawl.source import Limits, Place, Request, SourceFile
from transforms.crawl.sources.pypi import PypiSource
from transforms.license_expressions import join_expressions, license_class, licenses_in

ANSWERS = ROOT / "benchmarks" / "licenses.yaml"
SAMPLE_BYTES = 32_000_000
CAVEAT = (
    "The rules were written with many of these files in view, so that the shares say how well "
    "known cases are kept, not what to expect of unseen ones. Most source files were picked "
    "because a notice was found in them: their table shows no missed notices. Some answers for "
    "packages rest on their metadata, which flatters the rows that use it."
)


@dataclass(frozen=True)
class Package:
    """A published package: its answers, and of its files those that are asked about."""

    answers: Mapping[str, object]
    metadata: tuple[str, ...]
    contents: Mapping[str, bytes]

    @property
    def name(self) -> str:
        return str(self.answers["project"]).partition("==")[0]

    def expected(self, kind: str) -> dict[str, str]:
        found = self.answers.get(kind, {})
        assert isinstance(found, dict)
        return found

    def license_files(self) -> dict[str, bytes]:
        return {path: text for path, text in self.contents.items() if is_license_path(path)}


@dataclass
class Score:
    """Right and wrong answers."""

    files: int = 0
    expressions: int = 0
    classes: int = 0

    def count(self, expected: str, found: str | None) -> bool:
        right = found is not None and same_expression(expected, found)
        self.files += 1
        self.expressions += right
        self.classes += license_class(expected) == license_class(found)
        return right

    def row(self, name: str) -> tuple[object, ...]:
        return (
            name,
            self.files,
            self.expressions,
            f"{self.expressions / self.files:.1%}",
            self.classes,
        )


def same_expression(one: str, other: str) -> bool:
    """Whether two expressions name the same licenses, joined by the same words."""
    joints = [(" OR " in text, " AND " in text) for text in (one, other)]
    return licenses_in(one) == licenses_in(other) and joints[0] == joints[1]


def report() -> Report:
    """Asks each way of finding a license for each answer that is known."""
    found = Report("Licenses")
    packages = list(read_packages())
    costs = _time_texts(packages)
    misses: list[tuple[str, str, str, str]] = []
    repositories = {
        p.name: find_repository_licenses(p.license_files(), p.metadata) for p in packages
    }
    found.say(CAVEAT)
    _say_files(found, packages, misses)
    _say_sources(found, packages, repositories, misses)
    _say_packages(found, packages, repositories, misses)
    found.say("Wrong or missing:")
    found.table(("what", "expected", "found", "by"), misses)
    _say_costs(found, *costs)
    return found


def read_packages() -> Iterator[Package]:
    """Downloads what is not in the cache, and reads the files that are asked about."""
    for answers in yaml.safe_load(ANSWERS.read_text(encoding="utf-8"))["packages"]:
        line = answers["project"]
        asked = set(answers.get("source_files", {})) | set(answers.get("license_files", {}))
        with tempfile.TemporaryDirectory() as scratch:
            place = Place(platformdirs.user_cache_path("repomill"), Path(scratch))
            request = Request(line.partition("==")[0], "pypi", line)
            fetched = PypiSource.fetch(request, place, Limits())
            files = fetched.read(
                lambda path, asked=asked: path in asked or is_license_path(path), Limits()
            )
            contents = {file.path: file.content for file in files if isinstance(file, SourceFile)}
            yield Package(answers, fetched.facts.licenses, contents)


def _say_files(
    found: Report, packages: list[Package], misses: list[tuple[str, str, str, str]]
) -> None:
    ours, peer = Score(), Score()
    licenses: Counter[str] = Counter()
    for package in packages:
        for path, expected in package.expected("license_files").items():
            content = package.contents[path]
            licenses.update(licenses_in(expected))
            finding = find_in_license_file(content)
            if not ours.count(expected, _expression(finding)):
                misses.append(
                    (f"{package.name} {path}", expected, str(_expression(finding)), "text")
                )
            peer.count(expected, license_of_text(content))
    found.say(
        f"License files alone: {ours.files} files of {len(licenses)} licenses. A class is "
        "permissive, weak or strong copyleft, or unknown."
    )
    found.table(
        ("license files", "files", "right", "share", "right class"),
        [ours.row("repomill"), peer.row("licenseclassifier alone, as it is")],
    )


def _say_sources(
    found: Report,
    packages: list[Package],
    repositories: Mapping[str, RepositoryLicenses],
    misses: list[tuple[str, str, str, str]],
) -> None:
    by_evidence: dict[str, Score] = defaultdict(Score)
    for package in packages:
        for path, expected in package.expected("source_files").items():
            finding = repositories[package.name].of_file(path, package.contents[path])
            kind = finding.evidence.partition(":")[0] if finding else "none"
            kind = "license files and metadata" if kind == "file" else kind
            if not by_evidence[kind].count(expected, _expression(finding)):
                misses.append((f"{package.name} {path}", expected, str(_expression(finding)), kind))
    found.say("Source files, by the evidence that decided:")
    found.table(
        ("evidence", "files", "right", "share", "right class"),
        [by_evidence[kind].row(kind) for kind in sorted(by_evidence)],
    )


def _say_packages(
    found: Report,
    packages: list[Package],
    repositories: Mapping[str, RepositoryLicenses],
    misses: list[tuple[str, str, str, str]],
) -> None:
    both, files, metadata = Score(), Score(), Score()
    for package in packages:
        expected = package.answers.get("package")
        if not isinstance(expected, str):
            continue
        decided = _expression(repositories[package.name].repository)
        if not both.count(expected, decided):
            misses.append((package.name, expected, str(decided), "package"))
        alone = find_repository_licenses(package.license_files(), ())
        files.count(expected, _expression(alone.repository))
        metadata.count(
            expected, join_expressions(package.metadata, "AND") if package.metadata else None
        )
    found.say("Whole packages:")
    found.table(
        ("evidence", "packages", "right", "share", "right class"),
        [
            both.row("license files and metadata"),
            files.row("license files alone"),
            metadata.row("metadata alone"),
        ],
    )


def _time_texts(packages: list[Package]) -> tuple[str, list[tuple[str, ...]]]:
    """What license files cost when nothing was read before, and what they cost later."""
    distinct = {text for package in packages for text in package.license_files().values()}
    texts = sorted(distinct)
    passes = {
        "the first of all in a process": texts,
        "a text of known words": [text + b"\n" for text in texts],
        "a text that was met before": texts,
    }
    size = sum(map(len, texts)) / len(texts) / 1e3
    about = f"CPU for each of {len(texts)} distinct license files of {size:.1f} kB on average."
    rows = [(name, *_figures([_timed(text) for text in some])) for name, some in passes.items()]
    return about, rows


def _say_costs(found: Report, about: str, rows: list[tuple[str, ...]]) -> None:
    found.say(about)
    found.table(("milliseconds", "median", "mean", "greatest"), rows)
    texts = sample_texts(crawled_run(), SAMPLE_BYTES)
    contents = texts.to_pylist()
    started = time.process_time()
    named = sum(find_in_header(content) is not None for content in contents)
    seconds = time.process_time() - started
    size = text_bytes(texts)
    found.say(
        f"Headers of {len(contents):,} files of the reference corpus, {size / 1e6:.0f} MB: "
        f"{seconds / size * 1024e6:.2f} microseconds a KB, {size / seconds / 1e6:.0f} MB/s; "
        f"{named} files state a license themselves."
    )


def _timed(text: bytes) -> float:
    started = time.process_time()
    find_in_license_file(text)
    return (time.process_time() - started) * 1e3


def _figures(values: list[float]) -> tuple[str, ...]:
    return tuple(f"{f(values):.2f}" for f in (statistics.median, statistics.mean, max))


def _expression(finding: LicenseFinding | None) -> str | None:
    return finding.expression if finding is not None else None
