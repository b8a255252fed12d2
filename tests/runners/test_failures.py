import pytest

from runners.failures import cause_of

PYTHON = """java.lang.RuntimeException: Error for instruction 6: Traceback (most recent call last):
  File "apache_beam/runners/common.py", line 1512, in apache_beam.runners.common.DoFnRunner.process
  File "stage.py", line 7, in f
    if bad: raise ValueError(f"bad thing on {x}")
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
ValueError: bad thing on 2

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "sdk_worker.py", line 310, in _execute
    response = task()
ValueError: bad thing on 2 [while running 'f']

\tat org.apache.beam.Something.call(Something.java:12)
"""
LOCAL = """Traceback (most recent call last):
  File "stage.py", line 7, in f
OSError: [Errno 28] No space left on device [while running 'Work']
"""
JAVA = """org.apache.flink.runtime.client.JobExecutionException: Job execution failed.
\tat org.apache.flink.A.b(A.java:144)
Caused by: org.apache.flink.runtime.JobException: Recovery is suppressed
\tat org.apache.flink.C.d(C.java:2)
Caused by: java.net.ConnectException: Connection refused
\t... 12 more
"""


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (PYTHON, "ValueError: bad thing on 2"),
        (LOCAL, "OSError: [Errno 28] No space left on device"),
        (JAVA, "Connection refused"),
        ("java.lang.OutOfMemoryError: Java heap space\n\tat x.Y.z(Y.java:1)", "Java heap space"),
        ("java.lang.IllegalStateException", "java.lang.IllegalStateException"),
        ("one line\nand the last", "and the last"),
        ("", ""),
    ],
)
def test_finds_the_line_that_names_the_cause(text, cause):
    assert cause_of(text) == cause
