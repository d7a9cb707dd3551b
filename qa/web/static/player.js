// The player: two lanes drawn from ready-made peaks, marks, keys, evidence that one can hear, words in step with the sound.
import WaveSurfer from "./vendor/wavesurfer.esm.js";
import Regions from "./vendor/wavesurfer.regions.esm.js";
import Timeline from "./vendor/wavesurfer.timeline.esm.js";

const MARK_COLOURS = {
  silence: "rgba(120,130,140,.22)",
  hold: "rgba(214,158,46,.3)",
  overlap: "rgba(176,58,46,.4)",
  masked: "rgba(35,40,48,.55)",
  evidence: "rgba(46,134,87,.32)",
};
const MOST_POINTS = 6000;

export function clock(seconds) {
  const s = Math.floor(seconds);
  const rest = `${String(Math.floor(s / 60) % 60).padStart(s >= 3600 ? 2 : 1, "0")}:${String(s % 60).padStart(2, "0")}`;
  return s >= 3600 ? `${Math.floor(s / 3600)}:${rest}` : rest;
}

/** Peaks as the server keeps them: "PK1", channels, then one byte (0–255) per 20 ms and channel. Thinned for long calls. */
export function readPeaks(buffer) {
  const bytes = new Uint8Array(buffer);
  const channels = bytes[3];
  const count = (bytes.length - 4) / channels;
  const step = Math.max(1, Math.ceil(count / MOST_POINTS));
  return Array.from({ length: channels }, (_, c) => {
    const lane = new Float32Array(Math.ceil(count / step));
    for (let i = 0; i < count; i++)
      lane[Math.floor(i / step)] = Math.max(
        lane[Math.floor(i / step)],
        bytes[4 + c * count + i] / 255,
      );
    return lane;
  });
}

export async function startPlayer(root) {
  const box = root.querySelector("[data-player]");
  if (!box) return null;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const lane = (name) => ({ waveColor: colour(name), progressColor: colour("--ink"), height: 62 });
  const answer = await fetch(box.dataset.peaks);
  const peaks = answer.ok ? readPeaks(await answer.arrayBuffer()) : undefined;
  const regions = Regions.create();
  const media = new Audio();
  media.preload = "none";
  media.src = box.dataset.audio;
  const wave = WaveSurfer.create({
    container: box.querySelector("[data-wave]"),
    media,
    peaks,
    duration: Number(box.dataset.duration),
    splitChannels: box.dataset.channels === "2" ? [lane("--agent"), lane("--customer")] : undefined,
    height: 62,
    waveColor: colour("--agent"),
    progressColor: colour("--ink"),
    cursorColor: colour("--bad"),
    cursorWidth: 2,
    normalize: false,
    cspNonce: box.dataset.nonce,
    plugins: [
      regions,
      Timeline.create({
        height: 14,
        secondaryLabelOpacity: 1,
        style: { color: colour("--quiet"), fontSize: "11px" },
      }),
    ],
  });
  const marks = JSON.parse(root.querySelector("[data-marks]")?.textContent ?? "[]");
  wave.on("ready", () => marks.forEach((m) => mark(m.kind, m.start, m.end)));
  const settled = new Promise((done) => {
    wave.once("ready", done);
    wave.once("error", done);
    setTimeout(done, 4000);
  });
  let stopAt = null;
  let loop = null;

  function mark(kind, start, end) {
    return regions.addRegion({
      start,
      end: Math.max(end, start + 0.15),
      color: MARK_COLOURS[kind],
      drag: false,
      resize: false,
    });
  }
  const start = () =>
    media.play().catch(() => {
      /* paused again before it began */
    });
  let shown = null;
  function hear(from, end) {
    shown?.remove();
    shown = mark("evidence", from, end ?? from + 1);
    stopAt = end === undefined ? null : end + 0.35;
    media.currentTime = Math.max(0, from - 0.25);
    start();
  }
  const jump = (seconds) => {
    stopAt = null;
    media.currentTime = Math.min(
      Number(box.dataset.duration),
      Math.max(0, media.currentTime + seconds),
    );
  };
  const toggle = () => {
    stopAt = null;
    return media.paused ? start() : media.pause();
  };

  box.querySelector("[data-play]").addEventListener("click", toggle);
  box
    .querySelectorAll("[data-jump]")
    .forEach((b) => b.addEventListener("click", () => jump(Number(b.dataset.jump))));
  box.querySelector("[data-speed]").addEventListener("change", (e) => {
    media.playbackRate = Number(e.target.value);
    media.preservesPitch = true;
  });
  const loopButton = box.querySelector("[data-loop]");
  loopButton.addEventListener("click", () => {
    loop?.remove();
    loop = loop
      ? null
      : regions.addRegion({
          start: media.currentTime,
          end: Math.min(Number(box.dataset.duration), media.currentTime + 5),
          color: "rgba(11,92,138,.18)",
          drag: true,
          resize: true,
        });
    loopButton.setAttribute("aria-pressed", String(Boolean(loop)));
  });
  media.addEventListener("play", () => box.classList.add("is-playing"));
  media.addEventListener("pause", () => box.classList.remove("is-playing"));
  root.addEventListener("click", (e) => {
    const source = e.target.closest("[data-play-from]");
    if (source)
      hear(
        Number(source.dataset.playFrom),
        source.dataset.playTo ? Number(source.dataset.playTo) : undefined,
      );
  });
  const follow = followTranscript(root, box, (s) => {
    stopAt = null;
    media.currentTime = s;
    start();
  });
  const now = box.querySelector("[data-now]");
  const step = () => {
    const t = media.currentTime;
    if (loop && t >= loop.end) media.currentTime = loop.start;
    if (stopAt !== null && t >= stopAt) {
      stopAt = null;
      media.pause();
    }
    now.textContent = clock(t);
    follow(t);
  };
  media.addEventListener("timeupdate", step);
  media.addEventListener("seeked", step);
  (function everyFrame() {
    if (!media.paused) step();
    requestAnimationFrame(everyFrame);
  })();
  await settled; // a play before the waveform is ready would be cut off by its loading
  const pin = (at, text) => {
    const label = Object.assign(document.createElement("span"), {
      className: "pin-label",
      textContent: "●",
      title: text,
    });
    return regions.addRegion({
      start: at,
      content: label,
      color: colour("--accent"),
      drag: false,
      resize: false,
    });
  };
  return {
    toggle,
    jump,
    hear,
    pin,
    pause: () => media.pause(),
    loop: () => loopButton.click(),
    isPlaying: () => !media.paused,
    time: () => media.currentTime,
  };
}

