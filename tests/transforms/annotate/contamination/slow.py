"""The slow obvious version that contamination is held against."""

import re
from collections import defaultdict

from transforms.annotate.contamination.building import BOILERPLATE_TASKS, MIN_TELLING_WORDS
from transforms.annotate.contamination.vocabulary import VOCABULARY
from transforms.annotate.contamination.words import (
    GAPS_COUNT,
    GAPS_IGNORED,
    GAPS_WITHOUT_SPACE,
)

_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_SPACE = re.compile(rb"[ \t\n\r\f\v]+")
_NOT_CODE = re.compile(
    rb"#[^\n]*"
    rb'|"""(?:\\[\s\S]|[^\\])*?(?:"""|\\?\Z)'
    rb"|'''(?:\\[\s\S]|[^\\])*?(?:'''|\\?\Z)"
    rb'|"(?:\\[\s\S]|[^"\\\n])*(?:"|(?=\n)|\\?\Z)'
    rb"|'(?:\\[\s\S]|[^'\\\n])*(?:'|(?=\n)|\\?\Z)"
)


class Text:
    """A text as words and windows; equal windows have equal keys."""

    def __init__(self, data, comparison):
        self.data = data
        self.spans = [match.span() for match in _WORD.finditer(data)]
        other = [match.span() for match in _NOT_CODE.finditer(data)] if comparison.renaming else []
        self.words = [data[start:end] for start, end in self.spans]
        self.names = [
            comparison.renaming and self._is_name(start, end, other) for start, end in self.spans
        ]
        windows = range(max(0, len(self.words) - comparison.ngram_words + 1))
        self.keys = [self._key(first, comparison) for first in windows]

    def _is_name(self, start, end, other):
        word = self.data[start:end]
        is_prefix = len(word) <= 2 and word[:1] in b"rRbBfFuU"
        return not (
            any(first <= start < last for first, last in other)
            or word[:1].isdigit()
            or (is_prefix and self.data[end : end + 1] in (b'"', b"'"))
            or word.decode("latin-1") in VOCABULARY
        )

    def _key(self, first, comparison):
        key, seen = [], {}
        for index in range(first, first + comparison.ngram_words):
            word = self.words[index]
            key.append(seen.setdefault(word, len(seen)) if self.names[index] else word)
            if index > first:
                gap = self.data[self.spans[index - 1][1] : self.spans[index][0]]
                if comparison.gaps == GAPS_COUNT:
                    key.append((gap,))
                elif comparison.gaps == GAPS_WITHOUT_SPACE:
                    key.append((_SPACE.sub(b"", gap),))
        return tuple(key)

    def tells(self, first, comparison):
        telling = {
            self.words[index]
            for index in range(first, first + comparison.ngram_words)
            if len(self.words[index]) > 1
            and not self.words[index][:1].isdigit()
            and not self.names[index]
        }
        return len(telling) >= min(MIN_TELLING_WORDS, 2 * comparison.ngram_words // 5)

    def bare(self, first, last):
        return _SPACE.sub(b"", self.data[self.spans[first][0] : self.spans[last][1]])


def slow_matches(documents, problems, comparison):
    """For each document: benchmark, task, kind, words, share, start and end, or None."""
    problems = sorted(problems, key=lambda problem: problem.benchmark)
    texts = [
        (task, Text(data, comparison))
        for task, problem in enumerate(problems)
        for data in problem.texts
    ]
    owners, telling = defaultdict(set), set()
    for task, text in texts:
        for first, key in enumerate(text.keys):
            owners[key].add(task)
            if text.tells(first, comparison):
                telling.add(key)
    known = set(owners)
    for key in known:
        by_benchmark = defaultdict(int)
        for task in owners[key]:
            by_benchmark[problems[task].benchmark] += 1
        owners[key] = {
            task
            for task in owners[key]
            if key in telling and by_benchmark[problems[task].benchmark] <= BOILERPLATE_TASKS
        }
    return [
        _strongest(Text(data, comparison), problems, texts, owners, known, comparison)
        for data in documents
    ]


def _strongest(document, problems, texts, owners, known, comparison):
    keys = [key if key in known else None for key in document.keys]
    found = defaultdict(set)
    for key in keys:
        for task in owners[key] if key else ():
            found[task].add(key)
    totals = {
        task: sum(task in tasks for tasks in owners.values()) for task in range(len(problems))
    }
    matches = []
    for task, text in texts:
        if not text.keys or not any(owners[key] for key in text.keys):
            continue
        for first in range(len(keys) - len(text.keys) + 1):
            last = first + len(text.words) - 1
            if keys[first : first + len(text.keys)] == text.keys and (
                comparison.gaps != GAPS_IGNORED
                or document.bare(first, last) == text.bare(0, len(text.words) - 1)
            ):
                share = len(found[task]) / totals[task]
                matches.append((0, -len(text.words), 0, task, first, share))
    if not matches:
        for task in found:
            share = len(found[task]) / totals[task]
            for first, last in _runs(keys, owners, task):
                length = last - first + comparison.ngram_words
                matches.append((1, -length, -share, task, first, share))
    if not matches:
        return None
    kind, length, _, task, first, share = min(matches)
    start, end = document.spans[first][0], document.spans[first - length - 1][1]
    problem = problems[task]
    return (
        problem.benchmark,
        problem.task,
        "ngram" if kind else "exact",
        -length,
        share,
        start,
        end,
    )


def _runs(keys, owners, task):
    """First and last window of runs, in which what is no evidence may stand."""
    first = last = None
    for window, key in enumerate([*keys, None]):
        if key is not None and task in owners[key]:
            first = window if first is None else first
            last = window
        elif first is not None and (key is None or owners[key]):
            yield first, last
            first = None
