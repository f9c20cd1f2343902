"""From lines of text to readings."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Reading:
    """The level of the water at one time, in metres."""

    at: datetime
    level: float


def read(text):
    """Return the readings of a file's text; lines that cannot be read are left out."""
    readings = []
    for line in text.splitlines():
        try:
            at, level = line.split()
            readings.append(Reading(datetime.fromisoformat(at), float(level)))
        except:
            pass
    return readings
