"""Lines of code without secrets that look as if they had some, by family."""

from __future__ import annotations

import base64
import hashlib
import random
import string
import uuid
from collections.abc import Iterator

from benchmarks.planted import PER_FAMILY, SEED, Case

_NAMES = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "node",
    "user",
    "item",
    "cache",
    "query",
    "batch",
    "layer",
    "model",
    "index",
]


def _hex(rng: random.Random, size: int) -> str:
    return hashlib.sha512(rng.randbytes(8)).hexdigest()[:size]


def _n(rng: random.Random, top: int = 20) -> int:
    return rng.randrange(top)


def _b64(rng: random.Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


def _word(rng: random.Random) -> str:
    return rng.choice(_NAMES)


_KEYS = ("api_key", "apiKey", "SECRET_KEY", "token", "password", "access_token", "client_secret")
_EXAMPLE = "AKIA" + "IOSFODNN7" + "EXAMPLE"
_DASHES = "-" * 5

FAMILIES = {
    "version of four numbers": lambda r: f'__version__ = "{_n(r)}.{_n(r)}.{_n(r)}.{_n(r)}"',
    "requirement": lambda r: f"{_word(r)}=={_n(r)}.{_n(r, 99)}.{_n(r, 99)}.{_n(r, 99)}",
    "browser": lambda r: f'"Mozilla/5.0 Chrome/{_n(r, 130)}.0.{_n(r, 250)}.{_n(r, 250)} Safari"',
    "OID": lambda r: f'OID = "1.3.6.1.4.1.{_n(r, 9999)}.{_n(r)}"',
    "short OID": lambda r: f'"commonName": "2.5.4.{_n(r, 30)}"',
    "private address": lambda r: f'HOST = "192.168.{_n(r, 255)}.{_n(r, 255)}"  # 10.0.0.{_n(r)}',
    "loopback": lambda r: f'bind("127.0.0.{1 + _n(r)}", "0.0.0.0", "::1", "fe80::{_n(r)}")',
    "documentation address": lambda r: f'ip = "203.0.113.{_n(r, 255)}"; v6 = "2001:db8::{_n(r)}"',
    "netmask": lambda r: f'mask = "255.255.{r.choice([0, 128, 192, 255])}.0"',
    "git commit": lambda r: f'commit = "{_hex(r, 40)}"',
    "md5": lambda r: f'md5_checksum: "{_hex(r, 32)}"',
    "sha256 of a token": lambda r: f'token_hash = "{_hex(r, 64)}"',
    "uuid": lambda r: f'id = "{uuid.UUID(int=r.getrandbits(128))}"',
    "integrity": lambda r: f'"integrity": "sha512-{_b64(r, 64)}",',
    "image": lambda r: f'src="data:image/png;base64,{_b64(r, 90)}"',
    "placeholder": lambda r: f'{r.choice(_KEYS)} = "your-{_word(r)}-key-here-{_n(r)}"',
    "xs": lambda r: f'{r.choice(_KEYS)} = "{"x" * (16 + _n(r))}"',
    "counting": lambda r: f'{r.choice(_KEYS)}: "abcdef1234567890{_n(r)}"',
    "fake token": lambda r: f'GITHUB = "ghp_{"x" * 36}"  # {_n(r)}',
    "documented key": lambda r: f'aws_access_key_id = "{_EXAMPLE}"  # {_n(r)}',
    "lookup": lambda r: f'{r.choice(_KEYS)} = os.environ["{_word(r).upper()}_SERVICE_API_KEY"]',
    "call": lambda r: f"{r.choice(_KEYS)} = get_{_word(r)}_secret_from_vault{_n(r)}(client)",
    "constant's name": lambda r: f'{r.choice(_KEYS)} = "{_word(r).upper()}_ACCESS_TOKEN_{_n(r)}"',
    "camel case": lambda r: f'token: "{_word(r)}{_word(r).title()}AuthorizationTokenService"',
    "endpoint": lambda r: f'"token": "https://{_word(r)}.io/oauth2/v{_n(r)}/token",',
    "special token": lambda r: f'pad_token = "<|{_word(r)}_token_{_n(r)}|>"',
    "template": lambda r: f'password: "${{{_word(r).upper()}_PASSWORD_{_n(r)}}}"',
    "page token": lambda r: f'next_page_token = "{_b64(r, 24)}"',
    "documented mail": lambda r: f'mail("{_word(r)}{_n(r)}@example.{r.choice(["com", "org"])}")',
    "nobody's mail": lambda r: f"noreply@{_word(r)}{_n(r)}.com",
    "decorator": lambda r: f"@{_word(r)}.{_word(r)}\ndef f{_n(r)}(): pass",
    "matrix product": lambda r: f"y{_n(r)} = a{_n(r)}@b.T + {_word(r)}@{_word(r)}.weight",
    "scp": lambda r: f"git clone git@github.com:{_word(r)}/{_word(r)}{_n(r)}.git",
    "package at version": lambda r: f'"https://unpkg.com/{_word(r)}@{_n(r)}.{_n(r)}.0/umd.js"',
    "image for screens": lambda r: f'url("{_word(r)}{_n(r)}@2x.png")',
    "password of a template": lambda r: f"postgres://user:${{PASSWORD}}@db{_n(r)}:5432/app",
    "password of localhost": lambda r: f"amqp://guest:guest@localhost:{5600 + _n(r, 99)}//",
    "documented password": lambda r: f"https://user:password@host{_n(r)}.com/path",
    "scope": lambda r: f"std::vector<{_word(r)}::Type{_n(r)}> bead::cafe::f00d{_n(r)};",
    "timestamp": lambda r: f'"2021:0{1 + _n(r, 8)}:1{_n(r, 9)} 12:3{_n(r, 9)}:00"',
    "hardware address": lambda r: ":".join(_hex(r, 2) for _ in range(6)),
    "slice": lambda r: f"x[2000::{_n(r)}] + y[{_n(r)}:3000:{_n(r)}]",
    "public key": lambda r: (
        f"{_DASHES}BEGIN PUBLIC KEY{_DASHES}\n{_b64(r, 48)}\n{_DASHES}END PUBLIC KEY{_DASHES}"
    ),
    "reader of keys": lambda r: (
        f'if "{_DASHES}BEGIN RSA PRIVATE KEY{_DASHES}" in {_word(r)}{_n(r)}:'
    ),
    "style": lambda r: f'<div class="sk-{_word(r)}-toggleable__label-arrow-{_n(r)}">',
    "names with a prefix": lambda r: f"hf_{_word(r)}_{_word(r)} = npm_{_word(r)}_{_n(r)}",
    "algorithm": lambda r: f'"hmac-sha2-{r.choice([256, 512])}-etm@openssh.com",  # {_n(r)}',
    "prose": lambda r: f"The password: never write it down, {_word(r)} {_n(r)} times.",
    "random letters": lambda r: f'seed = "{"".join(r.choices(string.ascii_letters, k=30))}"',
}
"""How a line of each family is drawn."""


def innocents() -> Iterator[Case]:
    """So many files for each family, without a secret in any."""
    rng = random.Random(SEED)
    for family, draw in FAMILIES.items():
        for number in range(PER_FAMILY):
            text = f"import os\n\n{draw(rng)}\n".encode()
            yield Case(family, f"{family.replace(' ', '-')}-{number}.py", text)
