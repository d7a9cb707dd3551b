"""What is said in a simulated call: lines per language, the agent's tied to the criterion that they meet or miss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qa.transcription.types import Mechanics, Span, SpeakerMechanics, Transcript, Utterance, Word

AGENT, CUSTOMER = "agent", "customer"
PACE = {"en": 0.36, "it": 0.38, "zh": 0.24}  # seconds a word; a character in Chinese


@dataclass(frozen=True)
class Line:
    """Something said. With a criterion it is said if that is met; `instead` if it is not (empty: nothing)."""

    speaker: str
    said: tuple[str, ...]
    criterion: str = ""
    instead: str = ""


def _lines(text: str) -> tuple[Line, ...]:
    """One line each: speaker, criterion, what is said (variants after |), what is said instead."""
    made = []
    for row in text.strip().splitlines():
        who, criterion, said, instead = (part.strip() for part in (row + "///").split("/")[:4])
        made.append(Line(AGENT if who == "A" else CUSTOMER, tuple(s.strip() for s in said.split("|")), criterion, instead))
    return tuple(made)


TALK: dict[str, tuple[Line, ...]] = {
    "en": _lines("""
A / opening.greeting / Good morning and thank you for calling. | Good afternoon, thank you for your call. / Yes?
A / opening.introduction / You are speaking with {agent}. | My name is {agent}. /
A / opening.offers_help / How can I help you today? | What can I do for you? /
C / / My internet has been down since yesterday. | There is a charge on my bill I do not understand. | I would like to move my contract to a new address. | The parcel you promised has not arrived.
A / identity.asked / May I have your customer number and your name, please? | Could you tell me your account number, please? /
C / / Yes, it is four one seven two, the name is Carter. | Of course, account six nine three.
A / request.confirmed / So, if I understand you correctly, {topic}, is that right? | Let me make sure I have this right: {topic}. / Hm. All right.
C / / Yes, exactly. | That is right.
A / hold.courtesy / May I put you on hold for a moment while I check? ... Thank you for waiting. | One moment please while I look. ... Thanks for holding. / Wait.
C / / Sure. | Fine.
A / / I see the entry here. | I have found it in the system. | I can see what happened.
A / resolution.next_steps / I have booked a technician for tomorrow between nine and twelve. | You will get a mail with the corrected bill within two days. | I have opened a request, and you will hear from us by Friday. / It should sort itself out.
C / / Okay. | That would be good.
A / closing.further_help / Is there anything else I can help you with? | Can I do anything else for you? /
C / / No, that is all. | No, thank you.
A / closing.thanks / Thank you very much for your call. | Thanks for calling. /
A / closing.farewell / Have a nice day, goodbye. | Goodbye, and have a good afternoon. / Right then.
C / / Bye. | Goodbye.
"""),
    "it": _lines("""
A / opening.greeting / Buongiorno, grazie per aver chiamato. | Buon pomeriggio, assistenza tecnica. / Pronto.
A / opening.introduction / Sono {agent}, in cosa posso esserle utile? | Mi chiamo {agent}, mi dica pure. /
C / / Da ieri la stampante non funziona più. | Non riesco a entrare nella posta. | Il programma di fatturazione si blocca. | La rete dell'ufficio è lentissima.
A / listening.identity / Mi può dire il suo nome e la ragione sociale? | Da quale azienda chiama, per cortesia? /
C / / Sono Ferri, della Ferri impianti. | Chiamo dallo studio Conti.
A / listening.attentive / Capisco, quindi {topic}, giusto? | Se ho capito bene, {topic}. / Sì, sì.
C / / Esatto. | Sì, proprio così.
A / listening.questions / Da quando succede, e che messaggio compare? | Ha già provato a riavviare? /
C / / Da ieri pomeriggio, compare un errore. | Sì, ma non cambia niente.
A / solution.no_contract / Per questo servirebbe un intervento a pagamento, vuole che proceda? | Il contratto non lo copre: l'intervento sarebbe a pagamento, è d'accordo? /
A / solution.outcome / Ho risolto: ora dovrebbe funzionare, può provare? | Apro una segnalazione e passo il caso al secondo livello. / Non saprei.
A / solution.times / La richiamiamo entro domani a mezzogiorno. | Il tecnico passa giovedì mattina. / Vedremo.
C / / Va bene. | D'accordo.
A / ticket.opened / Il numero del ticket è quattro due uno otto. | Le ho aperto il ticket novecento quindici. /
A / ticket.mail / Riceverà una mail di conferma tra pochi minuti. | Le mando subito la mail con il riepilogo. /
A / conduct.courtesy / Grazie della pazienza e buona giornata. | È stato un piacere, arrivederci. / Senta, non è colpa mia.
C / / Arrivederci. | Grazie, buona giornata.
"""),
    "zh": _lines("""
