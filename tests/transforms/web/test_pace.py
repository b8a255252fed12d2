import threading

import pytest

from schemas.failures import Reason
from transforms.web.errors import FetchError
from transforms.web.pace import Pace
from transforms.web.retries import Deadline


class Clock:
    """Time that passes by sleeping alone."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    return Pace(clock, clock.sleep)


def moments(pace, clock, count, host="a", rate=4.0, seconds=1000.0):
    """When each of so many turns came, from the first on."""
    deadline = Deadline.after(seconds, clock)
    found = []
    for _ in range(count):
        pace.wait_for_turn(host, rate, deadline)
        found.append(clock.now - 1000.0)
    return found


def test_gives_a_second_worth_of_turns_at_once_and_then_one_after_the_other(pace, clock):
    assert moments(pace, clock, 8) == [0, 0, 0, 0, 0.25, 0.5, 0.75, 1.0]


def test_never_gives_more_in_a_second_than_twice_the_rate_and_the_rate_in_the_long_run(pace, clock):
    found = moments(pace, clock, 400)
    assert found[-1] == pytest.approx((400 - 4) / 4)
    assert all(late - early >= 0.99 for early, late in zip(found, found[8:], strict=False))


def test_waits_between_turns_of_a_host_that_has_less_than_one_a_second(pace, clock):
    assert moments(pace, clock, 3, rate=0.1) == [0, 10, 20]


def test_turns_of_hosts_are_their_own(pace, clock):
    moments(pace, clock, 5)
    before = clock.now
    moments(pace, clock, 4, host="b")
    assert clock.now == before


def test_a_host_that_rested_has_its_turns_again(pace, clock):
    moments(pace, clock, 6)
    clock.sleep(100)
    assert moments(pace, clock, 4) == [100.5] * 4


def test_says_at_once_that_a_turn_comes_too_late_and_leaves_it_to_others(pace, clock):
    moments(pace, clock, 4)
    before = clock.now
    with pytest.raises(FetchError, match="a may be asked 4 times a second") as caught:
        moments(pace, clock, 1, seconds=0.2)
    assert caught.value.reason is Reason.TIMED_OUT
    assert clock.now == before
    assert moments(pace, clock, 1) == [0.25]


def test_threads_share_the_turns():
    slept = []
    pace = Pace(lambda: 0.0, slept.append)
    deadline = Deadline.after(1000.0)

    def take():
        for _ in range(10):
            pace.wait_for_turn("a", 10.0, deadline)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(slept) == pytest.approx([0.0] * 10 + [turn / 10 for turn in range(1, 31)])


def test_forgets_hosts_that_have_all_their_turns(pace, clock):
    deadline = Deadline.after(1e9, clock)
    for number in range(25_000):
        pace.wait_for_turn(str(number), 1000.0, deadline)
        clock.sleep(1)
    assert len(pace._full_at) <= 10_001
