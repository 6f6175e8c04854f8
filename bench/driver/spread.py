"""Medians with their range, and how they are written."""


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def shown(values, unit="", digits=None):
    """`median (min-max)`, or the one value."""
    if not values:
        return "-"
    text = number(median(values), digits)
    if len(values) > 1:
        text += f" ({number(min(values), digits)}-{number(max(values), digits)})"
    return text + unit


def number(value, digits=None):
    if digits is None:
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def repeat_spread(values):
    """How far repeats of one measurement lie apart: (max - min) / median."""
    return (max(values) - min(values)) / median(values) if len(values) > 1 and median(values) else 0.0


def ratio(ours, theirs):
    """Ratio of the medians, and its range over the rounds, paired."""
    each = [a / b for a, b in zip(ours, theirs)]
    return median(ours) / median(theirs), min(each), max(each)
