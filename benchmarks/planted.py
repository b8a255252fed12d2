"""Made-up secrets in lines of code, by what providers say of their formats, and innocents.

Nothing here is taken from the detector, and nothing is anybody's: all is drawn by a seed.
"""

from __future__ import annotations

import base64
import json
import random
import string
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SEED = 20260101
PER_KIND = 240
PER_FAMILY = 75

_B62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_URL = _B62 + "-_"
_B32 = string.ascii_uppercase + "234567"
_HEX = "0123456789abcdef"
_UPPER = string.ascii_uppercase + string.digits

Draw = Callable[[random.Random], str]


@dataclass(frozen=True)
class Case:
    """A file with one planted secret, ``text[start:end]`` in bytes, or with none (0:0)."""

    kind: str
    name: str
    text: bytes
    start: int = 0
    end: int = 0


def _of(alphabet: str, length: int) -> Draw:
    return lambda rng: "".join(rng.choice(alphabet) for _ in range(length))


def _after(prefix: str, *parts: Draw | str) -> Draw:
    return lambda rng: prefix + "".join(p if isinstance(p, str) else p(rng) for p in parts)


def _one(*draws: Draw) -> Draw:
    return lambda rng: rng.choice(draws)(rng)


def _checked(prefix: str) -> Draw:
    def draw(rng: random.Random) -> str:
        body = _of(_B62, 30)(rng)
        value, digits = zlib.crc32(body.encode()), ""
        while value:
            value, digit = divmod(value, 62)
            digits = _B62[digit] + digits
        return prefix + body + digits.rjust(6, "0")

    return draw


# A macaroon that names the index; the beginning of every token.
_PYPI_HEAD = base64.b64decode("AgEIcHlwaS5vcmcCJA==")


def _pypi(rng: random.Random) -> str:
    macaroon = _PYPI_HEAD + str(uuid.UUID(int=rng.getrandbits(128))).encode()
    return "pypi-" + _unpadded(macaroon + rng.randbytes(rng.randint(60, 110)))


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _jwt(rng: random.Random) -> str:
    head = {"alg": rng.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}
    body = {"sub": str(rng.randrange(10**6)), "iat": rng.randrange(10**9, 2 * 10**9)}
    parts = [_unpadded(json.dumps(part).encode()) for part in (head, body)]
    return ".".join([*parts, _unpadded(rng.randbytes(rng.choice([32, 64, 256])))])


def _pem(rng: random.Random) -> str:
    kind = rng.choice(["RSA ", "EC ", "", "OPENSSH ", "DSA "])
    data = base64.b64encode(b"\x30\x82" + rng.randbytes(rng.choice([118, 600, 1190]))).decode()
    lines = [data[place : place + 64] for place in range(0, len(data), 64)]
    dashes = "-" * 5
    begin, end = (f"{dashes}{word} {kind}PRIVATE KEY{dashes}" for word in ("BEGIN", "END"))
    return rng.choice(["\n", "\\n"]).join([begin, *lines, end])


def _password(rng: random.Random) -> str:
    length = rng.randint(8, 24)
    return _of(_B62, length)(rng) if rng.random() < 0.7 else _of(_B62 + "!$*_-.~", length)(rng)


def _django(rng: random.Random) -> str:
    return _of(string.ascii_lowercase + string.digits + "!@#$%^&*(-_=+)", 50)(rng)


_WORDS = [
    "anna",
    "peter",
    "maria",
    "li",
    "omar",
    "ines",
    "tom",
    "chen",
    "sara",
    "ivan",
    "kofi",
    "mei",
    "noor",
    "jose",
    "kim",
    "raj",
]
_HOSTS = [
    "corvid",
    "lumen",
    "harbor",
    "tessera",
    "quill",
    "brisk",
    "alder",
    "nimbus",
    "forge",
    "mistral",
]


def _email(rng: random.Random) -> str:
    first, last = rng.choice(_WORDS), rng.choice(_WORDS)
    local = rng.choice([f"{first}.{last}", f"{first[0]}{last}", f"{first}{rng.randrange(99)}"])
    local = rng.choice([local, local.title(), f"{local}+lists"])
    host = rng.choice(["gmail.com", "mail.ru", "posteo.de", f"{rng.choice(_HOSTS)}.io"])
    return f"{local}@{rng.choice([host, f'cs.{rng.choice(_HOSTS)}.ac.uk', f'{last}.dev'])}"


def _ipv4(rng: random.Random) -> str:
    first = rng.choice([n for n in range(11, 223) if n not in (100, 127, 169, 172, 192, 198, 203)])
    return f"{first}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def _ipv6(rng: random.Random) -> str:
    groups = [f"{rng.randrange(1, 65536):x}" for _ in range(8)]
    groups[0] = rng.choice(["2600", "2a01", "2a02", "2620", "2804", "2400"])
    return rng.choice([":".join(groups), ":".join(groups[:4]) + "::" + groups[7]])


