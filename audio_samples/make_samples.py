"""Make the demo calls again: `python audio_samples/make_samples.py` (needs espeak-ng; the calls
themselves are in the repository).

Each call is a dialogue below, spoken by two synthetic voices, laid out in time, band-limited to the
telephone band and written as stereo 8 kHz µ-law WAV (agent left, customer right), with the words
really spoken and their times, the call data and the findings expected. All of it is simulated
speech; nobody's voice is in it.
"""

import csv
import ctypes
import json
import random
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from pypinyin import Style, lazy_pinyin

HERE = Path(__file__).parent
RATE = 16_000
ESPEAK_RATE = 22_050
PHONEME, END = 7, 0
VOICES = {
    "en": ("en-us+f3", "en-gb-x-rp+m3", "en-us+m1", "en-us+f2", "en-gb-x-rp+m1", "en-us+m4"),
    "it": ("it+f2", "it+m2", "it+m1", "it+f3", "it+m4", "it+f1"),
    "zh": (
        "cmn-latn-pinyin+f1",
        "cmn-latn-pinyin+m4",
        "cmn-latn-pinyin+m1",
        "cmn-latn-pinyin+f3",
        "cmn-latn-pinyin+m2",
        "cmn-latn-pinyin+f2",
    ),
}


@dataclass(frozen=True)
class Call:
    """`turns`: who (A agent, C customer, H hold), words, pause before in seconds (negative: cuts
    in). `expected`: verdicts that a reader gives.
    """

    name: str
    language: str
    voices: tuple[int, int]
    rates: tuple[int, int]
    data: dict[str, Any]
    form: str
    turns: tuple[tuple[str, str, float], ...]
    expected: dict[str, str] = field(default_factory=dict)


MET, NOT, NA = "met", "not_met", "not_applicable"
POLITE = {"opening.greeting": MET, "opening.introduction": MET, "opening.offers_help": MET}
CLOSES = {"closing.further_help": MET, "closing.thanks": MET, "closing.farewell": MET}

