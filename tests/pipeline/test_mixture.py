import pytest

from pipeline.errors import UsageError, UserError
from pipeline.reading import read_configuration
from schemas import tables
from tests.pipeline.runs import run_again
from tests.pipeline.test_commands import call
from transforms.parts import read_part


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        ({"weights": {"langage": {"python": 1}}}, "weights.langage"),
        ({"weights": {"language": {"pyton": 1}}}, "no language 'pyton' is known; did you mean"),
        ({"weights": {"license": {"MITT": 1}}}, "'MITT' is neither an SPDX expression"),
        ({"weights": {"source": {"svn": 1}}}, "'svn' is no source; known are"),
        ({"weights": {"language": {"python": -1}}}, "greater than or equal to 0"),
        ({"shares": {"language": {"c": 1}, "license": {"MIT": 1}}}, "shares are by one attribute"),
        ({"shares": {"language": {"c": 0}}}, "shares must not all be 0"),
        ({"shares": {"language": {"c": float("inf")}}}, "less than or equal to 1000000"),
        ({"max_repository_share": 0}, "max_repository_share: .*greater than 0"),
    ],
)
def test_says_what_is_wrong_with_a_mixture(configure, mixture, message):
    with pytest.raises(UsageError, match=message):
        read_configuration(configure(shard={"mixture": mixture}))


def mixture_of(run):
    rows = read_part(run.path / tables.MIXTURE / "part-00000.parquet").to_pylist()
    return {row["repository"]: row for row in rows}


def test_the_mixture_says_what_of_each_repository_is_in_the_shards(run):
    rows = mixture_of(run)
    shards = run.manifest(tables.SHARDS).statistics
    assert sorted(rows) == [
        "directory/alpha",
        "directory/beta",
        "directory/delta",
        "directory/gamma",
    ]
    for split in ("train", "validation"):
        own = [row for row in rows.values() if row["split"] == split]
        assert sum(row["shard_tokens"] for row in own) == shards[f"{split}.tokens"]
        assert sum(row["copies"] for row in own) == shards[f"{split}.copies"]
        assert all(row["weight"] == 1.0 and row["tokens"] == row["shard_tokens"] for row in own)


def test_weights_and_epochs_say_how_often_documents_are_in_the_shards(run):
    before = mixture_of(run)
    train = sorted(name for name, row in before.items() if row["split"] == "train")
    first, second = train[:2]
    weights = f"shard.mixture.weights={{repository: {{{first}: 2, {second}: 0}}}}"
    run_again(run, weights, "shard.epochs=3")
    after = mixture_of(run)
    assert after[first]["shard_tokens"] == 6 * before[first]["tokens"]
    assert (after[first]["weight"], after[second]["weight"]) == (2.0, 0.0)
    assert after[second]["copies"] == 0
    for name, row in after.items():
        assert row["tokens"] == before[name]["tokens"]
        if row["split"] == "validation":
            assert row == before[name]


def test_a_limit_that_whole_documents_cannot_keep_is_refused_and_says_why(run):
    train = [row for row in mixture_of(run).values() if row["split"] == "train"]
    share = 0.9 * max(row["tokens"] for row in train) / sum(row["tokens"] for row in train)
    with pytest.raises(
        UserError, match=r"shard\.mixture\.max_repository_share: whole documents of 3"
    ):
        run_again(run, f"shard.mixture.max_repository_share={share}")


def test_a_share_that_cannot_be_had_is_refused_and_says_why(run):
    with pytest.raises(UserError, match="no training document has language c: take it out"):
        run_again(run, "shard.mixture.shares={language: {python: 1, c: 1}}")


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ("repository: {alpha: 0}", "has no 'alpha'; did you mean directory/alpha"),
        ("language: {python: 0}", "leaves nothing to train on: raise some of its weights"),
        (
            "language: {python: 1000}, license: {none: 1000}",
            "asks for 1,000,000 times the .* tokens that there are",
        ),
    ],
)
def test_weights_that_must_be_a_mistake_are_refused(run, weights, message):
    with pytest.raises(UserError, match=message):
        run_again(run, f"shard.mixture.weights={{{weights}}}")


def test_why_says_that_the_mixture_has_left_a_document_out(run):
    name = next(name for name, row in mixture_of(run).items() if row["split"] == "train")
    run_again(run, f"shard.mixture.weights={{repository: {{{name}: 0}}}}")
    assert mixture_of(run)[name]["copies"] == 0
    path = {"alpha": "alpha/core.py", "beta": "other.py", "delta": "main.py", "gamma": "latin.py"}
    output = call("why", run.path, f"{name}:{path[name.removeprefix('directory/')]}").output
    assert "in no shard: the mixture gives it no copies" in output
