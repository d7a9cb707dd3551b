"""Charts as SVG that can be read in black and white: drawn once, the same on the page, in the file
and on paper. Pure.

Every chart has its words as `title` and stands beside a table with the same figures. Colours are
`currentColor`, so a dark page and white paper both fit.
"""

import math
from collections.abc import Callable, Sequence
from html import escape as quoted

from qa.reporting.types.estimate import Estimate
from qa.reporting.workbook import CONTROL

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
    """One line per name: the interval as a bar, the estimate as a block; the target as a dashed
    line.
    """
    known = [(n, e) for n, e in rows if e.value is not None][:most]
    if not known:
        return ""
    ends = [v for _, e in known for v in (e.low, e.high) if v is not None] + (
        [target] if target is not None else []
    )
    scale = _Scale.over(ends, 190, WIDTH - 60)
    height = 24 + 18 * len(known)
    parts = [_grid(scale, 14, height - 14, number)]
    if target is not None:
        parts.append(
            f'<line x1="{scale(target):.1f}" x2="{scale(target):.1f}" y1="8" y2="{height - 14}"'
            f' {DASHED} stroke-width="1.5"/>'
        )
    for i, (name, e) in enumerate(known):
        y, low, high, value = 20 + 18 * i, e.low or 0.0, e.high or 0.0, e.value or 0.0
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
    """Months from left to right: interval and estimate, control limits dotted, a month outside them
    as an open square.
    """
    known = [p for p in points if p[1].value is not None]
    if len(known) < 2:
        return ""
    ends: list[float] = [target] if target is not None else []
    for _, e, low, high, _ in known:
        ends += [v for v in (e.low, e.high, low, high) if v is not None]
    height, left, right = 210, 44, WIDTH - 12
    scale = _Scale.over([max(0.0, min(100.0, v)) for v in ends], height - 30, 12)
    xs = [left + 16 + (right - left - 32) / (len(known) - 1) * i for i in range(len(known))]
    parts = [_levels(scale, left, right, number)]
    if target is not None:
        parts.append(
            f'<line x1="{left}" x2="{right}" y1="{scale(target):.1f}" y2="{scale(target):.1f}"'
            f' {DASHED} stroke-width="1.5"/>'
        )
    for limits in ([low for _, _, low, _, _ in known], [high for _, _, _, high, _ in known]):
        line = " ".join(
            f"{x:.1f},{scale(max(0.0, min(100.0, v))):.1f}"
            for x, v in zip(xs, limits, strict=True)
            if v is not None
        )
        dots = 'stroke-opacity=".55" stroke-dasharray="1 4" stroke-linecap="round" stroke-width="2"'
        parts.append(f'<polyline points="{line}" fill="none" stroke="currentColor" {dots}/>')
    path = " ".join(
        f"{x:.1f},{scale(p[1].value or 0.0):.1f}" for x, p in zip(xs, known, strict=True)
    )
    parts.append(
        f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="1.2"/>'
    )
    for x, (_, e, _, _, outside) in zip(xs, known, strict=True):
        y = scale(e.value or 0.0)
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{scale(e.low or 0.0):.1f}"'
            f' y2="{scale(e.high or 0.0):.1f}" stroke="currentColor" stroke-width="2.5"/>'
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
    parts.append(_months(xs, [p[0] for p in known], height, right - left))
    return _svg(height, title, parts)


