// The criteria of a scorecard: which one the keys are about, and how an answer is chosen.

/**
 * `onChange` is called after every answer chosen here.
 * Criteria that do not apply (their condition is not met) are hidden and passed over.
 */
export function createCriteria(form, onChange) {
  const shown = () => [...form.querySelectorAll("[data-criterion]:not([hidden])")];
  let current = shown().find(isUnanswered) ?? shown()[0];

  function makeCurrent(criterion, { scroll = true } = {}) {
    if (!criterion) return;
    current?.classList.remove("is-current");
    current = criterion;
    current.classList.add("is-current");
    if (scroll) current.scrollIntoView({ block: "nearest" });
  }

  function move(by) {
    const all = shown();
    makeCurrent(all[Math.min(all.length - 1, Math.max(0, all.indexOf(current) + by))]);
  }

  /** Returns whether there was such an answer; a reason is asked for where it differs from the check. */
  function choose(criterion, radio, { accepted = false } = {}) {
    if (!radio) return false;
    radio.checked = true;
    criterion.querySelector("input[name^='accepted.']").value = accepted ? "1" : "0";
    const { suggestion } = criterion.dataset;
    reasonOf(criterion).hidden = !(suggestion && radio.value !== suggestion);
    criterion.classList.remove("has-fault");
    criterion.querySelector("[data-fault]").textContent = "";
    onChange();
    return true;
  }

  /** Take over the automatic answer; false where there is none. */
  function accept(criterion) {
    const { suggestion } = criterion.dataset;
    if (!suggestion) return false;
    const radio = criterion.querySelector(`input[type=radio][value="${suggestion}"]`);
    return choose(criterion, radio, { accepted: true });
  }

  form.addEventListener("change", (event) => {
    const criterion = event.target.closest("[data-criterion]");
    if (!criterion || event.target.type !== "radio") return;
    makeCurrent(criterion, { scroll: false });
    choose(criterion, event.target);
  });
  form.addEventListener("focusin", (event) => {
    makeCurrent(event.target.closest("[data-criterion]"), { scroll: false });
  });
  form.addEventListener("click", (event) => {
    const criterion = event.target.closest("[data-criterion]");
    makeCurrent(criterion, { scroll: false });
    if (event.target.closest("[data-accept]")) {
      makeCurrent(criterion);
      accept(criterion);
    }
  });

  return {
    shown,
    current: () => current,
    makeCurrent,
    move,
    choose,
    accept,
    /** The `option`-th answer ("1" to "9", or "n" for not applicable) of the current criterion. */
    radio: (option) => current.querySelector(`input[data-option='${option}']`),
  };
}

const isUnanswered = (criterion) => !criterion.querySelector("input[type=radio]:checked");
export const reasonOf = (criterion) => criterion.querySelector("[data-reason]");
