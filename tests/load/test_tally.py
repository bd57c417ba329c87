"""The receiver tells first arrivals, repeats and needless repeats apart."""

from tests.load.tally import Tally


def test_only_the_first_arrival_has_a_time() -> None:
    """A retry must not make a delivery look later, nor count twice."""
    tally = Tally()

    tally.arrive(b"evt_a", 1, 10)
    tally.arrive(b"evt_b", 2, 20)
    tally.arrive(b"evt_a", 1, 30)

    assert tally.first_arrivals() == [(1, 10), (2, 20)]
    assert (tally.unique, tally.repeats.total(), tally.last_at_ns) == (2, 1, 30)


def test_a_repeat_is_needless_only_after_a_success() -> None:
    """A retry of a failed attempt is duty; one of a successful attempt is a duplicate."""
    tally = Tally()

    tally.arrive(b"evt_a", 1, 10)
    tally.arrive(b"evt_a", 1, 20)
    tally.answered.add(b"evt_a")
    tally.arrive(b"evt_a", 1, 30)

    assert (tally.repeats.total(), tally.needless, tally.succeeded) == (2, 1, 1)