A / opening.greeting / 您好,感谢您的来电。 | 您好,欢迎致电客户服务热线。 / 喂。
A / opening.introduction / 我是客服{agent}。 | 工号{agent}为您服务。 /
A / opening.offers_help / 请问有什么可以帮您? | 请问您需要什么帮助? /
C / / 我家的网络从昨天开始就断了。 | 这个月的话费好像多扣了。 | 我想把套餐换一下。 | 快递一直没有送到。
A / service.identity / 请问您贵姓,方便提供一下手机号码吗? | 麻烦您报一下登记的手机号码。 /
C / / 我姓陈,号码就是这个。 | 好的,我姓刘。
A / service.empathy / 非常抱歉给您带来不便,我理解您的心情。 | 很抱歉让您久等了,我马上为您处理。 / 哦。
A / service.hold / 请您稍等,我帮您查询一下。……让您久等了。 | 麻烦您别挂机,我看一下记录。……感谢您的等待。 / 等一下。
A / service.complaint / 您反映的问题我已经详细记录下来了。 | 我把时间和情况都记下了。 /
A / service.reply_time / 我们会在二十四小时内给您回复。 | 明天下午五点前会有专人联系您。 / 到时候再说。
A / service.answer / 根据系统显示,已经为您恢复了服务。 | 多扣的费用会在三天内退回。 / 这个我也不清楚。
C / / 好的,知道了。 | 那行。
A / closing.further_help / 请问还有其他可以帮您的吗? | 您还有别的问题吗? /
C / / 没有了。 | 没有了,谢谢。
A / closing.farewell / 感谢您的来电,祝您生活愉快,再见。 | 感谢来电,再见。 / 嗯。
C / / 再见。
"""),
}
TOPICS = {
    "en": ("your line has been down since yesterday", "you have a question about a charge", "you would like to move your contract"),
    "it": ("il problema è cominciato ieri", "non riesce più ad accedere", "il programma si blocca"),
    "zh": ("网络断了", "话费多扣了", "想换套餐"),
}


@dataclass(frozen=True)
class Said:
    """A simulated conversation, and for each criterion the utterance that shows it."""

    transcript: Transcript
    mechanics: Mechanics
    shown_by: dict[str, int]


def conversation(language: str, met: Mapping[str, bool], *, agent: str, rng: np.random.Generator, seed: str) -> Said:
    """A call in which what is met is said and what is missed is not. Deterministic in the generator's state."""
    at = 0.6
    utterances: list[Utterance] = []
    shown_by: dict[str, int] = {}
    for line in TALK[language]:
        text = line.said[int(rng.integers(len(line.said)))]
        if line.criterion and not met.get(line.criterion, True):
            text = line.instead
        if not text:
            continue
        if line.criterion:
            shown_by[line.criterion] = len(utterances)
        text = text.format(agent=agent, topic=TOPICS[language][int(rng.integers(3))])
        utterances.append(_uttered(line.speaker, text, language, at, rng))
        at = utterances[-1].end + float(rng.uniform(0.2, 1.6))
    duration = round(at, 2)
    engine = {"name": "simulated", "seed": seed}
    transcript = Transcript(language=language, duration=duration, engine=engine, utterances=tuple(utterances))  # type: ignore[arg-type]  # one of the three
    return Said(transcript, _mechanics(utterances, duration, rng), shown_by)


def _uttered(speaker: str, text: str, language: str, at: float, rng: np.random.Generator) -> Utterance:
    tokens = list(text.replace(" ", "")) if language == "zh" else text.split()
    each = PACE[language] * float(rng.uniform(0.85, 1.2))
    words = tuple(
        Word(start=round(at + i * each, 2), end=round(at + (i + 1) * each, 2), text=t, confidence=round(float(rng.beta(12, 1)), 2))
        for i, t in enumerate(tokens)
    )
    return Utterance(speaker=speaker, start=words[0].start, end=words[-1].end, text=text, confidence=0.9, words=words)  # type: ignore[arg-type]  # agent or customer


def _mechanics(utterances: Sequence[Utterance], duration: float, rng: np.random.Generator) -> Mechanics:
    """The turns of the conversation, and a line of some quality."""
    talk = {side: sum(u.end - u.start for u in utterances if u.speaker == side) for side in (AGENT, CUSTOMER)}
    whole = sum(talk.values())
    sides = {
        side: SpeakerMechanics(
            talk_seconds=round(seconds, 2),
            talk_share=round(seconds / whole, 4),
            words=sum(len(u.words) for u in utterances if u.speaker == side),
            words_per_minute=None,
            longest_monologue=None,
        )
        for side, seconds in talk.items()
    }
    over_noise = 30 * float(rng.beta(8, 2))
    line = {"level_db": -18.0, "bandwidth_hz": 3400.0, "clipping_share": 0.0}
    return Mechanics(
        duration=duration,
        speakers_known=True,
        agent=sides[AGENT],
        customer=sides[CUSTOMER],
        silences=tuple(Span(start=a.end, end=b.start) for a, b in zip(utterances, utterances[1:], strict=False) if b.start - a.end > 1),
        silence_share=round(max(0.0, 1 - whole / duration), 4),
        line=tuple(line | {"noise_floor_db": round(-18.0 - over_noise - more, 1)} for more in (12, 8)),
    )
