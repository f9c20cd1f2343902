"""Readings of a tide gauge."""

from tide_gauge.reading import Reading, read
from tide_gauge.report import highest, mean_level

__all__ = ["Reading", "highest", "mean_level", "read"]
