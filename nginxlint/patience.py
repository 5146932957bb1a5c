"""How long one part of the analysis may take: an explicit limit, so that no file, whatever it holds, can hang the run."""

from __future__ import annotations

TYPE_CHECKING = False  # typing costs 3 ms to import; checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import TypeVar

    Result = TypeVar("Result")

# A smaller configuration cannot take long: what grows with the square of it is done in a second.
LARGE = 5_000
# CPU seconds for one part, and for all rules together: some, and more for every hundred thousand directives. A
# configuration of 10,000 virtual hosts (270,000 directives) needs a tenth of it.
_PART, _PART_MORE = 2.0, 0.5
_ALL, _ALL_MORE = 5.0, 0.6
_LEAST = 0.05  # what is worth beginning with


class TookTooLong(BaseException):
    """A part was stopped. Not an Exception: nothing on the way may take it for a fault of its own."""


class Patience:
    """What is left of the time for one root of `size` directives."""

    __slots__ = ("_left", "_part", "_watches")

    def __init__(self, size: int) -> None:
        more = size / 100_000
        self._watches = size > LARGE
        self._part = _PART + _PART_MORE * more
        self._left = _ALL + _ALL_MORE * more

    @property
    def exhausted(self) -> bool:
        return self._left < _LEAST

    def limited(self, work: Callable[..., Result], *args: object) -> Result:
        """Do it. Raises TookTooLong where it takes more than its share; not in small configurations, and not where
        signals cannot be had (outside the main thread)."""
        if not self._watches:
            return work(*args)
        import _signal as signal  # type: ignore[import-not-found]  # without the names, which take 0.5 ms

        try:
            before = signal.signal(signal.SIGPROF, _stop)
        except ValueError:  # not in the main thread
            return work(*args)
        share = max(_LEAST, min(self._part, self._left))
        signal.setitimer(signal.ITIMER_PROF, share)
        try:
            return work(*args)
        finally:
            unused, _ = signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
            self._left -= max(0.0, share - unused)  # the kernel gives a tick more than it is asked for


def _stop(number: int, frame: FrameType | None) -> None:
    raise TookTooLong
