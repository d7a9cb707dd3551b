"""Spoken card numbers and other private numbers in generated calls (simulated): how many are
masked, and how much else is.

python benchmarks/redaction.py [CALLS]
"""

import random
import sys
from collections import Counter
from dataclasses import dataclass, field

from stdnum import luhn

from qa.transcription.rules.redaction import redact
from qa.transcription.types import Transcript

UNITS = {
    "en": "zero one two three four five six seven eight nine".split(),
    "it": "zero uno due tre quattro cinque sei sette otto nove".split(),
    "zh": list("零一二三四五六七八九"),
}
EN_TENS = "ten twenty thirty forty fifty sixty seventy eighty ninety".split()
EN_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
IT_TENS = "dieci venti trenta quaranta cinquanta sessanta settanta ottanta novanta".split()
IT_TEENS = (
    "dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove"
).split()
ASK = {
    "en": [
        "Can I take your card number?",
        "What is the long number on the card, please?",
        "Please read me the credit card number.",
        "Go ahead with the card.",
    ],
    "it": [
        "Mi dà il numero della carta?",
        "Qual è il numero di carta, per favore?",
        "Mi legga il numero della carta di credito.",
    ],
    "zh": ["请报一下您的卡号。", "请问您的信用卡号码是多少？", "麻烦您念一下银行卡号。"],
}
ASK_CODE = {
    "en": ["And the security code?", "The three digits on the back?", "What is the CVV?"],
    "it": ["E il codice di sicurezza?", "Le tre cifre sul retro?", "Il CVV?"],
    "zh": ["背面的安全码呢？", "请报后三位。", "卡背面的三位数是多少？"],
}
LEAD = {
    "en": ["It is", "Yes,", "So,", "", "The number is", "Okay, that is"],
    "it": ["È", "Sì,", "Allora", "", "Il numero è", "Ecco,"],
    "zh": ["是", "好的，", "", "号码是", "嗯，"],
}
BETWEEN = {
    "en": ["uh", "then", "and then", "", "", "dash"],
    "it": ["ehm", "poi", "e poi", "", "", "trattino"],
    "zh": ["嗯", "然后", "", "", "杠"],
}
YES = {
    "en": ["Yes.", "Mhm.", "Okay.", "Go on."],
    "it": ["Sì.", "Mhm.", "Bene.", "Prego."],
    "zh": ["嗯。", "好。", "您说。"],
}
INNOCENT = {
    "en": [
        "My customer number is {5}.",
        "The ticket is {4}.",
        "I paid {2} euros on the {2} of May.",
        "My order is {6}.",
        "It broke at half past eight.",
    ],
    "it": [
        "Il mio codice cliente è {5}.",
        "Il ticket è {4}.",
        "Ho pagato {2} euro il {2} maggio.",
        "L'ordine è {6}.",
        "Si è rotto alle otto e mezza.",
    ],
    "zh": [
        "我的客户号码是{5}。",
        "工单号{4}。",
        "我五月{2}号付了{2}块。",
        "订单是{6}。",
        "八点半坏的。",
    ],
}


@dataclass
class Call:
    """A generated call.

    `secret` are the places (utterance, words from, to) that must be masked, by kind.
    """

    language: str
    turns: list[tuple[str, list[str]]] = field(default_factory=list)
    secret: list[tuple[str, int, int, int]] = field(default_factory=list)

    def say(self, who: str, words: list[str]) -> int:
        self.turns.append((who, words))
        return len(self.turns) - 1


def numbers(digits: str, language: str, rng: random.Random) -> list[str]:
    """The words of some digits: one by one, in pairs, doubled, or as a recogniser writes them."""
    style = rng.random()
    if style < 0.18:
        return [digits] if language != "zh" else list(digits)
    if style < 0.35 and language != "zh" and len(digits) % 2 == 0:
        return [w for i in range(0, len(digits), 2) for w in pair(digits[i : i + 2], language)]
    out: list[str] = []
    i = 0
    while i < len(digits):
        if (
            language in ("en", "it")
            and i + 1 < len(digits)
            and digits[i] == digits[i + 1]
            and rng.random() < 0.5
        ):
            out += ["double" if language == "en" else "doppio", UNITS[language][int(digits[i])]]
            i += 2
            continue
        word = UNITS[language][int(digits[i])]
        if language == "zh" and digits[i] == "1" and rng.random() < 0.5:
            word = "幺"
        if language == "en" and digits[i] == "0" and rng.random() < 0.5:
            word = "oh"
        if language == "en" and i and rng.random() < 0.02:
            word = {"4": "for", "2": "to", "1": "won", "8": "ate"}.get(digits[i], word)
        out.append(word)
        i += 1
    return out


def pair(two: str, language: str) -> list[str]:
    tens, unit = int(two[0]), int(two[1])
    if tens == 0:
        return [UNITS[language][0], UNITS[language][unit]]
    if tens == 1:
        return [(EN_TEENS if language == "en" else IT_TEENS)[unit]]
    if language == "en":
        return [EN_TENS[tens - 1]] + ([UNITS["en"][unit]] if unit else [])
    stem = IT_TENS[tens - 1]
    return [stem if not unit else (stem[:-1] if unit in (1, 8) else stem) + UNITS["it"][unit]]


