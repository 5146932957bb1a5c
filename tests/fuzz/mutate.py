"""Mutated inputs, the same for the same seed: bytes flipped, cut, doubled, spliced with another seed, words thrown in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

LARGEST = 16_384


def inputs(random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> Iterator[bytes]:
    """Without end. Most have one to four changes; a few have many."""
    while True:
        data = bytearray(random.choice(seeds))
        for _ in range(random.choice((1, 1, 1, 2, 2, 3, 4, 12))):
            _change(random, data, seeds, words)
        yield bytes(data[:LARGEST])


def _change(random: Random, data: bytearray, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    at = random.randint(0, len(data))
    end = min(len(data), at + random.choice((1, 1, 2, 4, 16, 64, 512)))
    kind = random.randrange(8)
    if kind == 0:
        data[at:end] = b""
    elif kind == 1:
        data[at:at] = random.choice(words)
    elif kind == 2:
        data[at:end] = random.choice(words)
    elif kind == 3 and at < len(data):
        data[at] = random.randrange(256)
    elif kind == 4:
        data[at:at] = data[at:end] * random.choice((1, 2, 8, 50))
    elif kind == 5:
        other = random.choice(seeds)
        start = random.randint(0, len(other))
        data[at:end] = other[start : start + random.choice((8, 64, 512))]
    elif kind == 6:
        del data[at:]
    elif at < len(data):
        data[at] ^= 1 << random.randrange(8)
