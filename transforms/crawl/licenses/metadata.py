"""Licenses from a distribution's core metadata, as SPDX identifiers or expressions.

The order of trust: ``License-Expression`` (PEP 639), then classifiers, then a
``License`` field that is an SPDX expression, a name of one license ("BSD 3-Clause"), or
the text of one. Classifiers that name a family ("BSD License") say too little to become
an identifier and are passed over; license files then settle it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from email.parser import BytesHeaderParser

from transforms.crawl.licenses.names import license_named
from transforms.crawl.licenses.texts import find_in_license_file
from transforms.license_expressions import UNKNOWN_LICENSE, canonical_expression

_PREFIX = "License :: OSI Approved :: "
_CLASSIFIERS: Mapping[str, str] = {
    "Academic Free License (AFL)": "AFL-3.0",
    "Apache Software License": "Apache-2.0",
    "Apple Public Source License": "APSL-2.0",
    "Artistic License": "Artistic-2.0",
    "Blue Oak Model License (BlueOak-1.0.0)": "BlueOak-1.0.0",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": "CECILL-2.1",
    "Common Development and Distribution License 1.0 (CDDL-1.0)": "CDDL-1.0",
    "Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    "Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    "Educational Community License, Version 2.0 (ECL-2.0)": "ECL-2.0",
    "European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    "European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 1.0 (MPL)": "MPL-1.0",
    "Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Mulan Permissive Software License v2 (MulanPSL-2.0)": "MulanPSL-2.0",
    "Open Software License 3.0 (OSL-3.0)": "OSL-3.0",
    "PostgreSQL License": "PostgreSQL",
    "Python Software Foundation License": "PSF-2.0",
    "SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
    "The Unlicense (Unlicense)": "Unlicense",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "University of Illinois/NCSA Open Source License": "NCSA",
    "Zero-Clause BSD (0BSD)": "0BSD",
    "Zope Public License": "ZPL-2.1",
    "zlib/libpng License": "Zlib",
}
_MAX_FIELD_CHARACTERS = 200
_SURE_ENOUGH = 0.8


def licenses_of_metadata(metadata: bytes) -> tuple[str, ...]:
    """The licenses that the text of a PKG-INFO or METADATA file names, sorted.

    An expression is one element as a whole, because "A OR B" and "A AND B" differ.
    """
    headers = BytesHeaderParser().parsebytes(metadata)
    expression = _expression(headers.get("License-Expression", ""))
    if expression is not None:
        return (expression,)
    classified = _classified(str(value) for value in headers.get_all("Classifier", []))
    if classified:
        return classified
    named = _named_or_quoted(str(headers.get("License", "")))
    return () if named is None else (named,)


def _classified(classifiers: Iterable[str]) -> tuple[str, ...]:
    names = (classifier.strip().removeprefix(_PREFIX) for classifier in classifiers)
    return tuple(sorted({_CLASSIFIERS[name] for name in names if name in _CLASSIFIERS}))


def _expression(value: object) -> str | None:
    text = str(value).strip()
    if not text or len(text) > _MAX_FIELD_CHARACTERS or "\n" in text:
        return None
    return canonical_expression(text)


def _named_or_quoted(field: str) -> str | None:
    """The license that a ``License`` field names, or whose text it holds."""
    text = field.strip()
    if len(text) <= _MAX_FIELD_CHARACTERS and "\n" not in text:
        return license_named(text)
    found = find_in_license_file(text.encode("utf-8", "surrogateescape"))
    if found is None or found.expression == UNKNOWN_LICENSE or found.confidence < _SURE_ENOUGH:
        return None
    return found.expression
