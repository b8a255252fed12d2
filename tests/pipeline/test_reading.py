import pytest
import yaml

from pipeline.errors import UsageError
from pipeline.reading import read_configuration, write_configuration

MINIMAL = "sources:\n  - pypi: {projects: [boltons]}\n"


@pytest.fixture
def read(tmp_path):
    def from_text(text, **options):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return read_configuration(path, **options)

    return from_text


def test_every_key_but_sources_has_a_default(read):
    configuration = read(MINIMAL)
    assert configuration.output == "repomill-run"
    assert configuration.deduplicate.threshold == 0.7
    assert [rule.name for rule in configuration.select.resolved()][:5] == [
        "license_not_allowed",
        "exact_duplicate",
        "normalized_duplicate",
        "near_duplicate",
        "contaminated",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no sources: say where"),
        ("sources: []", "no sources: say where"),
        ("sources: [pypi]", "sources.0: a source is a mapping with exactly one of pypi, git"),
        ("sources: [git: [x]]", "sources.0.git: must be a mapping of urls, lists"),
        ("- a", "must be a mapping"),
        ("a: [", "is not YAML"),
        ("output: a\noutput: b\n" + MINIMAL, "'output' is given twice"),
        (MINIMAL + "outptu: x", "outptu: unknown key; did you mean output?"),
        (MINIMAL + "zzz: x", "zzz: unknown key; known are annotate, cache, collect, contam"),
        ("sources:\n  - pypi: {projcts: [x]}", "projcts: unknown key; did you mean projects?"),
        ("sources:\n  - git: {urls: [{url: a, reff: b}]}", "reff: unknown key"),
        ("sources:\n  - svn: {url: x}", "svn: unknown key"),
        ("sources:\n  - {pypi: {projects: [a]}, git: {urls: [b]}}", "exactly one of pypi, git"),
        (MINIMAL + "crawl: {parts: many}", "crawl.parts: .*integer.*got 'many'"),
        (MINIMAL + "crawl: {parts: 0}", "crawl.parts: .*greater than or equal to 1"),
        (MINIMAL + "crawl: {languages: [klingon]}", "no language 'klingon'"),
        (MINIMAL + "crawl: {languages: [pyton]}", "'pyton' is known; did you mean python"),
        (MINIMAL + "deduplicate: {threshold: 1.5}", "deduplicate.threshold: .*less than or equal"),
        (MINIMAL + "select: {preset: codx}", "select.preset: .*'codex'"),
        (MINIMAL + "select: {rules: {long: sise > 3}}", "no column 'sise'; did you mean size"),
        (MINIMAL + "select: {rules: {long: 'size +'}}", "rule long: 'size \\+' is no expression"),
        (MINIMAL + "select: {rules: {selected: size > 3}}", "'selected' cannot be the name"),
        (MINIMAL + "select: {licenses: {allow: [MITT]}}", "select.licenses.allow: 'MITT' is not"),
        (MINIMAL + "select: {licenses: {deny: [MIT OR ISC]}}", "is not the SPDX identifier of a"),
        (MINIMAL + "select: {preset: null, licenses: {allow: [MIT]}}", "no rule asks about"),
        (MINIMAL + "opt_out: {repositories: [a b]}", "opt_out.repositories: 'a b': no name has"),
        (MINIMAL + "tokenize: {tokenizer: p51k}", "tokenize.tokenizer.name: .*'p50k'"),
    ],
)
def test_an_error_says_where_and_what_is_allowed(read, text, message):
    with pytest.raises(UsageError, match=f"(?s){message}"):
        read(text)


def test_a_missing_file_shows_a_first_configuration(tmp_path):
    with pytest.raises(
        UsageError, match=r"(?s)no configuration at .*nope.yaml.*projects: \[boltons\]"
    ):
        read_configuration(tmp_path / "nope.yaml")


def test_changes_go_over_the_file_and_output_over_both(read):
    configuration = read(
        MINIMAL + "shard: {seed: 3}",
        output="elsewhere",
        changes=["shard.context_length=512", "select.preset=null", "select.rules.a='size > 1'"],
    )
    assert configuration.shard.context_length == 512
    assert configuration.shard.seed == 3
    assert configuration.output == "elsewhere"
    assert [rule.name for rule in configuration.select.resolved()] == ["a"]


def test_licenses_are_held_by_their_identifiers_of_now(read):
    rules = "rules: {license_not_allowed: not license_allowed}"
    configuration = read(MINIMAL + f"select: {{licenses: {{allow: [mit, GPL-2.0]}}, {rules}}}")
    assert configuration.select.licenses.allow == ("MIT", "GPL-2.0-only")


@pytest.mark.parametrize("change", ["shard", "=3", "output.x=1", "shard.seed=[", "shard.sed=1"])
def test_a_wrong_change_is_refused(read, change):
    with pytest.raises(UsageError, match=r"--set|unknown key|output"):
        read(MINIMAL + "output: x", changes=[change])


def test_the_resolved_configuration_reads_back_as_itself(read, tmp_path):
    text = (
        "sources:\n  - pypi: {projects: [boltons]}\n"
        "  - git: {urls: [a, {url: b, ref: c}]}\n  - directory: {path: here}\n"
        "select: {rules: {line_too_long: null, tiny: size < 10}}\n"
    )
    first = read(text)
    resolved = write_configuration(first)
    assert read(resolved) == first
    assert yaml.safe_load(resolved)["shard"]["context_length"] == 2048


def test_wrong_sources_are_not_called_no_sources(read):
    with pytest.raises(UsageError) as caught:
        read("sources:\n  - git: {url: [x]}\n  - svn: {url: x}")
    assert "no sources" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("endpoint: minio:9000", "endpoint: must be http://HOST or https://HOST"),
        ("endpoint: https://key:hunter2@host", "endpoint: must hold no credentials"),
        ("cache: s3://bucket/cache", "cache: must be a folder of this machine"),
        ("opt_out: {lists: ['s3://bucket//list']}", "has an empty name"),
        ("tokenize: {tokenizer: {file: 's3://'}}", "names no bucket; write s3://BUCKET/NAME"),
    ],
)
def test_places_that_cannot_be_are_refused_and_secrets_not_repeated(read, text, message):
    with pytest.raises(UsageError) as caught:
        read(MINIMAL + text)
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_addresses_of_objects_stay_as_they_are(read):
    configuration = read(
        MINIMAL + "opt_out: {lists: ['s3://bucket/list']}\noutput: s3://bucket/run\n"
        "endpoint: http://127.0.0.1:9000"
    )
    assert configuration.opt_out.lists == ("s3://bucket/list",)
    assert configuration.output == "s3://bucket/run"
    assert configuration.endpoint == "http://127.0.0.1:9000"