/** Light up the word that is heard; a click on a word plays from it. */
function followTranscript(root, box, playFrom) {
  const text = root.querySelector("[data-transcript]");
  if (!text) return () => {};
  const words = [...text.querySelectorAll(".w")].map((el) => ({
    el,
    s: Number(el.dataset.s),
    e: Number(el.dataset.e),
  }));
  words.sort((a, b) => a.s - b.s);
  text.addEventListener("click", (e) => {
    const at = e.target.closest("[data-seek]") ?? e.target.closest(".w");
    if (at) playFrom(Number(at.dataset.seek ?? at.dataset.s));
  });
  let lit = [];
  return (t) => {
    const here = words.filter((w) => w.s <= t && t < Math.max(w.e, w.s + 0.08)).map((w) => w.el);
    if (here.length === lit.length && here.every((el, i) => el === lit[i])) return;
    lit.forEach((el) => {
      el.classList.remove("is-now");
      el.closest(".said").classList.remove("is-now");
    });
    here.forEach((el) => {
      el.classList.add("is-now");
      el.closest(".said").classList.add("is-now");
    });
    lit = here;
    const said = here[0]?.closest(".said");
    if (said && box.querySelector("[data-follow]").checked) {
      const above = said.offsetTop - text.offsetTop < text.scrollTop;
      const below =
        said.offsetTop - text.offsetTop + said.offsetHeight >
        text.scrollTop + text.clientHeight - 40;
      if (above || below) text.scrollTop = said.offsetTop - text.offsetTop - 60;
    }
  };
}

/** Search in the call: spans words, ignores case; Chinese needs no spaces. */
export function startSearch(root) {
  const input = root.querySelector("[data-find]");
  const text = root.querySelector("[data-transcript]");
  if (!input || !text) return;
  const search = () => {
    text.querySelectorAll(".is-found").forEach((el) => el.classList.remove("is-found"));
    const wanted = input.value.toLowerCase().replace(/\s+/g, "");
    let found = 0;
    if (wanted)
      for (const said of text.querySelectorAll(".said")) {
        const words = [...said.querySelectorAll(".w")];
        let line = "";
        const from = words.map((w) => {
          const at = line.length;
          line += w.textContent.toLowerCase().replace(/\s+/g, "");
          return at;
        });
        for (let i = line.indexOf(wanted); i >= 0; i = line.indexOf(wanted, i + 1)) {
          words.forEach((w, k) => {
            if (from[k] < i + wanted.length && (from[k + 1] ?? line.length) > i)
              w.classList.add("is-found");
          });
          if (!found++) text.scrollTop = said.offsetTop - text.offsetTop - 60;
        }
      }
    root.querySelector("[data-found]").textContent = wanted ? String(found) : "";
  };
  if (input.value) search();
  input.addEventListener("input", search);
  input.addEventListener("search", search);
}
