"""Which language a file is in: by its name, its extension, its first line, its content.

The languages are the 30 of the two corpora that others are measured by, github-code
(CodeParrot) and The Stack (Kocetkov et al. 2022, arXiv 2211.15533), with notebooks and
five that have grown since: Dart, Kotlin, Objective-C, R and Swift.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

ALL = "all"
"""What stands for every language where languages are named."""

HEAD_BYTES = 16_384
"""As much of a file as its language is decided by."""


@dataclass(frozen=True)
class Language:
    """How files in a language are called and begin.

    The first extension means this language unless a file says that it is another.
    Extensions are in small letters; names are whole names of files; interpreters are those
    of a first line with ``#!``, without version.
    """

    extensions: tuple[str, ...]
    names: tuple[str, ...] = ()
    interpreters: tuple[str, ...] = ()


def _language(extensions: str, names: str = "", interpreters: str = "") -> Language:
    return Language(tuple(extensions.split()), tuple(names.split()), tuple(interpreters.split()))


LANGUAGES: Mapping[str, Language] = {
    "assembly": _language("asm s nasm"),
    "batchfile": _language("bat cmd"),
    "c": _language("c h"),
    "c#": _language("cs csx"),
    "c++": _language("cpp cc cxx c++ hpp hh hxx h++ h inl ipp tpp"),
    "cmake": _language("cmake", "CMakeLists.txt"),
    "css": _language("css"),
    "dart": _language("dart", "", "dart"),
    "dockerfile": _language("dockerfile", "Dockerfile dockerfile Containerfile"),
    "fortran": _language("f90 f95 f03 f08 f for f77 ftn"),
    "go": _language("go"),
    "haskell": _language("hs", "", "runghc runhaskell"),
    "html": _language("html htm xhtml"),
    "java": _language("java"),
    "javascript": _language("js jsx mjs cjs", "Jakefile", "node nodejs"),
    "julia": _language("jl", "", "julia"),
    "jupyter-notebook": _language("ipynb"),
    "kotlin": _language("kt kts", "", "kotlin"),
    "lua": _language("lua", "", "lua luajit texlua"),
    "makefile": _language(
        "mk mak make", "Makefile makefile GNUmakefile Makefile.am Makefile.in", "make"
    ),
    "markdown": _language("markdown md mdown mkd"),
    "objective-c": _language("mm m h"),
    "perl": _language("pm pl t plx psgi cgi fcgi", "Makefile.PL cpanfile", "perl"),
    "php": _language("php php3 php4 php5 phtml inc cgi fcgi", "", "php"),
    "powershell": _language("ps1 psm1 psd1", "", "pwsh powershell"),
    "python": _language("py pyi cgi fcgi", "", "python pypy"),
    "r": _language("r", ".Rprofile", "Rscript"),
    "ruby": _language(
        "rb rake gemspec ru cgi fcgi",
        "Gemfile Rakefile Vagrantfile Podfile Guardfile",
        "ruby jruby rake",
    ),
    "rust": _language("rs"),
    "scala": _language("scala sbt", "", "scala"),
    "shell": _language(
        "sh bash zsh ksh bats cgi fcgi",
        ".bashrc .bash_profile .profile .zshrc PKGBUILD",
        "sh bash dash ash ksh mksh zsh bats",
    ),
    "sql": _language("sql ddl"),
    "swift": _language("swift", "", "swift"),
    "tex": _language("tex sty cls ltx bbx cbx dtx"),
    "typescript": _language("mts ts tsx cts", "", "ts-node deno"),
    "visual-basic": _language("vb vbs bas frm cls"),
}
"""Every language that is known, by name."""

Rules = tuple[tuple[str | None, re.Pattern[bytes]], ...]


def _rules(*rules: tuple[str | None, str], otherwise: str | None) -> Rules:
    """Rules of which the first that is found in a file decides; ``(?m)``, as bytes."""
    compiled = [(language, re.compile(b"(?m)" + rule.encode())) for language, rule in rules]
    return (*compiled, (otherwise, re.compile(b"")))


_OBJECTIVE_C = (
    "objective-c",
    r"^[ \t]*(?:@(?:interface|implementation|protocol|class|property|end)\b|#import\b)",
)
_CPLUSPLUS = (
    "c++",
    r"^[ \t]*(?:template[ \t]*<|namespace\b|using[ \t]+\w|class[ \t]+\w[^;()*\n]*(?:[{;]|$)"
    r"|(?:public|private|protected)[ \t]*:|virtual\b|constexpr\b)"
    r"|^[ \t]*#[ \t]*include[ \t]*<[a-z_]+>|\bstd::",
)

SHARED: Mapping[str, Rules] = {
    "h": _rules(_OBJECTIVE_C, _CPLUSPLUS, otherwise="c"),
    # Hack begins like PHP.
    "hh": _rules((None, r"\A<\?hh"), otherwise="c++"),
    "php": _rules((None, r"\A(?:#![^\n]*\n)?<\?hh"), otherwise="php"),
    # Includes of PHP, assemblers, Pascal and many more.
    "inc": _rules(("php", r"<\?(?:php|=)"), otherwise=None),
    # MATLAB, Mathematica and Mercury have the same extension.
    "m": _rules(_OBJECTIVE_C, ("objective-c", r"^[ \t]*#[ \t]*include\b"), otherwise=None),
    "mm": _rules((None, r"\A\s*<(?:\?xml|map)\b"), otherwise="objective-c"),
    # Prolog.
    "pl": _rules(
        ("perl", r"^[ \t]*(?:use|package|my|our|sub|require)[ \t]+[\w$@%({]"),
        (None, r"^[a-z]\w*(?:\([^\n]*\))?[ \t]*:-|^:-"),
        otherwise="perl",
    ),
    "t": _rules(
        ("perl", r"^[ \t]*(?:use|package)[ \t]+(?:strict|warnings|v?5|[A-Z])[^\n;]*;"),
        otherwise=None,
    ),
    "cgi": _rules(otherwise=None),
    "fcgi": _rules(otherwise=None),
    "bas": _rules(("visual-basic", r"\AAttribute VB_Name\b"), otherwise=None),
    "frm": _rules(("visual-basic", r"\AVERSION \d|^Attribute VB_Name\b"), otherwise=None),
    # Classes of Apex, and of other systems.
    "cls": _rules(
        ("visual-basic", r"\AVERSION \d|^Attribute VB_Name\b"),
        ("tex", r"\\(?:NeedsTeXFormat|ProvidesClass|LoadClass|documentclass|newcommand|def)\b"),
        otherwise=None,
    ),
    # Translations of Qt, and video, which is no text.
    "ts": _rules((None, r"\A\s*<(?:\?xml|!DOCTYPE|TS\b)"), otherwise="typescript"),
    # Tiles of maps.
    "tsx": _rules((None, r"\A\s*<(?:\?xml|tileset)\b"), otherwise="typescript"),
    # Forth.
    "f": _rules((None, r"^: \S+ |^\\ "), otherwise="fortran"),
    "for": _rules((None, r"^: \S+ |^\\ |\{%"), otherwise="fortran"),
    # Machine descriptions of GCC.
    "md": _rules((None, r"^\(define_\w+ "), otherwise="markdown"),
    "r": _rules((None, r"\A\s*(?i:rebol|red)\s*\["), otherwise="r"),
    # RenderScript.
    "rs": _rules((None, r"^[ \t]*#pragma[ \t]+(?:version|rs)\b"), otherwise="rust"),
}
"""Of each extension that others have as well: what its content decides. ``None`` is another
language than ours, or one that cannot be told."""


def _owners(kind: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, language in LANGUAGES.items():
        for value in getattr(language, kind):
            found[value] = (*found.get(value, ()), name)
    return found


_EXTENSIONS = _owners("extensions")
_NAMES = _owners("names")
_INTERPRETERS = _owners("interpreters")

_SHEBANG = re.compile(rb"\A(?:\xef\xbb\xbf)?#![ \t]*(\S+)([^\r\n]*)")
_VERSION = re.compile(r"[-\d.]+\Z")
_MARK = b"\xef\xbb\xbf"


def language_of(path: str, head: bytes | None) -> str | None:
    """The language of the file at a path, or None where it is none of ours.

    ``head`` are the first `HEAD_BYTES` of the file; where they are not given, the languages
    of files whose name leaves it open are None.
    """
    name = path.rpartition("/")[2]
    if name in _NAMES:
        return _NAMES[name][0]
    stem, dot, extension = name.rpartition(".")
    if not dot:
        return None if head is None else _by_shebang(head)
    extension = extension.lower()
    if not stem or extension not in _EXTENSIONS:
        return None
    if extension not in SHARED:
        return _EXTENSIONS[extension][0]
    return None if head is None else _by_content(head, extension)


def _by_shebang(head: bytes) -> str | None:
    """The language of the interpreter that the first line names."""
    found = _SHEBANG.match(head[:1_000])
    if found is None:
        return None
    words = [found[1].decode(errors="replace")]
    if words[0].endswith("/env"):
        # Options of env, and variables that it sets, come before the interpreter.
        rest = found[2].decode(errors="replace").split()
        words = [word for word in rest if not word.startswith("-") and "=" not in word]
    if not words:
        return None
    interpreter = _VERSION.sub("", words[0].rpartition("/")[2])
    return _INTERPRETERS.get(interpreter, (None,))[0]


def _by_content(head: bytes, extension: str) -> str | None:
    """Of the languages that have an extension the one that a file is in."""
    named = _by_shebang(head)
    if named is not None:
        return named if named in _EXTENSIONS[extension] else None
    text = head[:HEAD_BYTES].removeprefix(_MARK)
    return next(language for language, rule in SHARED[extension] if rule.search(text))


def name_filter(languages: Collection[str]) -> Callable[[str], bool]:
    """Says by its path alone whether a file may be in one of some languages."""
    wanted = frozenset(languages)
    names = {name for name, owners in _NAMES.items() if wanted.intersection(owners)}
    extensions = {each for each, owners in _EXTENSIONS.items() if wanted.intersection(owners)}
    scripts = not wanted.isdisjoint(owner for owners in _INTERPRETERS.values() for owner in owners)

    def may_be(path: str) -> bool:
        name = path.rpartition("/")[2]
        stem, dot, extension = name.rpartition(".")
        if name in _NAMES:
            return name in names
        return (bool(stem) and extension.lower() in extensions) if dot else scripts

    return may_be


def may_be_script(path: str) -> bool:
    """Whether only the first line of a file can say which language it is in."""
    name = path.rpartition("/")[2]
    return "." not in name and name not in _NAMES


def extension_of(language: str) -> str:
    """The extension of files that say nothing else."""
    return LANGUAGES[language].extensions[0]


def check_language(language: str) -> None:
    """Raises ValueError with the nearest names unless there is a language of this name."""
    if language in LANGUAGES:
        return
    near = difflib.get_close_matches(language.lower(), LANGUAGES, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    known = ", ".join(LANGUAGES)
    raise ValueError(f"no language {language!r:.80} is known{hint} There are {known}")


def resolve_languages(languages: Collection[str]) -> tuple[str, ...]:
    """Languages by name, all of them for `ALL`; raises ValueError for one that is not known."""
    for language in languages:
        if language != ALL:
            check_language(language)
    return tuple(LANGUAGES) if ALL in languages else tuple(languages)
