import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.trace.plans.shell import expand, read_shell


def words(text):
    return [list(command.words) for command in read_shell(text).commands]


def test_commands_are_split_by_lines_and_operators():
    assert words("a 1\nb 2 && c 3; d") == [["a", "1"], ["b", "2"], ["c", "3"], ["d"]]


def test_a_backslash_continues_a_line():
    assert words("pip install \\\n  one \\\n  two") == [["pip", "install", "one", "two"]]


def test_quotes_may_span_lines():
    assert words("a 'x\ny' b") == [["a", "x\ny", "b"]]


def test_an_apostrophe_in_a_comment_opens_no_quote():
    assert words("# don't\npytest  # isn't it\necho 'a # b'") == [["pytest"], ["echo", "a # b"]]


def test_bounds_of_versions_in_quotes_are_no_redirections():
    assert words("pip install 'a>=1' \"b<2\" > log 2>&1") == [["pip", "install", "a>=1", "b<2"]]


def test_assignments_in_front_belong_to_the_command():
    (command,) = read_shell("A=1 B='x y' pytest").commands
    assert command.assignments == (("A", "1"), ("B", "x y"))
    assert command.words == ("pytest",)


@pytest.mark.parametrize(
    "block",
    [
        "if [ -f x ]; then\n  rm x\nfi",
        "for x in 1 2; do rm $x; done",
        "if a; then if b; then rm x; fi; fi",
        "cat <<EOF\nrm x\nEOF",
        "[ -f x ] && rm x",
        "true || rm x",
        "curl x | rm",
        "rm $(x)",
        "rm `x`",
        "(rm x)",
    ],
)
def test_what_depends_or_is_computed_is_left_out_with_a_note(block):
    script = read_shell(f"{block}\npytest")
    assert ("pytest",) in [command.words for command in script.commands]
    assert not [command for command in script.commands if "rm" in command.words]
    assert script.notes


def test_a_computed_name_of_an_environment_is_left_off():
    assert words("tox run -e $(echo py | tr a b)-tests") == [["tox", "run"]]


def test_lines_of_commands_are_kept():
    assert [command.line for command in read_shell("a\n\nb \\\n c\nd").commands] == [0, 2, 4]


def test_known_variables_are_expanded_and_unknown_ones_refuse_the_command():
    known = {"P": "", "X": "a b"}
    assert expand(("${P}pytest", "$X", "${Y:-z}", "$@"), known) == ["pytest", "a", "b", "z"]
    assert expand(("pytest", "$Y"), known) is None
    assert expand(("pytest", "$((1))"), known) is None


@given(st.text(alphabet="ab \n\\'\"#$(){};&|<>=`", max_size=200))
def test_no_text_raises_and_no_command_has_an_operator(text):
    for command in read_shell(text).commands:
        assert command.words or command.assignments
