// The player: two lanes drawn from ready-made peaks, marks, a loop, evidence that one can hear.
import { clock } from "./clock.js";
import { readPeaks } from "./peaks.js";
import WaveSurfer from "./vendor/wavesurfer.esm.js";
import Regions from "./vendor/wavesurfer.regions.esm.js";
import Timeline from "./vendor/wavesurfer.timeline.esm.js";
import { followWords } from "./words.js";

const MARK_COLOURS = {
  silence: "rgba(120,130,140,.22)",
  hold: "rgba(214,158,46,.3)",
  overlap: "rgba(176,58,46,.4)",
  masked: "rgba(35,40,48,.55)",
  evidence: "rgba(46,134,87,.32)",
  loop: "rgba(11,92,138,.18)",
};
const LANE_HEIGHT = 62;
const LOOP_SECONDS = 5;
const SHORTEST_MARK_SECONDS = 0.15; // or it would be narrower than a pixel
// Evidence is played with a little of what stands around it, or its first sound would be cut.
const SECONDS_BEFORE = 0.25;
const SECONDS_AFTER = 0.35;
const LONGEST_WAIT_MS = 4000;

/** The page's player, ready to play; null where the page has none (a simulated call). */
export async function startPlayer(root) {
  const box = root.querySelector("[data-player]");
  if (!box) return null;
  const regions = Regions.create();
  const media = new Audio();
  media.preload = "none";
  media.src = box.dataset.audio;
  const peaks = await fetchPeaks(box.dataset.peaks);
  // no waiting between drawing and listening: the waveform may be ready in the next microtask
  const wave = drawWave(box, media, regions, peaks);
  const isReady = readiness(wave);
  const marks = JSON.parse(root.querySelector("[data-marks]")?.textContent ?? "[]");
  wave.on("ready", () => marks.forEach((m) => addMark(regions, m.kind, m.start, m.end)));

  const playback = startPlayback(box, media, regions);
  root.addEventListener("click", (event) => {
    const source = event.target.closest("[data-play-from]");
    if (!source) return;
    const { playFrom, playTo } = source.dataset;
    playback.hear(Number(playFrom), playTo ? Number(playTo) : undefined);
  });
  const loop = startLoop(box, media, regions);
  const follow = followWords(root, box, playback.playFrom);
  keepInStep(media, [loop.step, playback.step, follow]);
  await isReady; // a play before the waveform is ready would be cut off by its loading
  return {
    toggle: playback.toggle,
    jump: playback.jump,
    pause: () => media.pause(),
    loop: loop.toggle,
    isPlaying: () => !media.paused,
    time: () => media.currentTime,
    pin: (time, text) => addPin(regions, time, text),
  };
}

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

async function fetchPeaks(url) {
  const answer = await fetch(url);
  return answer.ok ? readPeaks(await answer.arrayBuffer()) : undefined;
}

function drawWave(box, media, regions, peaks) {
  const lane = (name) => ({
    waveColor: colour(name),
    progressColor: colour("--ink"),
    height: LANE_HEIGHT,
  });
  const hasTwoVoices = box.dataset.channels === "2";
  return WaveSurfer.create({
    container: box.querySelector("[data-wave]"),
    media,
    peaks,
    duration: Number(box.dataset.duration),
    splitChannels: hasTwoVoices ? [lane("--agent"), lane("--customer")] : undefined,
    height: LANE_HEIGHT,
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
}

/** Settles when the waveform stands, has failed, or takes too long: the page goes on in any case. */
function readiness(wave) {
  return new Promise((settle) => {
    wave.once("ready", settle);
    wave.once("error", settle);
    setTimeout(settle, LONGEST_WAIT_MS);
  });
}

function addMark(regions, kind, start, end) {
  return regions.addRegion({
    start,
    end: Math.max(end, start + SHORTEST_MARK_SECONDS),
    color: MARK_COLOURS[kind],
    drag: false,
    resize: false,
  });
}

function addPin(regions, time, text) {
  const label = document.createElement("span");
  label.className = "pin-label";
  label.textContent = "●";
  label.title = text;
  const color = colour("--accent");
  return regions.addRegion({ start: time, content: label, color, drag: false, resize: false });
}

/** Buttons and verbs that move or play the sound; evidence stops by itself where it ends. */
function startPlayback(box, media, regions) {
  const duration = Number(box.dataset.duration);
  let stopAt = null;
  let evidence = null;
  // playing can be refused when a pause comes before it has begun: nothing is wrong then
  const play = () => media.play().catch(() => {});

  function hear(start, end) {
    evidence?.remove();
    evidence = addMark(regions, "evidence", start, end ?? start + 1);
    stopAt = end === undefined ? null : end + SECONDS_AFTER;
    media.currentTime = Math.max(0, start - SECONDS_BEFORE);
    play();
  }
  function playFrom(time) {
    stopAt = null;
    media.currentTime = time;
    play();
  }
  function jump(seconds) {
    stopAt = null;
    media.currentTime = Math.min(duration, Math.max(0, media.currentTime + seconds));
  }
  function toggle() {
    stopAt = null;
    return media.paused ? play() : media.pause();
  }

  box.querySelector("[data-play]").addEventListener("click", toggle);
  for (const button of box.querySelectorAll("[data-jump]")) {
    button.addEventListener("click", () => jump(Number(button.dataset.jump)));
  }
  box.querySelector("[data-speed]").addEventListener("change", (event) => {
    media.playbackRate = Number(event.target.value);
    media.preservesPitch = true;
  });
  media.addEventListener("play", () => box.classList.add("is-playing"));
  media.addEventListener("pause", () => box.classList.remove("is-playing"));
  const now = box.querySelector("[data-now]");
  function step(time) {
    if (stopAt !== null && time >= stopAt) {
      stopAt = null;
      media.pause();
    }
    now.textContent = clock(time);
  }
  return { hear, playFrom, jump, toggle, step };
}

/** A stretch that is played again and again; it can be dragged and widened on the waveform. */
function startLoop(box, media, regions) {
  const duration = Number(box.dataset.duration);
  const button = box.querySelector("[data-loop]");
  let region = null;
  button.addEventListener("click", () => {
    const wasOn = Boolean(region);
    region?.remove();
    region = wasOn
      ? null
      : regions.addRegion({
          start: media.currentTime,
          end: Math.min(duration, media.currentTime + LOOP_SECONDS),
          color: MARK_COLOURS.loop,
          drag: true,
          resize: true,
        });
    button.setAttribute("aria-pressed", String(!wasOn));
  });
  const step = (time) => {
    if (region && time >= region.end) media.currentTime = region.start;
  };
  return { step, toggle: () => button.click() };
}

/** Call all steps with the time that is heard: every frame while it plays, and after each jump. */
function keepInStep(media, steps) {
  const step = () => {
    const time = media.currentTime;
    for (const run of steps) run(time);
  };
  media.addEventListener("timeupdate", step);
  media.addEventListener("seeked", step);
  (function everyFrame() {
    if (!media.paused) step();
    requestAnimationFrame(everyFrame);
  })();
}
