// The progress bar of the jobs page, in step while something runs.
const bar = document.querySelector("[data-jobs]");
const text = document.querySelector("[data-jobs-text]");
const EVERY_MS = 2000;

async function showProgress() {
  const answer = await fetch(bar.dataset.jobs, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const count = await answer.json();
  const total = count.waiting + count.running + count.done + count.failed;
  bar.max = total || 1;
  bar.value = count.done;
  text.textContent = `${count.done} / ${total}`;
  if (count.waiting + count.running > 0) setTimeout(showProgress, EVERY_MS);
}
if (bar) showProgress();
