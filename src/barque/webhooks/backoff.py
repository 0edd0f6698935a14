"""How long a delivery that failed waits for its next attempt."""

ATTEMPTS = 12
_GROWTH = 4.0
_LONGEST = 8 * 3600.0
_SPREAD = 0.2


def pause(attempts: int, first: float, chance: float) -> float | None:
    """Return the seconds after so many failed attempts, or None when there is no next one.

    It is `first` after the first attempt, four times as long after each further one, and eight
    hours at most; more or less a fifth by `chance` (0 to 1), so that what failed together is not
    repeated together. With five seconds to begin with, the last attempt is some 40 hours later.
    """
    if attempts >= ATTEMPTS:
        return None
    # The exponent is bounded by the attempts.
    wait = min(first * _GROWTH ** (attempts - 1), _LONGEST)
    return wait * (1 + _SPREAD * (2 * chance - 1))