def pareto(rows: Sequence[tuple[str, float]], *, title: str, number: Number, most: int = 10) -> str:
    """What costs most, as bars; the line adds them up to the whole."""
    known = [(n, v) for n, v in rows if v > 0][:most]
    whole = math.fsum(v for _, v in rows if v > 0)
    if not known or whole <= 0:
        return ""
    left, right, height = 230, WIDTH - 90, 30 + 20 * len(known)
    top = known[0][1]
    parts, total, line = [], 0.0, []
    for i, (name, v) in enumerate(known):
        y = 16 + 20 * i
        total += v
        parts.append(_text(left - 8, y + 4, _short(name, 36), "end"))
        parts.append(
            f'<rect x="{left}" y="{y - 6}" width="{(right - left) * v / top:.1f}" height="12"'
            ' fill="currentColor" fill-opacity=".45" stroke="currentColor"/>'
        )
        parts.append(_text(right + 8, y + 4, f"{number(v)}", "start"))
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
    """Teams by how sure their figure is: the better known, the further right; within the dotted
    lines they differ by chance.
    """
    known = [(n, e) for n, e in points if e.value is not None and e.standard_error]
    if len(known) < 3:
        return ""
    errors = [e.standard_error or 0.0 for _, e in known]
    worst, best = max(errors) * 1.15, min(errors) * 0.85
    reach = 1.96 * math.sqrt(factor) * worst
    ends = [v for _, e in known if (v := e.value) is not None] + [
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
    for name, e in known:
        value, error = e.value or 0.0, e.standard_error or 0.0
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
        if outside or len(known) <= 8:
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
    """Two figures of each, one across and one up, both 0–100."""
    if not points:
        return ""
    height, left, right = 260, 44, WIDTH - 12
    xs, ys = (
        _Scale.over([x for x, _ in points], left + 8, right - 8),
        _Scale.over([y for _, y in points], height - 44, 12),
    )
    parts = [_levels(ys, left, right, number)]
    parts += [
        f'<line x1="{xs(t):.1f}" x2="{xs(t):.1f}" y1="12" y2="{height - 44}" {FAINT}/>'
        + _text(xs(t), height - 30, number(t), "middle")
        for t in xs.ticks()
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
    """A small trend without axes: estimates as a line, the last interval as a bar."""
    if len(values) < 2:
        return ""
    scale = _Scale.over([v for triple in values for v in triple], 26, 4)
    xs = [4 + 84 / (len(values) - 1) * i for i in range(len(values))]
    line = " ".join(f"{x:.1f},{scale(v[0]):.1f}" for x, v in zip(xs, values, strict=True))
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
    """Text as XML can hold it."""
    return quoted(CONTROL.sub(" ", text), quote=quote)


class _Scale:
    """From values to places; its ends lie on round numbers within 0–100."""

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
        f'<line x1="{scale(t):.1f}" x2="{scale(t):.1f}" y1="{top - 4}" y2="{bottom}" {FAINT}/>'
        + _text(scale(t), bottom + 11, number(t), "middle")
        for t in scale.ticks()
    )


def _levels(scale: _Scale, left: float, right: float, number: Number) -> str:
    """Lines across at the ticks of an upright scale."""
    return "".join(
        f'<line x1="{left}" x2="{right}" y1="{scale(t):.1f}" y2="{scale(t):.1f}" {FAINT}/>'
        + _text(left - 6, scale(t) + 4, number(t), "end")
        for t in scale.ticks()
    )


def _months(xs: Sequence[float], names: Sequence[str], height: float, width: float) -> str:
    """The names under a trend, as many as do not run into each other; the last one always."""
    every = max(1, math.ceil(len(names) * 62 / width))
    return "".join(
        _text(x, height - 8, name, "middle")
        for i, (x, name) in enumerate(zip(xs, names, strict=True))
        if (len(names) - 1 - i) % every == 0
    )


def _text(x: float, y: float, said: str, anchor: str) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="11"'
        f' fill="currentColor">{escape(said)}</text>'
    )


def _short(text: str, most: int) -> str:
    room, out = most, ""
    for c in text:
        room -= 2 if ord(c) > 0x2E80 else 1
        if room < 0:
            return out.rstrip() + "…"
        out += c
    return out


def _svg(height: float, title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {WIDTH} {height:.0f}"'
        f' width="{WIDTH}" height="{height:.0f}" role="img"'
    )
    return f'{head} aria-label="{escape(title, quote=True)}">{"".join(parts)}</svg>'
