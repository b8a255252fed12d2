import pytest

from transforms.crawl.lists import digest_of, iterate_lines, state_of_lists


def test_gives_lines_without_comments_and_white_space(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"# comment\r\n\n  a b \r\n#c\nd")
    assert list(iterate_lines(str(path))) == ["a b", "d"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a\n\xff\n", "not UTF-8"), (b"a\n" + b"x" * 70_000, "line 2 is longer")],
)
def test_names_what_is_no_list(tmp_path, content, message):
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        list(iterate_lines(str(path)))


@pytest.mark.parametrize(
    "function", [lambda path: list(iterate_lines(path)), lambda path: state_of_lists([path])]
)
def test_names_a_list_that_is_not_there(tmp_path, function):
    with pytest.raises(ValueError, match=r"missing\.txt: No such file.*name a file of one"):
        function(str(tmp_path / "missing.txt"))


def test_the_state_changes_with_what_the_lists_hold(tmp_path):
    path = tmp_path / "list.txt"
    path.write_text("a\n")
    before = state_of_lists([str(path)])
    assert before == state_of_lists([str(path)])
    path.write_text("b\n")
    assert state_of_lists([str(path)]) != before
    assert state_of_lists([]) == ""


def test_a_digest_tells_texts_apart_however_they_are_cut():
    assert digest_of([b"ab", b"c"]) != digest_of([b"a", b"bc"])
    assert digest_of([]) != digest_of([b""])
