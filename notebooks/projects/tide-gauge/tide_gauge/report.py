"""What the readings say."""


def highest(readings):
    """Return the reading with the highest level."""
    best = readings[0]
    for reading in readings:
        if reading.level > best.level:
            best = reading
    return best


def mean_level(readings):
    """Return the mean level, in metres."""
    total = sum(reading.level for reading in readings)
    return total / len(readings)
