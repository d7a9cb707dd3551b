"""Draw charts as SVG that can be read in black and white, on the page and on paper. Pure.

Every chart has its words as `title` and stands beside a table with the same figures. Colours are
`currentColor`, so a dark page and white paper both fit.
"""

import math
from collections.abc import Callable, Sequence
from html import escape as quoted

from qa.publishing.workbook import CONTROL
from qa.reporting.types.estimate import Estimate

Number = Callable[[float], str]
WIDTH = 640
FAINT = 'stroke="currentColor" stroke-opacity=".22"'
DASHED = 'stroke="currentColor" stroke-opacity=".6" stroke-dasharray="4 3"'


def intervals(
    rows: Sequence[tuple[str, Estimate]],
    *,
    title: str,
    number: Number,
    target: float | None = None,
    most: int = 40,
) -> str:
    """Draw one line per name: the interval as a bar, the estimate as a block, the target dashed."""
    drawn = [(name, estimate) for name, estimate in rows if estimate.value is not None][:most]
    if not drawn:
        return ""
    ends = [
        end for _, estimate in drawn for end in (estimate.low, estimate.high) if end is not None
    ]
    if target is not None:
        ends.append(target)
    scale = _Scale.over(ends, 190, WIDTH - 60)
    height = 24 + 18 * len(drawn)
    parts = [_grid(scale, 14, height - 14, number)]
    if target is not None:
        parts.append(
            f'<line x1="{scale(target):.1f}" x2="{scale(target):.1f}" y1="8" y2="{height - 14}"'
            f' {DASHED} stroke-width="1.5"/>'
        )
    for i, (name, estimate) in enumerate(drawn):
        y, value = 20 + 18 * i, estimate.value or 0.0
        low, high = estimate.low or 0.0, estimate.high or 0.0
        parts.append(_text(182, y + 4, _short(name, 30), "end"))
        parts.append(
            f'<line x1="{scale(low):.1f}" x2="{scale(high):.1f}" y1="{y}" y2="{y}"'
            ' stroke="currentColor" stroke-width="2.5"/>'
        )
        parts.append(
            f'<rect x="{scale(value) - 2.5:.1f}" y="{y - 6}" width="5" height="12"'
            ' fill="currentColor"/>'
        )
        parts.append(_text(WIDTH - 4, y + 4, number(value), "end"))
    return _svg(height, title, parts)


def trend(
    points: Sequence[tuple[str, Estimate, float | None, float | None, bool]],
    *,
    title: str,
    number: Number,
    target: float | None = None,
) -> str:
    """Draw months from left to right: estimates, intervals and dotted control limits.

    A month outside the limits is an open square.
    """
    drawn = [point for point in points if point[1].value is not None]
    if len(drawn) < 2:
        return ""
    ends: list[float] = [target] if target is not None else []
    for _, estimate, low, high, _ in drawn:
        ends += [limit for limit in (estimate.low, estimate.high, low, high) if limit is not None]
    height, left, right = 210, 44, WIDTH - 12
    scale = _Scale.over([max(0.0, min(100.0, limit)) for limit in ends], height - 30, 12)
    xs = [left + 16 + (right - left - 32) / (len(drawn) - 1) * i for i in range(len(drawn))]
    parts = [_levels(scale, left, right, number)]
    if target is not None:
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="{scale(target):.1f}" y2="{scale(target):.1f}"'
            f' {DASHED} stroke-width="1.5"/>'
        )
    for limits in ([low for _, _, low, _, _ in drawn], [high for _, _, _, high, _ in drawn]):
        line = " ".join(
            f"{x:.1f},{scale(max(0.0, min(100.0, limit))):.1f}"
            for x, limit in zip(xs, limits, strict=True)
            if limit is not None
        )
        dots = 'stroke-opacity=".55" stroke-dasharray="1 4" stroke-linecap="round" stroke-width="2"'
        parts.append(f'<polyline points="{line}" fill="none" stroke="currentColor" {dots}/>')
    path = " ".join(
        f"{x:.1f},{scale(point[1].value or 0.0):.1f}" for x, point in zip(xs, drawn, strict=True)
    )
    parts.append(
        f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="1.2"/>'
    )
    for x, (_, estimate, _, _, outside) in zip(xs, drawn, strict=True):
        y = scale(estimate.value or 0.0)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{scale(estimate.low or 0.0):.1f}"'
            f' y2="{scale(estimate.high or 0.0):.1f}" stroke="currentColor" stroke-width="2.5"/>'
        )
        mark = (
            'fill="none" stroke="currentColor" stroke-width="2"'
            if outside
            else 'fill="currentColor"'
        )
        size = 10 if outside else 7
        parts.append(
            f'<rect x="{x - size / 2:.1f}" y="{y - size / 2:.1f}" width="{size}" height="{size}"'
            f" {mark}/>"
        )
    parts.append(_months(xs, [point[0] for point in drawn], height, right - left))
    return _svg(height, title, parts)


