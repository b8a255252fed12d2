import datetime

import pytest

from schemas.failures import Reason
from transforms.crawl.source import Limits
from transforms.web.errors import FetchError
from transforms.web.retries import Deadline, PassingError, Retries, parse_retry_after


class Clock:
    def __init__(self):
        self.now = 0.0
        self.waits = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def run(clock):
    def run(*errors, **limits):
        """Tries what raises these errors, one at each attempt, and then gives the number."""
        left = list(errors)

        def action(deadline):
            if left:
                raise left.pop(0)
            return len(errors) + 1

        return Retries(clock.sleep, clock).run(action, Limits(**limits))

    return run


def test_gives_the_result_of_the_first_attempt_that_works(run, clock):
    assert run() == 1
    assert clock.waits == []
    assert run(PassingError("busy"), PassingError("busy")) == 3
    assert len(clock.waits) == 2


def test_does_not_repeat_what_will_not_pass(run, clock):
    with pytest.raises(FetchError) as caught:
        run(FetchError(Reason.NOT_FOUND, "gone"))
    assert caught.value.reason is Reason.NOT_FOUND
    assert clock.waits == []


def test_waits_twice_as_long_each_time_within_bounds(run, clock):
    errors = [PassingError("busy")] * 6
    with pytest.raises(FetchError, match=r"busy \(attempt 6 of 6\)") as caught:
        run(*errors, attempts=6, first_wait_seconds=1, max_wait_seconds=4)
    assert caught.value.reason is Reason.UNREACHABLE
    for wait, longest in zip(clock.waits, [1, 2, 4, 4, 4], strict=True):
        assert longest / 2 <= wait <= longest


def test_waits_differ_between_repositories(clock):
    for _ in range(20):
        with pytest.raises(FetchError):
            Retries(clock.sleep, clock).run(raise_busy, Limits(attempts=2))
    assert len(set(clock.waits)) > 10


def raise_busy(deadline):
    raise PassingError("busy")


def test_waits_as_long_as_a_server_asks_and_never_less_than_its_own_time(run, clock):
    assert run(PassingError("busy", 70.0), PassingError("busy", 0.0), first_wait_seconds=2) == 3
    assert clock.waits[0] == 70
    assert 2 <= clock.waits[1] <= 4


@pytest.mark.parametrize("wait", [10.0, 1e300, float("inf")])
def test_gives_up_where_a_server_asks_for_more_time_than_there_is(run, clock, wait):
    with pytest.raises(FetchError, match="too long") as caught:
        run(PassingError("busy", wait), timeout_seconds=10)
    assert caught.value.reason is Reason.UNREACHABLE
    assert clock.waits == []


def test_all_attempts_share_one_time(clock):
    def action(deadline):
        clock.now += 4
        deadline.remaining_seconds()
        raise PassingError("busy")

    with pytest.raises(FetchError) as caught:
        Retries(clock.sleep, clock).run(action, Limits(timeout_seconds=10, attempts=9))
    assert caught.value.reason in (Reason.TIMED_OUT, Reason.UNREACHABLE)
    assert clock.now < 15


def test_a_thousand_attempts_wait_no_longer_than_allowed(run, clock):
    run(*[PassingError("busy")] * 1100, attempts=1101, timeout_seconds=1e9, max_wait_seconds=2)
    assert max(clock.waits) <= 2


def test_a_deadline_knows_what_is_left(clock):
    deadline = Deadline.after(3, clock)
    assert deadline.remaining_seconds() == 3
    clock.now = 3.0
    with pytest.raises(FetchError) as caught:
        deadline.remaining_seconds()
    assert caught.value.reason is Reason.TIMED_OUT


def test_reads_both_forms_of_retry_after():
    assert parse_retry_after(None) is None
    assert parse_retry_after("12") == 12.0
    assert parse_retry_after("9" * 400) == float("inf")
    for nonsense in ("soon", "-1", "1.5", "", "Thu, 99 Jan 2004"):
        assert parse_retry_after(nonsense) is None
    assert parse_retry_after("Thu, 01 Jan 2004 00:00:00 GMT") == 0.0
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=60)
    for zone in ("GMT", "-0000"):
        wait = parse_retry_after(later.strftime(f"%a, %d %b %Y %H:%M:%S {zone}"))
        assert 55 < wait <= 60
