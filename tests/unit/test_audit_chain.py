"""The chain of events: what a changed, missing, added or rewritten line looks like."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from qa.audit.rules import digest, faults, parse_head
from qa.audit.types import Damage, Head, Line

START = datetime(2026, 11, 1, tzinfo=UTC)


def chain(n: int, *, what="opened") -> tuple[list[Line], Head]:
    lines, before = [], ""
    for i in range(1, n + 1):
        content = {
            "at": START + timedelta(seconds=i),
            "actor_id": i % 3 or None,
            "subject": "call",
            "subject_id": i,
            "what": what,
            "detail": {"p": i / 7, "名": "è"},
        }
        before = digest(before, event_id=i, **content)
        lines.append(Line(i, digest=before, **content))
    return lines, Head(n, before)


def test_a_whole_chain_has_no_faults():
    lines, head = chain(50)
    assert list(faults(lines, head)) == []
    assert list(faults([], Head(0, ""))) == []


def test_every_one_of_a_thousand_tamperings_is_found_where_it_was_done():
    lines, head = chain(60)
    rng = random.Random(4)
    for _ in range(1000):
        i = rng.randrange(60)
        damaged = list(lines)
        kind = rng.choice(
            ["what", "detail", "actor_id", "subject_id", "at", "remove", "swap", "forge"]
        )
        if kind == "remove":
            del damaged[i]
            expected = {(Damage.MISSING, i + 1)}
        elif kind == "swap":
            j = (i + 1) % 60
            damaged[i], damaged[j] = replace(lines[j], id=i + 1), replace(lines[i], id=j + 1)
            expected = {(Damage.CHANGED, i + 1)}
        elif kind == "forge":  # with a digest that fits the line itself
            before = lines[i - 1].digest if i else ""
            forged = replace(lines[i], what="nothing")
            damaged[i] = replace(
                forged,
                digest=digest(
                    before,
                    event_id=i + 1,
                    **{
                        k: getattr(forged, k)
                        for k in ("at", "actor_id", "subject", "subject_id", "what", "detail")
                    },
                ),
            )
            expected = {(Damage.CHANGED, min(i + 2, 60))}
        else:
            other = {"what": "x", "detail": {}, "actor_id": 99, "subject_id": 0, "at": START}[kind]
            damaged[i] = replace(lines[i], **{kind: other})
            expected = {(Damage.CHANGED, i + 1)}
        found = {(f.damage, f.event_id) for f in faults(damaged, head)}
        assert expected <= found, kind


def test_lines_cut_off_at_the_end_or_put_in_after_it_are_found():
    lines, head = chain(10)
    assert [(f.damage, f.event_id) for f in faults(lines[:8], head)] == [
        (Damage.MISSING, 9),
        (Damage.MISSING, 10),
    ]
    longer, _ = chain(11)
    assert (Damage.ADDED, 11) in {(f.damage, f.event_id) for f in faults(longer, head)}


def test_a_history_written_anew_shows_only_against_a_head_noted_elsewhere():
    _, noted = chain(10)
    lines, head = chain(12, what="forged")
    assert list(faults(lines, head)) == []
    assert [(f.damage, f.event_id) for f in faults(lines, head, noted=noted)] == [
        (Damage.OTHER_HISTORY, 10)
    ]
    grown, end = chain(12)
    assert list(faults(grown, end, noted=noted)) == []


@pytest.mark.parametrize("text", ["", "12", "12:abc", "x:" + "0" * 64, "12:" + "g" * 64])
def test_a_head_that_cannot_be_read_says_how_one_looks(text):
    with pytest.raises(ValueError, match="qa audit head"):
        parse_head(text)


def test_a_head_survives_being_written_down():
    _, head = chain(3)
    assert parse_head(f" {head}\n") == head