def words(text: str, language: str) -> list[str]:
    return list(text) if language == "zh" else text.split()


def card(rng: random.Random) -> str:
    length = rng.choice((16, 16, 16, 16, 15, 19, 13))
    body = rng.choice("3456") + "".join(rng.choice("0123456789") for _ in range(length - 2))
    return body + luhn.calc_check_digit(body)


def generate(language: str, seed: int) -> Call:
    rng = random.Random(seed)
    call = Call(language)
    innocent(call, rng)
    call.say("agent", words(rng.choice(ASK[language]), language))
    number = card(rng)
    size = rng.choice((4, 4, 4, 2, 16))
    groups = [number[i : i + size] for i in range(0, len(number), size)]
    pending = words(rng.choice(LEAD[language]), language)
    split = rng.random()
    marks: list[tuple[int, int]] = []
    for i, group in enumerate(groups):
        begin = len(pending)
        pending = pending + numbers(group, language, rng)
        marks.append((begin, len(pending)))
        last = i == len(groups) - 1
        if last or (split < 0.6 and rng.random() < 0.5):
            place = call.say("customer", pending)
            call.secret += [("card", place, a, b) for a, b in marks]
            pending, marks = [], []
            if not last:
                call.say("agent", words(rng.choice(YES[language]), language))
        elif rng.random() < 0.3:
            pending = pending + words(rng.choice(BETWEEN[language]), language)
    call.say("agent", words(rng.choice(ASK_CODE[language]), language))
    lead = words(rng.choice(LEAD[language]), language)
    code = numbers("".join(rng.choice("0123456789") for _ in range(3)), language, rng)
    call.secret.append(("cvv", call.say("customer", lead + code), len(lead), len(lead) + len(code)))
    innocent(call, rng, after=True)
    return call


def innocent(call: Call, rng: random.Random, *, after: bool = False) -> None:
    for sentence in rng.sample(INNOCENT[call.language], 2):
        if after:
            call.say(
                "agent",
                words(
                    {
                        "en": (
                            "Thank you, the payment has gone through and your order will be sent"
                            " out."
                        ),
                        "it": "Grazie, il pagamento è andato a buon fine e l'ordine partirà.",
                        "zh": "谢谢，付款成功，订单会尽快发出。",
                    }[call.language],
                    call.language,
                ),
            )
            return
        out: list[str] = []
        for part in sentence.replace("{", "|{").replace("}", "}|").split("|"):
            if part.startswith("{"):
                out += numbers(
                    "".join(rng.choice("123456789") for _ in range(int(part[1:-1]))),
                    call.language,
                    rng,
                )
            else:
                out += words(part.strip(), call.language)
        call.say("customer", out)


def transcript(call: Call) -> Transcript:
    at, utterances = 0.5, []
    for who, spoken in call.turns:
        times = [(at + 0.35 * i, at + 0.35 * (i + 1)) for i in range(len(spoken))]
        utterances.append(
            {
                "speaker": who,
                "start": at,
                "end": at + 0.35 * len(spoken),
                "text": ("" if call.language == "zh" else " ").join(spoken),
                "words": [
                    {"start": a, "end": b, "text": w}
                    for w, (a, b) in zip(spoken, times, strict=True)
                ],
            }
        )
        at += 0.35 * len(spoken) + 0.6
    return Transcript.model_validate(
        {"language": call.language, "duration": at, "utterances": utterances}
    )


def measure(language: str, calls: int) -> Counter[str]:
    """Numbers by kind, those masked whole, innocent words and those masked."""
    counts: Counter[str] = Counter()
    for seed in range(calls):
        call = generate(language, seed)
        before = transcript(call)
        masked = redact(before).redactions
        whole: dict[str, bool] = {}
        secret = set()
        for kind, place, a, b in call.secret:
            inside = before.utterances[place].words[a:b]
            secret |= {(place, i) for i in range(a, b)}
            hidden = all(any(r.start <= w.start and w.end <= r.end for r in masked) for w in inside)
            whole[kind] = whole.get(kind, True) and hidden
        for kind, hidden in whole.items():
            counts[kind] += 1
            counts[f"{kind} masked"] += hidden
        after = redact(before)
        for place, (u, v) in enumerate(zip(before.utterances, after.utterances, strict=True)):
            for i, w in enumerate(u.words):
                if (place, i) in secret:
                    continue
                counts["innocent"] += 1
                counts["innocent masked"] += not any(
                    x.start == w.start and x.text == w.text for x in v.words
                ) and any(x.start <= w.start < x.end and x.text[0] == "[" for x in v.words)
    return counts


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    for language in ("en", "it", "zh"):
        c = measure(language, calls)
        print(
            f"{language}: {calls} simulated calls: card numbers {c['card masked']}/{c['card']},"
            f" codes {c['cvv masked']}/{c['cvv']}, other words masked"
            f" {c['innocent masked']}/{c['innocent']}"
            f" ({100 * c['innocent masked'] / c['innocent']:.2f} %)"
        )


if __name__ == "__main__":
    main()