PLANTED: dict[str, Draw] = {
    "email": _email,
    "ip_address": _one(_ipv4, _ipv4, _ipv6),
    "anthropic_key": _after("sk-ant-", "api03-", _of(_URL, 93), "AA"),
    "aws_access_key": _one(_after("AKIA", _of(_B32, 16)), _after("ASIA", _of(_B32, 16))),
    "databricks_token": _after("dapi", _of(_HEX, 32)),
    "digitalocean_token": _after("dop_v1_", _of(_HEX, 64)),
    "docker_token": _after("dckr_pat_", _of(_URL, 27)),
    "github_token": _one(
        _checked("ghp_"),
        _checked("gho_"),
        _checked("ghs_"),
        _after("github_pat_", _of(_B62, 22), "_", _of(_B62, 59)),
    ),
    "gitlab_token": _after("glpat-", _of(_URL, 20)),
    "google_api_key": _after("AIza", _of(_URL, 35)),
    "huggingface_token": _after("hf_", _of(string.ascii_letters, 34)),
    "npm_token": _checked("npm_"),
    "openai_key": _one(
        _after("sk-", _of(_B62, 20), "T3BlbkFJ", _of(_B62, 20)),
        _after("sk-proj-", _of(_URL, 74), "T3BlbkFJ", _of(_URL, 74)),
    ),
    "pypi_token": _pypi,
    "sendgrid_key": _after("SG.", _of(_URL, 22), ".", _of(_URL, 43)),
    "shopify_token": _after("shpat_", _of(_HEX, 32)),
    "slack_token": _one(
        _after("xoxb-", _of(string.digits, 12), "-", _of(string.digits, 13), "-", _of(_B62, 24)),
        _after("hooks.slack.com/services/", "T", _of(_UPPER, 10), "/B", _of(_UPPER, 10), "/",
               _of(_B62, 24)),
    ),
    "stripe_key": _one(_after("sk_live_", _of(_B62, 24)), _after("rk_live_", _of(_B62, 99))),
    "private_key": _pem,
    "jwt": _jwt,
    "url_password": _password,
    "generic_key": _one(
        _of(_HEX, 32), _of(_HEX, 40), _of(_B62, 32), _of(_B62, 20), _of(_B62 + "+/", 40), _django,
        lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    ),
}  # fmt: skip
"""How a secret of each kind is drawn."""

_NAMES = {
    "py": ("API_KEY = \"{}\"", "client = Client(token='{}')", "    'secret': \"{}\",",
           "api_key: str = \"{}\"", "os.environ[\"ACCESS_TOKEN\"] = '{}'"),
    "js": ("const apiKey = '{}';", "  clientSecret: \"{}\",", "headers['X-Auth-Token'] = `{}`"),
    "ts": ("export const secretKey: string = '{}';",),
    "go": ("\tapiToken := \"{}\"", "const Password = \"{}\""),
    "java": ("private static final String SECRET_KEY = \"{}\";",),
    "rb": ("config.secret_key = '{}'", "  :api_key => '{}',"),
    "php": ("define('AUTH_KEY', '{}');", "$password = '{}';"),
    "yaml": ("api_key: {}", "  password: \"{}\""),
    "env": ("SECRET_TOKEN={}", "export API_KEY=\"{}\""),
    "json": ("  \"access_token\": \"{}\",",),
    "xml": ("<password>{}</password>", "<add key=\"ApiKey\" value=\"{}\" />"),
    "h": ("#define API_KEY \"{}\"",),
}  # fmt: skip
_PLAIN = {
    "py": ("# seen by {}", "connect('{}')", "x = ['a', \"{}\"]", '"""Ask {}."""'),
    "c": ("/* {} */", '  send("{}\\n");'),
    "md": ("Author: <{}>", "Write to {}."),
    "ini": ("contact = {}",),
    "sh": ("run --to {} --now",),
    "sql": ("INSERT INTO t VALUES (1, '{}');",),
    "xml": ("<a>{}</a>",),
}
_URLS = {
    "py": ("engine = create_engine('postgresql://{user}:{}@db.{host}.io:5432/main')",),
    "env": ("DATABASE_URL=mysql://{user}:{}@{host}.internal/app", "R=redis://:{}@{host}.net/0"),
    "yaml": ("  url: \"amqps://{user}:{}@mq.{host}.com/vhost\"",),
    "sh": ("git clone https://{user}:{}@git.{host}.org/a/b.git",),
}  # fmt: skip
_AROUND = (("", "\n"), ("import os\n\n", "\nmain()\n"), ("# set-up\n{\n", "\n}\n"))


def planted() -> Iterator[Case]:
    """So many files for each kind, with one secret in each."""
    rng = random.Random(SEED)
    for kind, draw in PLANTED.items():
        templates = {"url_password": _URLS, "generic_key": _NAMES}.get(kind)
        for number in range(PER_KIND):
            either = rng.choice([_PLAIN, _PLAIN if kind in ("email", "ip_address") else _NAMES])
            yield _case(rng, kind, number, templates or either, draw(rng))


def _case(
    rng: random.Random, kind: str, number: int, templates: dict[str, tuple[str, ...]], secret: str
) -> Case:
    suffix = rng.choice(sorted(templates))
    line = rng.choice(templates[suffix])
    line = line.replace("{user}", rng.choice(_WORDS)).replace("{host}", rng.choice(_HOSTS))
    before, after = rng.choice(_AROUND)
    head, tail = (before + line + after).split("{}")
    text = (head + secret + tail).encode()
    start = len(head.encode())
    return Case(kind, f"{kind}-{number}.{suffix}", text, start, start + len(secret.encode()))
