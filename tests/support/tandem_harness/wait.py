"""Waiting for a condition with a deadline. The only place where an experiment waits."""

import threading
import time

_never = threading.Event()


def until(condition, seconds, what, every=0.02):
    """Returns the first true value of `condition()`.

    Raises TimeoutError with `what` and the last value when none came within `seconds`. An exception
    of `condition` ends the waiting at once.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}; last seen: {value!r}")
        _never.wait(every)


def pause_at_random(random, longest):
    """Lets a random part of `longest` seconds go by: the moment of a fault, nothing else."""
    _never.wait(random.uniform(0, longest))