def pareto(rows: Sequence[tuple[str, float]], *, title: str, number: Number, most: int = 10) -> str:
    """Draw what costs most as bars; the line adds them up to the whole."""
    drawn = [(name, value) for name, value in rows if value > 0][:most]
    whole = math.fsum(value for _, value in rows if value > 0)
    if not drawn or whole <= 0:
        return ""
    left, right, height = 230, WIDTH - 90, 30 + 20 * len(drawn)
    top = drawn[0][1]
    parts, total, line = [], 0.0, []
    for i, (name, value) in enumerate(drawn):
        y = 16 + 20 * i
        total += value
        parts.append(_text(left - 8, y + 4, _short(name, 36), "end"))
        parts.append(
            f'<rect x="{left}" y="{y - 6}" width="{(right - left) * value / top:.1f}" height="12"'
            ' fill="currentColor" fill-opacity=".45" stroke="currentColor"/>'
        )
        parts.append(_text(right + 8, y + 4, f"{number(value)}", "start"))
        parts.append(_text(WIDTH - 4, y + 4, f"{100 * total / whole:.0f} %", "end"))
        line.append(f"{left + (right - left) * total / whole:.1f},{y}")
    parts.append(
        f'<polyline points="{" ".join(line)}" fill="none" stroke="currentColor" stroke-width="1.2"'
        ' stroke-dasharray="4 3"/>'
    )
    return _svg(height, title, parts)


def funnel(
    points: Sequence[tuple[str, Estimate]],
    centre: float,
    factor: float,
    *,
    title: str,
    number: Number,
) -> str:
    """Draw teams by their standard error, the smallest on the right.

    Within the dotted lines they differ by chance.
    """
    drawn = [
        (name, estimate)
        for name, estimate in points
        if estimate.value is not None and estimate.standard_error
    ]
    if len(drawn) < 3:
        return ""
    errors = [estimate.standard_error or 0.0 for _, estimate in drawn]
    worst, best = max(errors) * 1.15, min(errors) * 0.85
    reach = 1.96 * math.sqrt(factor) * worst
    ends = [v for _, estimate in drawn if (v := estimate.value) is not None] + [
        max(0.0, centre - reach),
        min(100.0, centre + reach),
    ]
    height, left, right = 260, 44, WIDTH - 12
    scale = _Scale.over(ends, height - 14, 12)

    def x(error: float) -> float:
        return left + (right - left) * (worst - error) / max(worst - best, 1e-9)

    parts = [_levels(scale, left, right, number)]
    parts.append(
        f'<line x1="{left}" x2="{right}" y1="{scale(centre):.1f}" y2="{scale(centre):.1f}"'
        ' stroke="currentColor" stroke-width="1.2"/>'
    )
    for sign in (-1, 1):
        line = []
        for i in range(21):
            error = worst + (best - worst) * i / 20
            limit = centre + sign * 1.96 * math.sqrt(factor) * error
            line.append(f"{x(error):.1f},{scale(max(0.0, min(100.0, limit))):.1f}")
        parts.append(
            f'<polyline points="{" ".join(line)}" fill="none" stroke="currentColor"'
            ' stroke-dasharray="1 4" stroke-linecap="round" stroke-width="2"/>'
        )
    for name, estimate in drawn:
        value, error = estimate.value or 0.0, estimate.standard_error or 0.0
        outside = abs(value - centre) > 1.96 * math.sqrt(factor) * error
        mark = (
            'fill="none" stroke="currentColor" stroke-width="2"'
            if outside
            else 'fill="currentColor"'
        )
        parts.append(
            f'<circle cx="{x(error):.1f}" cy="{scale(value):.1f}" r="{5 if outside else 3.5}"'
            f" {mark}><title>{escape(name)}</title></circle>"
        )
        if outside or len(drawn) <= 8:
            end = x(error) > right - 90
            parts.append(
                _text(
                    x(error) + (-8 if end else 8),
                    scale(value) + 4,
                    _short(name, 18),
                    "end" if end else "start",
                )
            )
    return _svg(height, title, parts)


