"""Keys that their providers made recognizable: how each begins and what the rest must be.

Formats are as the providers describe them; a checksum is asked for where there is one.
Expressions are bounded in length and never try a byte twice.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from schemas.secrets import SecretKind

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKSUM_DIGITS = 6

_END = rb"(?![A-Za-z0-9_-])"
_PEM_KINDS = (
    rb"(?:(?:RSA|EC|DSA|OPENSSH|ENCRYPTED|SSH2 ENCRYPTED) )?PRIVATE KEY|PGP PRIVATE KEY BLOCK"
)
_PEM_BEGIN = re.compile(rb"BEGIN (" + _PEM_KINDS + rb")-----")
_PEM_LINE = re.compile(rb"[A-Za-z0-9+/]{16,}+={0,2}")
_PEM_LINE_BYTES = 40
_PEM_FIRST_LINES = 12
"""There may be headers before the key, such as ``Proc-Type``."""
PEM_DASHES = 5
_DASHES = b"-" * PEM_DASHES
MAX_PEM_BYTES = 16_384

Check = Callable[[bytes], bool]


@dataclass(frozen=True)
class Rule:
    """Keys that begin with one of ``literals`` (three bytes or more) and match ``pattern``.

    ``pattern`` is of the whole key and has its random part, if it is not all of it, as
    group 1; ``check`` is given the key.
    """

    kind: SecretKind
    literals: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    check: Check = bool


def _rule(kind: SecretKind, literals: tuple[bytes, ...], rest: bytes, check: Check = bool) -> Rule:
    begin = b"|".join(re.escape(literal) for literal in literals)
    return Rule(kind, literals, re.compile(rb"(?:" + begin + rb")" + rest + _END), check)


def has_checksum(token: bytes) -> bool:
    """Whether the last six digits of ``prefix_RANDOM`` are those of its CRC-32 in base 62."""
    random = token.rpartition(b"_")[2]
    value = zlib.crc32(random[:-_CHECKSUM_DIGITS])
    digits = bytearray(b"0" * _CHECKSUM_DIGITS)
    for place in reversed(range(_CHECKSUM_DIGITS)):
        value, digit = divmod(value, len(_BASE62))
        digits[place] = ord(_BASE62[digit])
    return random.endswith(digits)


def _is_github(token: bytes) -> bool:
    # Only tokens of this length are documented to end in a checksum.
    return len(token) != 40 or has_checksum(token)


def _is_jwt(token: bytes) -> bool:
    head = token.partition(b".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict) and isinstance(header.get("alg"), str)


_HEX = rb"[0-9a-f]"
_ALNUM = rb"[0-9A-Za-z]"
_URL64 = rb"[0-9A-Za-z_-]"
_Kind = SecretKind

RULES = (
    _rule(_Kind.AWS_ACCESS_KEY, (b"AKIA", b"ASIA", b"ABIA", b"ACCA"), rb"([A-Z0-9]{16})"),
    _rule(
        _Kind.GITHUB_TOKEN,
        (b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"),
        rb"(" + _ALNUM + rb"{36,251})",
        _is_github,
    ),
    _rule(_Kind.GITHUB_TOKEN, (b"github_pat_",), rb"(" + _ALNUM + rb"{22}_" + _ALNUM + rb"{59})"),
    _rule(
        _Kind.GITLAB_TOKEN,
        (b"glpat-", b"glrt-", b"gldt-", b"glptt-", b"glcbt-", b"glsoat-", b"glft-", b"glimt-"),
        rb"(" + _URL64 + rb"{20,300}+(?:\.[0-9a-z]{2}\.[0-9a-z]{9})?)",
    ),
    _rule(
        _Kind.SLACK_TOKEN,
        (b"xoxb-", b"xoxp-", b"xoxa-", b"xoxr-", b"xoxs-", b"xoxe-", b"xapp-"),
        rb"([0-9A-Za-z-]{24,250})",
    ),
    _rule(
        _Kind.SLACK_TOKEN,
        (b"hooks.slack.com/services/",),
        rb"T[0-9A-Z]{8,12}/B[0-9A-Z]{8,12}/(" + _ALNUM + rb"{24})",
    ),
    _rule(_Kind.GOOGLE_API_KEY, (b"AIza",), rb"(" + _URL64 + rb"{35})"),
    _rule(_Kind.GOOGLE_API_KEY, (b"GOCSPX-",), rb"(" + _URL64 + rb"{28})"),
    _rule(
        _Kind.STRIPE_KEY,
        (b"sk_live_", b"rk_live_", b"sk_test_", b"rk_test_", b"whsec_"),
        rb"([0-9A-Za-z+/]{24,247}=?)",
    ),
    _rule(
        _Kind.OPENAI_KEY,
        (b"sk-proj-", b"sk-svcacct-", b"sk-admin-"),
        rb"(" + _URL64 + rb"{40,250})",
    ),
    _rule(_Kind.ANTHROPIC_KEY, (b"sk-ant-",), rb"[a-z]{2,8}[0-9]{2}-(" + _URL64 + rb"{80,120})"),
    _rule(_Kind.OPENAI_KEY, (b"sk-",), rb"(" + _ALNUM + rb"{48})"),
    _rule(_Kind.PYPI_TOKEN, (b"pypi-AgE",), rb"(" + _URL64 + rb"{50,1000})"),
    _rule(_Kind.NPM_TOKEN, (b"npm_",), rb"(" + _ALNUM + rb"{36})", has_checksum),
    _rule(_Kind.HUGGINGFACE_TOKEN, (b"hf_",), rb"(" + _ALNUM + rb"{34})"),
    _rule(_Kind.SENDGRID_KEY, (b"SG.",), rb"(" + _URL64 + rb"{22}\." + _URL64 + rb"{43})"),
    _rule(_Kind.DIGITALOCEAN_TOKEN, (b"dop_v1_", b"doo_v1_", b"dor_v1_"), rb"(" + _HEX + rb"{64})"),
    _rule(_Kind.SHOPIFY_TOKEN, (b"shpat_", b"shpca_", b"shppa_", b"shpss_"), rb"([0-9a-fA-F]{32})"),
    _rule(_Kind.DOCKER_TOKEN, (b"dckr_pat_",), rb"(" + _URL64 + rb"{27})"),
    _rule(_Kind.DATABRICKS_TOKEN, (b"dapi",), rb"(" + _HEX + rb"{32})(?:-[0-9])?"),
    _rule(
        _Kind.JWT,
        (b"eyJ",),
        _URL64 + rb"{10,2000}+\.eyJ" + _URL64 + rb"{5,8000}+\.(" + _URL64 + rb"{20,1400})",
        _is_jwt,
    ),
)

_FILLERS = (
    "example sample placeholder dummy changeme change_me change-me insert redacted replace fake "
    "your xxxx 1234567 abcdefg 00000000"
)
PLACEHOLDER = re.compile(
    "|".join(
        sorted({form for word in _FILLERS.split() for form in (word, word.upper(), word.title())})
    ).encode()
)
"""What people write where a key will stand; a random key of 40 letters has it once in 10^5."""


def private_key_end(data: memoryview, place: int, end: int) -> int:
    """Where the armor of a private key ends whose ``BEGIN`` is at ``place``; -1 for none.

    It ends with the line that closes it, or with its own text where the next dashes are of
    another line. A header without a key after it, as in code that reads keys, is none.
    """
    begin = _PEM_BEGIN.match(data, place, end)
    if begin is None:
        return -1
    text = bytes(data[begin.end() : min(begin.end() + MAX_PEM_BYTES, end)])
    body, _, rest = text.partition(_DASHES)
    lines = list(_PEM_LINE.finditer(body))
    if not any(_is_pem_line(line[0]) for line in lines[:_PEM_FIRST_LINES]):
        return -1
    closing = b"END " + begin[1] + _DASHES
    size = len(body) + len(_DASHES) + len(closing) if rest.startswith(closing) else lines[-1].end()
    return begin.end() + size


def _is_pem_line(line: bytes) -> bool:
    # A path or a long name may be written with the same letters.
    digits = any(byte in b"0123456789" for byte in line)
    return len(line) >= _PEM_LINE_BYTES and digits and not line.islower() and not line.isupper()
