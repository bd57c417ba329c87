"""Which share of the lanes a lane belongs to.

Lanes are drained by one worker at a time: workers lease shares (shards) of them. A fixed count keeps the mapping
stable for ever; it also bounds how many workers can work at once.
"""

SHARD_COUNT = 16
_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def shard_of(lane_id: int) -> int:
    """Spread lane ids evenly over the shards (Fibonacci hashing: ids differ in few low bits)."""
    return ((lane_id * _GOLDEN) & _MASK) >> 60
