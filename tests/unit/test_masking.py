"""Private numbers are masked in the words and silenced in the sound, in three languages; other
numbers stay.
"""

import pytest

from benchmarks.redaction import measure
from qa.transcription.rules.digits import runs
from qa.transcription.rules.redaction import MARGIN, redact
from qa.transcription.types import Transcript


def call(language, *turns):
    at, utterances = 0.0, []
    for who, words in turns:
        end = at + (0.25 * len(words) if language == "zh" else 0.35 * len(words.split()))
        utterances.append(
            {
                "speaker": {"A": "agent", "C": "customer"}[who],
                "start": at,
                "end": end,
                "text": words,
            }
        )
        at = end + 0.4
    return Transcript.model_validate(
        {"language": language, "duration": at, "utterances": utterances}
    )


def masked(language, *turns, **kwargs):
    after = redact(call(language, *turns), **kwargs)
    return [u.text for u in after.utterances], [r.kind for r in after.redactions]


@pytest.mark.parametrize(
    ("language", "words", "digits"),
    [
        ("en", "four five three nine", "4539"),
        ("en", "double four oh triple six", "440666"),
        ("en", "forty two sixteen ninety", "421690"),
        ("en", "one for two", "142"),
        ("it", "quarantacinque trentanove", "4539"),
        ("it", "doppio quattro ventuno zero", "44210"),
        ("it", "quattromilacinquecentotrentanove", "4539"),
        ("zh", "四五三九幺零", "453910"),
        ("en", "4539-1488", "45391488"),
    ],
)
def test_spoken_numbers_become_digits(language, words, digits):
    assert "".join(d.value for run in runs(words.split(), language) for d in run) == digits


CARDS = {
    "en": [
        ("A", "Can I take the card number?"),
        ("C", "four five three nine"),
        ("A", "yes"),
        ("C", "one four double eight oh three four three"),
        ("A", "mhm"),
        ("C", "six four six seven"),
    ],
    "it": [
        ("A", "Il numero della carta?"),
        ("C", "quarantacinque trentanove quattordici ottantotto"),
        ("A", "sì"),
        ("C", "zero tre quattro tre sei quattro sei sette"),
    ],
    "zh": [
        ("A", "请报一下卡号"),
        ("C", "四五三九一四八八"),
        ("A", "嗯"),
        ("C", "零三四三六四六七"),
    ],
}
CODES = {
    "en": [("A", "and the security code?"), ("C", "one two three")],
    "it": [("A", "e il codice di sicurezza?"), ("C", "uno due tre")],
    "zh": [("A", "安全码呢？"), ("C", "一二三")],
}


@pytest.mark.parametrize("language", ["en", "it", "zh"])
class TestCards:
    def test_a_card_split_over_turns_and_its_code_are_masked_whole(self, language):
        texts, kinds = masked(language, *CARDS[language], *CODES[language])
        assert set(kinds) == {"card", "cvv"}
        said = [
            t
            for (who, _), t in zip([*CARDS[language], *CODES[language]], texts, strict=True)
            if who == "C"
        ]
        assert all(t in ("[card]", "[cvv]") for t in said), texts

    def test_the_silenced_stretch_reaches_half_a_second_beyond_the_words(self, language):
        before = call(language, *CARDS[language])
        after = redact(before)
        spoken = [u for u in before.utterances if u.speaker == "customer"]
        assert after.redactions[0].start <= max(0.0, spoken[0].start - MARGIN) + 1e-6
        assert after.redactions[-1].end >= min(spoken[-1].end + MARGIN, before.duration) - 1e-6

    def test_what_the_agent_reads_back_is_masked_too(self, language):
        digits = CARDS[language][1][1]
        texts, _ = masked(language, *CARDS[language], ("A", digits))
        assert texts[-1] == "[card]"

    def test_innocent_numbers_stay(self, language):
        innocent = {
            "en": "my customer number is 48213 and I paid 30 euros",
            "it": "il codice cliente è 48213 e ho pagato 30 euro",
            "zh": "客户号码是48213，付了30块",
        }
        assert masked(language, ("C", innocent[language])) == ([innocent[language]], [])

    def test_at_least_99_of_100_generated_numbers_are_masked_and_little_else(self, language):
        found = measure(language, 120)
        assert (
            found["card masked"] >= 0.99 * found["card"]
            and found["cvv masked"] >= 0.99 * found["cvv"]
        )
        assert found["innocent masked"] <= 0.02 * found["innocent"]


@pytest.mark.parametrize(
    ("language", "words", "kind"),
    [
        ("it", "il mio codice fiscale è RSSMRA85T10A562S", "id"),
        ("it", "l'IBAN è IT60X0542811101000000123456", "iban"),
        ("zh", "身份证号是11010519491231002X", "id"),
        ("en", "call me on 07911 123456", "phone"),
        ("it", "il cellulare è 333 1234567", "phone"),
        ("zh", "手机一三八一二三四五六七八", "phone"),
        ("en", "write to anna.smith@example.com please", "email"),
        ("en", "it is anna dot smith at blue mail dot com", "email"),
        ("it", "mario punto rossi chiocciola posta punto it", "email"),
    ],
)
def test_accounts_identities_telephones_and_addresses_are_masked(language, words, kind):
    texts, kinds = masked(language, ("C", words))
    assert kind in kinds and f"[{kind}]" in texts[0]


def test_configured_names_are_masked_whole_and_alone():
    assert masked(
        "en", ("C", "this is Anna Smith speaking, not Anna Smithson"), names=["anna smith"]
    )[0] == ["this is [name] speaking, not Anna Smithson"]


def test_word_times_survive_masking_and_masking_twice_changes_nothing():
    once = redact(call("en", *CARDS["en"]))
    assert all(w.start <= w.end for u in once.utterances for w in u.words)
    assert redact(once).utterances == once.utterances
