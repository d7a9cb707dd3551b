"""Call data, speech mechanics, days and months."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from qa.intake.rules import CallDataRefused, call_data, nested, without_cards
from qa.months import Month, MonthRefused, day_bounds
from qa.people.rules import ALLOWED, may, password_fault
from qa.people.types import User, UserFault
from qa.states import Role
from qa.tables.base import UtcDateTime
from qa.transcription.rules import measure, merged
from qa.transcription.types import Span, Transcript

ROME = ZoneInfo("Europe/Rome")


def test_columns_that_are_not_ours_are_kept_by_level():
    assert nested({"file": "a.wav", "ticket.number": "7", "ticket.closed": "", "mood": "x"}) == {
        "ticket": {"number": "7"},
        "mood": "x",
    }


def test_a_time_without_a_zone_is_read_in_the_reporting_zone():
    assert call_data({"started_at": "2026-11-03 09:00"}, zone=ROME).started_at == datetime(
        2026, 11, 3, 8, 0, tzinfo=UTC
    )
    assert call_data({"started_at": "2026-11-03T09:00:00+00:00"}, zone=ROME).started_at == datetime(
        2026, 11, 3, 9, 0, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"started_at": "yesterday"}, "2026-11-03"),
        ({"duration": "long"}, "seconds"),
        ({"duration": "nan"}, "seconds"),
        ({"duration": "-5"}, "seconds"),
        ({"direction": "up"}, "inbound"),
        ({"language": "de"}, "en, it or zh"),
        ({"agent": "x" * 100}, "longer"),
        ({"customer": "a\x00b"}, "control"),
    ],
)
def test_call_data_that_cannot_be_read_says_what_to_write(row, word):
    with pytest.raises(CallDataRefused, match=word):
        call_data(row, zone=ROME)


def test_months_begin_at_local_midnight_also_when_the_clock_changes():
    begin, end = Month("2026-03").bounds(ROME)
    assert (end.astimezone(UTC) - begin.astimezone(UTC)).total_seconds() == 743 * 3600
    begin, end = Month("2026-12").bounds(ROME)
    assert end.year == 2027
    begin, end = day_bounds(date(2026, 10, 25), ROME)
    assert (end.astimezone(UTC) - begin.astimezone(UTC)).total_seconds() == 25 * 3600


@pytest.mark.parametrize("month", ["2026-13", "2026", "november", "2026-11-01", "", "9999-12-12"])
def test_what_is_no_month_is_refused(month):
    with pytest.raises(MonthRefused):
        Month(month).bounds(ROME)


def test_months_are_counted_over_years():
    assert (
        Month("2026-01").previous(),
        Month("2026-12").next(),
        Month("2026-03").previous(14),
    ) == (
        "2025-12",
        "2027-01",
        "2025-01",
    )


def test_a_naive_time_never_reaches_the_database():
    with pytest.raises(ValueError, match="without a zone"):
        # that is the point
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), None)  # noqa: DTZ001


def span(start: float, end: float) -> Span:
    return Span(start=start, end=end)


def test_overlap_silence_and_interruptions_are_measured_from_turns():
    call = Transcript.model_validate(
        {
            "language": "en",
            "duration": 20,
            "utterances": [{"speaker": "agent", "start": 0, "end": 5, "text": "one moment please"}],
        }
    )
    m = measure(call, [span(0, 5), span(12, 14)], [span(4, 6), span(10.5, 13)])
    assert m.overlap_share == pytest.approx(2 / 20)
    assert [(s.start, s.end) for s in m.silences] == [(6, 10.5), (14, 20)]
    assert [s.start for s in m.holds] == [6], "a silence after the agent announced it is a hold"
    assert [s.start for s in m.customer.interruptions] == [4]
    assert [s.start for s in m.agent.interruptions] == [12]


def test_spans_are_joined_over_small_gaps():
    assert merged([span(3, 4), span(0, 1), span(1.2, 2)], gap=0.3) == [span(0, 2), span(3, 4)]


def user(role: Role, active: bool = True) -> User:
    return User(1, "u", "U", role, "en", "light", 1, 1, active)


def test_a_disabled_user_may_nothing():
    assert not any(may(user(role, active=False), p) for role in Role for p in ALLOWED[role])


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", UserFault.TOO_SHORT),
        ("x" * 201, UserFault.TOO_LONG),
        ("elena-is-great", UserFault.LIKE_THE_NAME),
        ("correct horse", None),
    ],
)
def test_passwords(password, fault):
    assert password_fault(password, "elena") == fault


# call data without payment cards


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("4111 1111 1111 1111", "••• 1111"),
        ("card 5500-0055-5555-5559 until 12/27", "card ••• 5559 until 12/27"),
        ("2223003122003222", "••• 3222"),  # the newer numbers of Mastercard
        ("378282246310005.", "••• 0005."),
        (4111111111111111, "••• 1111"),
        ("3 4111111111111111 5500005555555559 7", "3 ••• 1111 ••• 5559 7"),
        ("tel 02 4111 1111 1111 1111", "tel 02 ••• 1111"),
        ("2026110312345678", "2026110312345678"),  # a ticket
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),  # no card has this check digit
        ("+39 02 1234567890", "+39 02 1234567890"),
        ("+34 91 1234 5678 03", "+34 91 1234 5678 03"),
        ("1.4111111111111111", "1.4111111111111111"),
        (1.5, 1.5),
        (True, True),
        (None, None),
        (12, 12),
    ],
)
def test_the_number_of_a_payment_card_is_hidden_in_call_data_and_other_numbers_stay(said, kept):
    assert without_cards(said) == kept and type(without_cards(said)) is type(kept)


def test_what_a_field_calls_a_code_or_a_pin_is_hidden_whatever_it_is():
    row = {
        "file": "a.wav",
        "customer": "C-7, 4111111111111111",
        "payment.cvv": "123",
        "payment.PIN": "9",
        "payment.card_number": "x",
        "安全码": "321",
        "span": "7",
        "company": "Pan spa",
        "cid": "77",
        "empty.cvv": "",
    }
    made = call_data(row, zone=ROME)
    assert made.customer == "C-7, ••• 1111"
    assert made.details == {
        "payment": {"cvv": "•••", "PIN": "•••", "card_number": "•••"},
        "安全码": "•••",
        "span": "7",
        "cid": "77",
    }
    assert made.company == "Pan spa"
    with pytest.raises(CallDataRefused, match="external_id holds the number of a payment card"):
        call_data({"external_id": "call 4111111111111111"}, zone=ROME)


@given(
    st.integers(10**11, 10**14 - 1),
    st.sampled_from(["4", "51", "34", "62", "6011"]),
    st.text(alphabet="0123456789 -x", max_size=12),
)
def test_a_valid_card_never_stays_however_it_is_written(middle, issuer, before):
    digits = issuer + str(middle)
    digits += luhn.calc_check_digit(digits)
    for written in (
        digits,
        " ".join(digits[i : i + 4] for i in range(0, len(digits), 4)),
        "-".join(digits[i : i + 4] for i in range(0, len(digits), 4)),
    ):
        assert re.sub(r"\D", "", written) not in re.sub(
            r"\D", "", without_cards(f"{before.rstrip('0123456789')} {written}")
        )


def test_of_very_many_digits_every_card_is_found():
    assert without_cards("4111111111111111 " * 2000) == "••• 1111 " * 2000
    assert without_cards("1" * 100_000) == "1" * 100_000