def scatter(
    points: Sequence[tuple[float, float]], *, title: str, across: str, up: str, number: Number
) -> str:
    """Draw two figures of each, one across and one up, both 0–100."""
    if not points:
        return ""
    height, left, right = 260, 44, WIDTH - 12
    xs, ys = (
        _Scale.over([x for x, _ in points], left + 8, right - 8),
        _Scale.over([y for _, y in points], height - 44, 12),
    )
    parts = [_levels(ys, left, right, number)]
    parts += [
        f'<line x1="{xs(tick):.1f}" x2="{xs(tick):.1f}" y1="12" y2="{height - 44}" {FAINT}/>'
        + _text(xs(tick), height - 30, number(tick), "middle")
        for tick in xs.ticks()
    ]
    parts += [
        f'<circle cx="{xs(x):.1f}" cy="{ys(y):.1f}" r="3.5" fill="none" stroke="currentColor"'
        ' stroke-width="1.5"/>'
        for x, y in points
    ]
    return _svg(
        height,
        title,
        [*parts, _text(right, height - 10, across, "end"), _text(left, height - 10, up, "start")],
    )


def spark(values: Sequence[tuple[float, float, float]], *, title: str) -> str:
    """Draw a small trend without axes: estimates as a line, the last interval as a bar."""
    if len(values) < 2:
        return ""
    scale = _Scale.over([end for triple in values for end in triple], 26, 4)
    xs = [4 + 84 / (len(values) - 1) * i for i in range(len(values))]
    line = " ".join(f"{x:.1f},{scale(triple[0]):.1f}" for x, triple in zip(xs, values, strict=True))
    last = values[-1]
    parts = [f'<polyline points="{line}" fill="none" stroke="currentColor" stroke-width="1.4"/>']
    parts.append(
        f'<line x1="{xs[-1]:.1f}" x2="{xs[-1]:.1f}" y1="{scale(last[1]):.1f}"'
        f' y2="{scale(last[2]):.1f}" stroke="currentColor" stroke-width="2"/>'
    )
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" class="spark" viewBox="0 0 92 30" width="92"'
        ' height="30" role="img"'
    )
    return f'{head} aria-label="{escape(title, quote=True)}">{"".join(parts)}</svg>'


def escape(text: str, *, quote: bool = False) -> str:
    """Escape text so that XML can hold it."""
    return quoted(CONTROL.sub(" ", text), quote=quote)


class _Scale:
    """A scale from values to places; its ends lie on round numbers within 0–100."""

    def __init__(self, low: float, high: float, start: float, end: float, step: float) -> None:
        self.low, self.high, self.start, self.end, self.step = low, high, start, end, step

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> "_Scale":
        low, high = max(0.0, min(values)), min(100.0, max(values))
        step = next(
            s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if (high - low) / s <= 7 or s == 50
        )
        low, high = (
            max(0.0, math.floor(low / step) * step),
            min(100.0, math.ceil(high / step) * step),
        )
        if high <= low:
            low, high = max(0.0, low - step), min(100.0, high + step)
        return cls(low, high, start, end, step)

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * share

    def ticks(self) -> list[float]:
        return [
            self.low + self.step * i
            for i in range(int(round((self.high - self.low) / self.step)) + 1)
        ]


def _grid(scale: _Scale, top: float, bottom: float, number: Number) -> str:
    return "".join(
        f'<line x1="{scale(tick):.1f}" x2="{scale(tick):.1f}" y1="{top - 4}" y2="{bottom}"'
        f" {FAINT}/>" + _text(scale(tick), bottom + 11, number(tick), "middle")
        for tick in scale.ticks()
    )


def _levels(scale: _Scale, left: float, right: float, number: Number) -> str:
    """Draw lines across at the ticks of an upright scale."""
    return "".join(
        f'<line x1="{left}" x2="{right}" y1="{scale(tick):.1f}" y2="{scale(tick):.1f}" {FAINT}/>'
        + _text(left - 6, scale(tick) + 4, number(tick), "end")
        for tick in scale.ticks()
    )


def _months(xs: Sequence[float], names: Sequence[str], height: float, width: float) -> str:
    """Write the names under a trend, as many as do not overlap; the last one always."""
    every = max(1, math.ceil(len(names) * 62 / width))
    return "".join(
        _text(x, height - 8, name, "middle")
        for i, (x, name) in enumerate(zip(xs, names, strict=True))
        if (len(names) - 1 - i) % every == 0
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="11"'
        f' fill="currentColor">{escape(text)}</text>'
    )


def _short(text: str, most: int) -> str:
    """Cut a name to a width; a Chinese sign is as wide as two letters."""
    room = most
    for index, char in enumerate(text):
        room -= 2 if ord(char) > 0x2E80 else 1
        if room < 0:
            return text[:index].rstrip() + "…"
    return text


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {height:.0f}"'
        f' width="{WIDTH}" height="{height:.0f}" role="img"'
    )
    return f'{head} aria-label="{escape(title, quote=True)}">{"".join(parts)}</svg>'
