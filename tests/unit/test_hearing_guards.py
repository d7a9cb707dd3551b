"""What a speech model invents is left out; windows, coverage, speakers and mechanics are
arithmetic.
"""

import numpy as np
import pytest

from qa.checking.rules import check_call
from qa.engines import guards
from qa.engines.acoustics import LINE_FEATURES
from qa.engines.speakers import SPEAKER_FEATURES, VoiceSpan, agent_voice, voice_of
from qa.engines.speech import coverage, packed
from qa.forms.reader import read_form
from qa.transcription.rules import measure
from qa.transcription.types import Quality, Span, Transcript, Word


def words(text: str, seconds: float = 0.3) -> list[Word]:
    return [
        Word(start=i * seconds, end=(i + 1) * seconds, text=w) for i, w in enumerate(text.split())
    ]


def spans(*pairs):
    return [Span(start=a, end=b) for a, b in pairs]


def test_what_is_said_more_than_three_times_in_a_row_is_kept_three_times():
    assert [w.text for w in guards.without_loops(words("yes yes yes yes yes yes no"))] == [
        "yes",
        "yes",
        "yes",
        "no",
    ]
    assert len(guards.without_loops(words("thank you very much " * 9))) == 12
    assert len(guards.without_loops(words("one two three four five"))) == 5


@pytest.mark.parametrize(
    ("text", "language", "log_probability", "no_speech", "compression", "invented"),
    [
        ("Thanks for watching!", "en", -1.2, 0.1, 1.0, True),
        ("Thanks for watching over my account", "en", -0.2, 0.1, 1.0, False),
        ("字幕由志愿者提供", "zh", -0.3, 0.8, 1.0, True),
        ("ok ok ok ok ok ok ok", "en", -0.1, 0.0, 3.0, True),
        ("Hello there", "en", -1.0, 0.9, 1.0, True),
        ("Buongiorno", "it", -0.3, 0.2, 1.0, False),
    ],
)
def test_segments_over_silence_loops_and_subtitle_phrases_are_not_believed(
    text, language, log_probability, no_speech, compression, invented
):
    assert (
        guards.is_invented(
            text,
            language,
            log_probability=log_probability,
            no_speech=no_speech,
            compression=compression,
        )
        is invented
    )


def test_nobody_speaks_twenty_words_a_second():
    assert guards.is_too_fast(words("a b c d e f g h i j", 0.05), "en")
    assert not guards.is_too_fast(words("a b c d e f g h i j", 0.4), "en")


def test_windows_hold_all_speech_and_are_never_longer_than_the_model():
    speech = spans((0.5, 3), (3.4, 6), (9, 31), (50, 50.4))
    clips = packed(speech, 10.0)
    assert all(c.seconds <= 10.0 + 1e-9 for c in clips)
    assert all(
        any(c.start <= s.start + k / 10 <= c.end for c in clips)
        for s in speech
        for k in range(int(s.seconds * 10))
    )


def test_coverage_is_the_share_of_speech_that_became_words():
    assert coverage([], []) == 1.0
    assert coverage([], spans((0, 10))) == 0.0
    assert coverage(words("a b c d e f g h i j", 1.0), spans((0, 10))) == 1.0
    assert 0.3 < coverage(words("a b c", 1.0), spans((0, 10))) < 0.5


def test_words_go_to_the_voice_they_share_their_time_with_and_say_how_surely():
    voices = [VoiceSpan(0, 5, 0, 0.9), VoiceSpan(5, 9, 1, 0.8)]
    assert voice_of(Word(start=1, end=2, text="a"), voices) == (0, pytest.approx(0.9))
    voice, sure = voice_of(Word(start=4.5, end=5.5, text="a"), voices)
    assert sure < 0.6
    assert voice_of(Word(start=20, end=21, text="a"), voices) == (1, 0.5)


@pytest.mark.parametrize(
    ("language", "agent", "customer"),
    [
        (
            "en",
            "Thank you for calling Acme, my name is Sarah, how can I help you?",
            "My router is not working, can you help me?",
        ),
        (
            "it",
            "Linea Blu, sono Chiara, come posso aiutarla?",
            "Buongiorno, il mio modem non funziona.",
        ),
        ("zh", "感谢您致电蓝天电信，请问有什么可以帮您？", "我的网络连不上了。"),
    ],
)
def test_the_agent_is_known_by_what_is_said_whoever_speaks_first(language, agent, customer):
    for order in ([(0, customer), (1, agent)], [(1, agent), (0, customer)]):
        voice, sure = agent_voice(order, language)
        assert voice == 1 and sure > 0.75


def test_without_anything_to_go_by_the_agent_is_hardly_known():
    assert agent_voice([(0, "yes"), (1, "okay")], "en")[1] < 0.7


def test_nothing_of_a_voice_is_measured_but_what_tells_two_apart_within_a_call():
    assert SPEAKER_FEATURES == ("mfcc",)
    assert LINE_FEATURES == ("level_db", "noise_floor_db", "bandwidth_hz", "clipping_share")


def test_too_little_speech_to_tell_voices_apart_gives_none():
    from qa.engines.speakers import tell_apart

    assert tell_apart(np.zeros(16000, np.float32), []) == ()
    assert tell_apart(np.zeros(32000, np.float32), spans((0.5, 1.0))) == ()


def test_where_speech_did_not_become_words_nothing_counts_as_not_said():
    form = read_form(
        "form: f\nversion: 1\nlanguages: [en]\ntitle: F\nsections: [{id: s, title: S, criteria:"
        " [{id: c, title: C, scale: met_not_met, check: {says: {any: [good morning], by:"
        " agent}}}]}]"
    )
    call = {
        "language": "en",
        "duration": 9,
        "utterances": [
            {"speaker": "agent", "start": 0, "end": 4, "text": "let me look at that for you"}
        ],
    }
    for share, verdict in ((1.0, "not_met"), (0.8, "unsure")):
        heard = Transcript.model_validate({**call, "quality": Quality(coverage=share)})
        assert check_call(form, heard).findings[0].verdict.value == verdict


def test_interruptions_say_who_gave_way_and_answers_how_long_they_took():
    silent = Transcript(language="en", duration=30)
    m = measure(silent, spans((0, 5), (8.4, 12), (20, 24)), spans((5.5, 9), (12.3, 20.8)))
    assert [(i.start, i.yielded) for i in m.agent.interruptions] == [(8.4, True), (20, True)]
    assert m.customer.response_seconds == pytest.approx(0.4, abs=0.01)
    assert m.longest_silence is not None and m.longest_silence.seconds == pytest.approx(6)


def test_music_after_an_announced_wait_is_hold_even_where_it_was_taken_for_speech():
    call = Transcript.model_validate(
        {
            "language": "en",
            "duration": 40,
            "utterances": [
                {"speaker": "agent", "start": 0, "end": 3, "text": "one moment please"},
                {"speaker": "agent", "start": 25, "end": 28, "text": "I am back"},
            ],
        }
    )
    music = spans(*[(4 + k, 4.8 + k) for k in range(20)])
    assert [
        (h.start, h.end)
        for h in measure(call, [*spans((0, 3)), *music, *spans((25, 28))], []).holds
    ] == [(3, 25)]