CALLS = (
    Call(
        "en_router_fault",
        "en",
        (0, 1),
        (160, 158),
        {"agent": "sarah.miles", "customer": "48213", "queue": "service"},
        "customer_service",
        (
            (
                "A",
                (
                    "Good morning, thank you for calling Acme Telecom, my name is Sarah, how can I"
                    " help you?"
                ),
                0.6,
            ),
            ("C", "Hello, my router is not working since yesterday, can you help me?", 0.5),
            (
                "A",
                (
                    "I am sorry to hear that. Can I take your full name and your customer number,"
                    " please?"
                ),
                0.4,
            ),
            ("C", "Yes, I am Peter Walker, and my customer number is 48213.", 0.6),
            (
                "A",
                (
                    "Thank you, Peter, I have found your account. May I place you on hold for a"
                    " moment?"
                ),
                0.5,
            ),
            ("C", "Yes, that is fine.", 0.4),
            ("H", "", 9.0),
            (
                "A",
                "I am back, thank you for holding. There is a fault on the line in Bristol today.",
                0.3,
            ),
            ("C", "When will it be solved?", 0.5),
            (
                "A",
                "It should be solved by noon. I have opened a ticket for you, the number is 7745.",
                0.5,
            ),
            ("C", "Okay, thank you, you have been very helpful.", 0.4),
            ("A", "Is there anything else I can help you with today?", 0.4),
            ("C", "No, thank you. Bye bye.", 0.4),
            ("A", "Thank you for calling Acme Telecom, have a nice day, goodbye.", 0.3),
        ),
        {
            **POLITE,
            **CLOSES,
            "identity.asked": MET,
            "request.confirmed": NOT,
            "hold.courtesy": MET,
            "resolution.next_steps": MET,
            "conduct.discourtesy": MET,
        },
    ),
    Call(
        "en_billing_rude_agent",
        "en",
        (4, 3),
        (175, 170),
        {"agent": "tom.baker", "customer": "20017", "queue": "service"},
        "customer_service",
        (
            ("A", "Hello, billing, what do you want?", 0.8),
            (
                "C",
                (
                    "I was charged fifty euros instead of thirty, and I have been waiting for half"
                    " an hour."
                ),
                0.5,
            ),
            ("A", "That is not my problem. You should have read the contract.", 0.3),
            ("C", "This is unacceptable. I want to speak to a manager right now.", -0.9),
            ("A", "Calm down, madam. There is nothing I can do for you.", 0.3),
            ("C", "Your service is terrible and you are a liar.", 0.3),
            ("A", "Shut up and listen to me. I do not care.", 0.2),
            ("H", "", 17.0),
            ("C", "Hello, can you hear me? I will cancel my contract and write a bad review.", 0.3),
            ("A", "Goodbye.", 0.5),
        ),
        {
            "opening.greeting": NOT,
            "opening.introduction": NOT,
            "opening.offers_help": NOT,
            "closing.further_help": NOT,
            "closing.thanks": NOT,
            "resolution.next_steps": NOT,
            "conduct.discourtesy": NOT,
            "conduct.silence": NOT,
        },
    ),
    Call(
        "en_rude_customer",
        "en",
        (2, 5),
        (158, 172),
        {"agent": "james.hall", "customer": "31108", "queue": "service"},
        "customer_service",
        (
            (
                "A",
                "Good afternoon, Acme Telecom, this is James speaking, how may I help you today?",
                0.6,
            ),
            ("C", "Your service is terrible. You are useless and nobody called me back.", 0.4),
            ("A", "I am very sorry about the delay. Could you tell me your customer number?", 0.5),
            (
                "C",
                (
                    "Shut up and listen to me. My internet connection keeps dropping and I do not"
                    " care about your questions."
                ),
                0.3,
            ),
            (
                "A",
                "I understand how frustrating this must be for you. Let me check that for you.",
                0.6,
            ),
            ("C", "This is a joke. I want to speak to a manager.", 0.3),
            (
                "A",
                "Somebody will call you back within two days. I have opened a ticket for you.",
                0.6,
            ),
            ("C", "All right.", 0.5),
            ("A", "Is there anything else I can help you with?", 0.4),
            ("C", "No.", 0.4),
            ("A", "Thank you for calling, have a nice day.", 0.4),
        ),
        {
            **POLITE,
            "closing.further_help": MET,
            "closing.thanks": MET,
            "closing.farewell": MET,
            "identity.asked": MET,
            "resolution.next_steps": MET,
            "conduct.discourtesy": MET,
            "hold.courtesy": NA,
        },
    ),
    Call(
        "en_refund_middling",
        "en",
        (3, 4),
        (165, 160),
        {"agent": "tom.baker", "customer": "55310", "queue": "service"},
        "customer_service",
        (
            ("A", "Hello, what is your customer number?", 0.6),
            ("C", "Good morning, my order never arrived and I would like a refund, please.", 0.5),
            ("A", "Let me check. Please hold.", 0.4),
            ("C", "Okay.", 0.4),
            ("H", "", 8.0),
            ("A", "Your order was cancelled. We will refund sixty euros to your credit card.", 0.5),
            ("C", "How long will it take?", -0.6),
            ("A", "The refund will take five business days.", 0.5),
            ("C", "Okay, thank you, goodbye.", 0.4),
            ("A", "Thank you for calling, goodbye.", 0.4),
        ),
        {
            "opening.greeting": NOT,
            "opening.introduction": NOT,
            "opening.offers_help": NOT,
            "identity.asked": MET,
            "hold.courtesy": NOT,
            "resolution.next_steps": MET,
            "closing.further_help": NOT,
            "closing.thanks": MET,
            "conduct.discourtesy": MET,
        },
    ),
    Call(
        "it_modem_guasto",
        "it",
        (0, 1),
        (158, 160),
        {
            "agent": "chiara.conti",
            "customer": "55092",
            "queue": "technical_support",
            "ticket.number": "T-3391",
            "ticket.solved_on_call": "false",
            "ticket.assigned_to": "rete",
            "ticket.description": "Modem senza portante, guasto di linea a Milano",
            "mail.sent": "true",
            "mail.subject": "[T-3391] Intervento sul modem",
            "contract": "active",
        },
        "technical_support",
        (
            (
                "A",
                "Buongiorno, grazie per aver chiamato Linea Blu, sono Chiara, come posso aiutarla?",
                0.6,
            ),
            ("C", "Buongiorno, il mio modem non funziona da questa mattina, mi può aiutare?", 0.5),
            (
                "A",
                "Mi dispiace molto per il disagio. Mi può dire il suo nome e cognome, per favore?",
                0.4,
            ),
            ("C", "Mi chiamo Marco Ferrari. Il mio codice cliente è 55092.", 0.5),
            ("A", "Grazie, Marco. Posso mettere in attesa per un momento?", 0.4),
            ("C", "Sì, va bene.", 0.4),
            ("H", "", 8.0),
            ("A", "Grazie per aver atteso. C'è un guasto sulla linea a Milano oggi.", 0.3),
            ("C", "Quando sarà risolto?", 0.4),
            (
                "A",
                "Un nostro tecnico la chiamerà martedì alle nove. Le mando una mail di conferma.",
                0.5,
            ),
            ("C", "Perfetto, grazie mille.", 0.4),
            ("A", "C'è altro in cui posso aiutarla oggi?", 0.5),
            ("C", "No grazie, arrivederci.", 0.4),
            ("A", "Grazie per aver chiamato Linea Blu, buona giornata, arrivederci.", 0.3),
        ),
        {
            "opening.greeting": MET,
            "opening.introduction": MET,
            "listening.identity": MET,
            "solution.outcome": NOT,
            "solution.times": MET,
            "ticket.opened": MET,
            "ticket.assigned": MET,
            "ticket.mail": MET,
            "ticket.subject": MET,
            "conduct.courtesy": MET,
            "solution.no_contract": NA,
        },
    ),
    Call(
        "it_senza_contratto",
        "it",
        (1, 3),
        (160, 158),
        {
            "agent": "luca.greco",
            "customer": "Studio Rossi",
            "queue": "technical_support",
            "ticket.number": "T-3402",
            "ticket.solved_on_call": "false",
            "ticket.assigned_to": "commerciale",
            "ticket.description": "Richiesta senza contratto, proposto intervento a pagamento",
            "mail.sent": "true",
            "mail.subject": "Proposta di intervento",
            "contract": "none",
        },
        "technical_support",
        (
            ("A", "Buongiorno, Linea Blu, sono Luca, come posso aiutarla?", 0.6),
            ("C", "Salve, la mia stampante non funziona da ieri.", 0.5),
            ("A", "Capisco. Mi può dire il suo nome e cognome, per favore?", 0.4),
            ("C", "Sono la signora Rossi.", 0.5),
            (
                "A",
                "Grazie, signora Rossi. Non vedo nessun contratto di assistenza attivo a suo nome.",
                0.6,
            ),
            ("C", "E adesso cosa devo fare?", 0.5),
            (
                "A",
                (
                    "Senza contratto l'intervento è a pagamento. Il tecnico verrà giovedì alle"
                    " dieci, se va bene per lei."
                ),
                0.6,
            ),
            ("C", "Va bene, grazie.", 0.5),
            ("A", "Grazie per aver chiamato Linea Blu, buona giornata.", 0.4),
        ),
        {
            "opening.greeting": MET,
            "opening.introduction": MET,
            "listening.identity": MET,
            "solution.no_contract": MET,
            "solution.times": MET,
            "ticket.opened": MET,
            "ticket.subject": NOT,
            "conduct.courtesy": MET,
        },
    ),
    Call(
        "it_operatore_scortese",
        "it",
        (2, 5),
        (172, 168),
        {
            "agent": "paolo.neri",
            "customer": "77120",
            "queue": "technical_support",
            "ticket.solved_on_call": "false",
            "contract": "active",
            "mail.sent": "false",
        },
        "technical_support",
        (
            ("A", "Pronto, cosa vuole?", 0.7),
            ("C", "Buongiorno, la mia connessione è molto lenta da tre giorni.", 0.5),
            ("A", "Non è un mio problema. Doveva leggere il contratto.", 0.3),
            ("C", "Ma io pago ogni mese, è una vergogna.", -0.8),
            ("A", "Stia zitto, per favore. Non mi interessa.", 0.3),
            ("C", "Voglio parlare con il responsabile.", 0.4),
            ("A", "Non c'è nessuno adesso. Richiami domani.", 0.4),
            ("H", "", 4.0),
            ("C", "Pronto, mi sente? Disdico il contratto.", 0.3),
        ),
        {
            "opening.greeting": NOT,
            "opening.introduction": NOT,
            "listening.identity": NOT,
            "solution.times": NOT,
            "ticket.opened": NOT,
            "ticket.mail": NOT,
            "conduct.courtesy": NOT,
        },
    ),
    Call(
        "it_fattura_discreta",
        "it",
        (3, 1),
        (162, 160),
        {"agent": "chiara.conti", "customer": "60881", "queue": "service"},
        "customer_service",
        (
            ("A", "Buonasera, Linea Blu, sono Chiara, mi dica pure.", 0.6),
            ("C", "Buonasera, la mia bolletta è troppo cara questo mese.", 0.5),
            ("A", "Mi dice il suo codice cliente, per favore?", 0.4),
            ("C", "Il mio codice cliente è 60881.", 0.5),
            ("A", "La metto in attesa mentre controllo la sua bolletta.", 0.5),
            ("C", "Va bene.", 0.4),
            ("H", "", 10.0),
            ("A", "Vedo che manca l'ultimo pagamento. Le mando i documenti per email.", 0.5),
            ("C", "Ho capito, grazie.", -0.4),
            ("A", "Buona serata, arrivederci.", 0.5),
        ),
        {
            "opening.greeting": MET,
            "opening.introduction": MET,
            "closing.further_help": NOT,
            "closing.farewell": MET,
            "identity.asked": MET,
            "hold.courtesy": NOT,
            "conduct.discourtesy": MET,
        },
    ),
    Call(
        "zh_network_good",
        "zh",
        (0, 1),
        (158, 162),
        {
            "agent": "wang.meiling",
            "customer": "60317",
            "queue": "hotline",
            "after_call_seconds": "25",
        },
        "call_centre_zh",
        (
            ("A", "您好，感谢您致电蓝天电信，我是王美玲，请问有什么可以帮您？", 0.6),
            ("C", "你好，我的网络从昨天开始连不上，能帮我吗？", 0.5),
            ("A", "很抱歉给您带来不便。请问您的客户号码。", 0.4),
            ("C", "我的客户号码是60317。", 0.5),
            ("A", "谢谢您的确认，请不要挂断，稍等一会儿。", 0.4),
            ("H", "", 8.0),
            ("A", "对不起，让您久等了。我们会在星期二派技术人员上门。", 0.3),
            ("C", "好的，谢谢你。", 0.4),
            ("A", "请问还有什么可以帮您的吗？", 0.5),
            ("C", "没有了，再见。", 0.4),
            ("A", "感谢您致电蓝天电信，祝您生活愉快，再见。", 0.3),
        ),
        {
            **POLITE,
            "service.identity": MET,
            "service.empathy": MET,
            "service.complaint": NOT,
            "service.hold": MET,
            "closing.further_help": MET,
            "closing.farewell": MET,
            "conduct.insult": MET,
            "conduct.rude": MET,
            "conduct.after_call": MET,
        },
    ),
    Call(
        "zh_complaint",
        "zh",
        (3, 2),
        (160, 170),
        {
            "agent": "li.wei",
            "customer": "13800138000",
            "queue": "hotline",
            "complaint": "true",
            "slip.number": "F-118",
            "after_call_seconds": "38",
        },
        "call_centre_zh",
        (
            ("A", "下午好，这里是蓝天电信，我姓李，很高兴为您服务。", 0.6),
            ("C", "我要投诉，我的账单被重复扣费，没有人给我回电话。", 0.5),
            ("A", "非常抱歉给您带来不便。请问您的客户号码。", 0.5),
            ("C", "我的客户号码是71024，你们太差了。", 0.5),
            ("A", "我理解您的心情。我已经给您开了一个工单。", 0.6),
            ("C", "什么时候给我答复？", -0.6),
            ("A", "我们会在星期三给您回电话。", 0.5),
            ("C", "好吧。", 0.4),
            ("A", "请问还有其他问题吗？", 0.5),
            ("C", "没有了。", 0.4),
            ("A", "感谢您致电，祝您生活愉快，再见。", 0.4),
        ),
        {
            "opening.greeting": MET,
            "opening.introduction": MET,
            "opening.offers_help": MET,
            "service.identity": MET,
            "service.empathy": MET,
            "service.complaint": MET,
            "service.reply_time": MET,
            "service.slip": MET,
            "closing.further_help": MET,
            "closing.farewell": MET,
            "conduct.insult": MET,
        },
    ),
    Call(
        "zh_agent_rude",
        "zh",
        (2, 5),
        (175, 165),
        {
            "agent": "zhang.qiang",
            "customer": "40992",
            "queue": "hotline",
            "after_call_seconds": "95",
        },
        "call_centre_zh",
        (
            ("A", "喂，你到底想怎么样？", 0.7),
            ("C", "你好，我的手机不能用了，我想退款。", 0.5),
            ("A", "这不关我的事，您应该先看合同。", 0.3),
            ("C", "我要找你们的经理，你的态度很过分。", 0.3),
            ("A", "闭嘴，我不管。", 0.3),
            ("H", "", 12.0),
            ("C", "喂，你听得见吗？我要取消合同。", 0.3),
            ("A", "随便你。", 0.5),
        ),
        {
            "opening.greeting": NOT,
            "opening.introduction": NOT,
            "opening.offers_help": NOT,
            "service.identity": NOT,
            "closing.further_help": NOT,
            "closing.farewell": NOT,
            "conduct.insult": NOT,
            "conduct.rude": NOT,
            "conduct.after_call": NOT,
        },
    ),
    Call(
        "zh_order_middling",
        "zh",
        (4, 3),
        (165, 160),
        {"agent": "li.wei", "customer": "52008", "queue": "service"},
        "customer_service",
        (
            ("A", "您好，蓝天电信，请讲。", 0.6),
            ("C", "你好，我的订单一直没有到，帮我查询一下。", 0.5),
            ("A", "请问您的客户号码。", 0.4),
            ("C", "我的客户号码是52008。", 0.5),
            ("A", "请您稍等。", 0.4),
            ("H", "", 7.0),
            ("A", "您的订单明天上午到，我们会在下午三点半给您回电话。", 0.5),
            ("C", "好的，谢谢。", -0.3),
            ("A", "再见。", 0.5),
        ),
        {
            "opening.greeting": MET,
            "opening.introduction": NOT,
            "identity.asked": MET,
            "hold.courtesy": NOT,
            "resolution.next_steps": MET,
            "closing.further_help": NOT,
            "closing.thanks": NOT,
            "closing.farewell": MET,
            "conduct.discourtesy": MET,
        },
    ),
)
PEOPLE = {
    "sarah.miles": ("Sarah Miles", "Team Thames", "Customer care", "acme", "Acme Telecom"),
    "tom.baker": ("Tom Baker", "Team Thames", "Customer care", "acme", "Acme Telecom"),
    "james.hall": ("James Hall", "Team Thames", "Customer care", "acme", "Acme Telecom"),
    "chiara.conti": (
        "Chiara Conti",
        "Squadra Navigli",
        "Assistenza tecnica",
        "linea-blu",
        "Linea Blu",
    ),
    "luca.greco": ("Luca Greco", "Squadra Navigli", "Assistenza tecnica", "linea-blu", "Linea Blu"),
    "paolo.neri": ("Paolo Neri", "Squadra Navigli", "Assistenza tecnica", "linea-blu", "Linea Blu"),
    "wang.meiling": ("王美玲", "蓝天一组", "客户服务部", "lantian", "蓝天电信"),
    "li.wei": ("李伟", "蓝天一组", "客户服务部", "lantian", "蓝天电信"),
    "zhang.qiang": ("张强", "蓝天一组", "客户服务部", "lantian", "蓝天电信"),
}


