import re

from schemas.verdicts import NEVER_RUN, Verdict


def test_a_verdict_is_one_lower_case_word():
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", verdict) for verdict in Verdict)
    assert all(verdict.name.lower() == verdict.value for verdict in Verdict)


def test_verdicts_are_a_contract():
    # Results that were written before, and programs that read them, use these words.
    assert [*Verdict] == [
        *("passed", "failed", "error", "killed", "forged"),
        *("timeout", "memory", "output", "processes", "open_files", "file_size", "files"),
        *("unknown_task", "malformed"),
    ]
    assert {"unknown_task", "malformed"} == NEVER_RUN
