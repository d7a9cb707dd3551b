import { clock } from "../clock.js";

const AWAY_AFTER_MS = 90 * 1000;
const LONGEST_TICK_SECONDS = 5; // a longer gap is a machine that slept
const SIGNS_OF_LIFE = ["keydown", "pointerdown", "pointermove", "wheel"];

/**
 * How long a person has worked on this card. The time runs while the page is seen and something is
 * done or heard; it stands still while they are away.
 */
export function startStopwatch(form, player) {
  const display = form.querySelector("[data-timer]");
  let spent = Number(form.dataset.spent);
  let unsent = 0;
  let lastSign = performance.now();
  let lastTick = performance.now();

  for (const sign of SIGNS_OF_LIFE) {
    document.addEventListener(sign, () => (lastSign = performance.now()), { passive: true });
  }
  function tick() {
    const now = performance.now();
    const passed = (now - lastTick) / 1000;
    lastTick = now;
    const isActive = player?.isPlaying() || now - lastSign < AWAY_AFTER_MS;
    const isHere = !document.hidden && isActive;
    if (isHere && passed < LONGEST_TICK_SECONDS) {
      spent += passed;
      unsent += passed;
    }
    display.textContent = clock(spent);
    display.classList.toggle("is-away", !isHere);
  }
  setInterval(tick, 1000);
  tick();
  return {
    unsentSeconds: () => unsent,
    /** The server has counted these. */
    markSent(seconds) {
      unsent -= seconds;
    },
  };
}