class _Event(ctypes.Structure):
    class _Id(ctypes.Union):
        _fields_ = (
            ("number", ctypes.c_int),
            ("name", ctypes.c_char_p),
            ("string", ctypes.c_char * 8),
        )

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user", ctypes.c_void_p),
        ("id", _Id),
    )


class Espeak:
    """espeak-ng's C interface in synchronous mode: samples, and when each place of the text is
    spoken.
    """

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        self._samples: list[bytes] = []
        self._events: list[tuple[int, float, str]] = []
        kind = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
        )
        self._callback = kind(self._receive)
        if self._library.espeak_Initialize(2, 0, None, 3) != ESPEAK_RATE:
            raise RuntimeError("espeak-ng runs at an unexpected rate")
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, samples: Any, count: int, events: Any) -> int:
        if count > 0 and samples:
            self._samples.append(ctypes.string_at(samples, 2 * count))
        i = 0
        while events and events[i].type != END:
            if events[i].type == PHONEME:
                self._events.append(
                    (
                        events[i].text_position - 1,
                        events[i].audio_position / 1000,
                        events[i].id.string.decode("utf8", "ignore"),
                    )
                )
            i += 1
        return 0

    def say(
        self, text: str, voice: str, rate: int, pitch: int
    ) -> tuple[np.ndarray, list[tuple[int, float]]]:
        """Samples at 16 kHz and the (place in text, seconds) of every phoneme."""
        self._samples.clear()
        self._events.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"no voice {voice}")
        for parameter, value in ((1, rate), (3, pitch), (4, 50)):
            self._library.espeak_SetParameter(parameter, value, 0)
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 0, 0, 1 | 0x1000, None, None)
        audio = np.frombuffer(b"".join(self._samples), np.int16).astype(np.float32) / 32768
        return soxr.resample(audio, ESPEAK_RATE, RATE), [
            (p, t) for p, t, s in self._events if s and not s.startswith("(")
        ]


