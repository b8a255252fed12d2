"""Secrets and personal data: ``attributes/secrets``, positional with the documents.

``spans`` are byte offsets in the UTF-8 text that annotate saw, sorted and without overlaps;
``keys``, ``emails`` and ``ip_addresses`` count them by class.
"""

from __future__ import annotations

from enum import StrEnum

import pyarrow as pa


class SecretClass(StrEnum):
    """What a span is redacted as."""

    KEY = "key"
    """Whoever reads it can act for somebody: keys, tokens, passwords."""
    EMAIL = "email"
    """An address of mail."""
    IP_ADDRESS = "ip_address"
    """A public address of the Internet Protocol, version 4 or 6."""


class SecretKind(StrEnum):
    """What a span is: an address, or whose key."""

    EMAIL = "email"
    """An address of mail whose domain can exist."""
    IP_ADDRESS = "ip_address"
    """A public address of the Internet Protocol."""

    ANTHROPIC_KEY = "anthropic_key"
    """A key of Anthropic's API."""
    AWS_ACCESS_KEY = "aws_access_key"
    """The identifier of an access key of Amazon Web Services."""
    DATABRICKS_TOKEN = "databricks_token"
    """A personal access token of Databricks."""
    DIGITALOCEAN_TOKEN = "digitalocean_token"
    """An access, OAuth or refresh token of DigitalOcean."""
    DOCKER_TOKEN = "docker_token"
    """A personal access token of Docker Hub."""
    GITHUB_TOKEN = "github_token"
    """Any token of GitHub, its checksum right where the format has one."""
    GITLAB_TOKEN = "gitlab_token"
    """Any token of GitLab."""
    GOOGLE_API_KEY = "google_api_key"
    """An API key or OAuth client secret of Google."""
    HUGGINGFACE_TOKEN = "huggingface_token"
    """A user access token of Hugging Face."""
    NPM_TOKEN = "npm_token"
    """An access token of npm, its checksum right."""
    OPENAI_KEY = "openai_key"
    """A key of OpenAI's API."""
    PYPI_TOKEN = "pypi_token"
    """An upload token of PyPI or TestPyPI."""
    SENDGRID_KEY = "sendgrid_key"
    """An API key of SendGrid."""
    SHOPIFY_TOKEN = "shopify_token"
    """An access token or shared secret of Shopify."""
    SLACK_TOKEN = "slack_token"
    """A token or incoming webhook of Slack."""
    STRIPE_KEY = "stripe_key"
    """A secret, restricted or webhook key of Stripe, for tests too."""

    PRIVATE_KEY = "private_key"
    """A private key in PEM armor, from its first line to its last."""
    JWT = "jwt"
    """A signed JSON Web Token."""
    URL_PASSWORD = "url_password"
    """The password in a URL."""
    GENERIC_KEY = "generic_key"
    """A random-looking value that is assigned to a name such as ``api_key``."""


_CLASSES = {
    SecretKind.EMAIL: SecretClass.EMAIL,
    SecretKind.IP_ADDRESS: SecretClass.IP_ADDRESS,
}


def secret_class(kind: str) -> SecretClass:
    """The class of a kind; raises ValueError for a word that is none."""
    return _CLASSES.get(SecretKind(kind), SecretClass.KEY)


COUNT_COLUMNS = {
    SecretClass.KEY: "keys",
    SecretClass.EMAIL: "emails",
    SecretClass.IP_ADDRESS: "ip_addresses",
}
"""The column that counts each class."""

SPAN = pa.struct(
    [
        pa.field("start", pa.int64(), nullable=False),
        pa.field("end", pa.int64(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
    ]
)

SECRETS = pa.schema(
    [
        pa.field("spans", pa.list_(pa.field("item", SPAN, nullable=False)), nullable=False),
        *(pa.field(name, pa.int64(), nullable=False) for name in COUNT_COLUMNS.values()),
    ]
)