def speak(
    espeak: Espeak, language: str, text: str, voice: str, rate: int, pitch: int
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """One utterance: samples trimmed of silence, and its words with times."""
    spoken, units = _readable(language, text)
    audio, phonemes = espeak.say(spoken, voice, rate, pitch)
    loud = np.flatnonzero(np.abs(audio) > 0.004)
    first, last = max(0, loud[0] - 160), min(len(audio), loud[-1] + 400)
    starts: list[float | None] = [None] * len(units)
    for place, seconds in phonemes:
        for i, (begin, end, _) in enumerate(units):
            if begin <= place < end and starts[i] is None:
                starts[i] = seconds
    length = (last - first) / RATE
    times = [max(0.0, s - first / RATE) if s is not None else None for s in starts]
    words = []
    for i, (_, _, word) in enumerate(units):
        begin = times[i] if times[i] is not None else (words[-1]["end"] if words else 0.0)
        after = next((t for t in times[i + 1 :] if t is not None), length)
        pause = 0.9 if re.search(r"[,.?!，。？]$", word) else 1.0
        words.append({"text": word, "start": begin, "end": begin + (after - begin) * pause})
    return audio[first:last] / np.abs(audio).max(), words


def _readable(language: str, text: str) -> tuple[str, list[tuple[int, int, str]]]:
    """What espeak is given, and where each written word stands in it."""
    if language != "zh":
        spoken = re.sub(r"\d(?=\d)", lambda m: m.group() + " ", text)
        units, at = [], 0
        for word in text.split():
            size = len(re.sub(r"\d(?=\d)", "0 ", word))
            units.append((at, at + size, word))
            at += size + 1
        return spoken, units
    digits = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
    readings = lazy_pinyin(
        "".join(digits.get(c, c) for c in text),
        style=Style.TONE3,
        neutral_tone_with_five=True,
        errors=list,
    )
    spoken, units = "", []
    for character, reading in zip(text, readings, strict=True):
        if re.fullmatch(r"[a-zü]+\d", reading):
            spoken += " " if spoken and not spoken.endswith(" ") else ""
            units.append((len(spoken), len(spoken) + len(reading), character))
            spoken += reading
        else:
            spoken += {"，": ", ", "。": ". ", "？": "? "}.get(character, " ")
    return spoken, units


def build(call: Call, espeak: Espeak) -> dict[str, Any]:
    """The call's sound file, and its truth as a transcript document with the findings expected."""
    rng = random.Random(call.name)
    at, laid = 0.5, []
    for who, text, pause in call.turns:
        at = max(0.2, at + pause)
        if who == "H":
            continue
        side = 0 if who == "A" else 1
        audio, words = speak(
            espeak,
            call.language,
            text,
            VOICES[call.language][call.voices[side]],
            call.rates[side],
            (55, 42)[side],
        )
        laid.append((side, at, audio * (0.6, 0.45)[side], text, words))
        at += len(audio) / RATE
    length = int((at + 1.2) * RATE)
    noise = np.random.default_rng(rng.randrange(1 << 30))
    channels = noise.standard_normal((2, length)).astype(np.float32) * 10**-3.2
    utterances = []
    for side, start, audio, text, words in laid:
        begin = int(start * RATE)
        channels[side, begin : begin + len(audio)] += audio
        utterances.append(
            {
                "speaker": ("agent", "customer")[side],
                "start": round(start, 3),
                "end": round(start + len(audio) / RATE, 3),
                "text": text,
                "words": [
                    {
                        "start": round(start + w["start"], 3),
                        "end": round(start + w["end"], 3),
                        "text": w["text"],
                    }
                    for w in words
                ],
            }
        )
    narrow = np.stack(
        [np.clip(soxr.resample(_telephone_band(c), RATE, 8000), -1, 1) for c in channels], axis=1
    )
    soundfile.write(HERE / f"{call.name}.wav", narrow, 8000, subtype="ULAW")
    truth = {
        "language": call.language,
        "duration": round(len(narrow) / 8000, 3),
        "form": call.form,
        "expected": call.expected,
        "utterances": utterances,
    }
    (HERE / "truth").mkdir(exist_ok=True)
    (HERE / "truth" / f"{call.name}.json").write_text(
        json.dumps(truth, ensure_ascii=False, indent=1) + "\n"
    )
    return truth


def _telephone_band(samples: np.ndarray) -> np.ndarray:
    """300–3400 Hz with soft edges."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    gain = 1 / (1 + np.exp(-(hertz - 300) / 36)) / (1 + np.exp((hertz - 3400) / 85))
    return np.fft.irfft(spectrum * gain, len(samples)).astype(np.float32)


def write_manifest(rows: list[dict[str, Any]]) -> None:
    columns = [
        "file",
        "external_id",
        "agent",
        "agent_name",
        "team",
        "department",
        "project",
        "company",
        "queue",
        "direction",
        "language",
        "started_at",
        "duration",
        "customer",
    ]
    extra = sorted({k for r in rows for k in r} - set(columns))
    with (HERE / "manifest.csv").open("w", newline="") as f:
        writer = csv.DictWriter(f, columns + extra, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    espeak, rows = Espeak(), []
    for i, call in enumerate(CALLS):
        truth = build(call, espeak)
        name, team, department, project, company = PEOPLE[call.data["agent"]]
        rows.append(
            {
                "file": f"{call.name}.wav",
                "external_id": f"demo-{i + 1:03d}",
                "agent_name": name,
                "team": team,
                "department": department,
                "project": project,
                "company": company,
                "direction": "inbound",
                "language": call.language,
                "started_at": f"2026-11-{3 + i // 3:02d}T{9 + i % 8:02d}:{7 * i % 60:02d}:00+01:00",
                "duration": truth["duration"],
                **call.data,
            }
        )
        print(f"{call.name}: {truth['duration']:.1f} s")
    write_manifest(rows)


if __name__ == "__main__":
    main()
