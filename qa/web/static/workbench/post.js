/** Send a body with the form's token in a header, where the server looks for it; the answer is JSON. */
export function post(url, body, form) {
  const headers = { Accept: "application/json", "X-CSRFToken": form.csrf_token.value };
  return fetch(url, { method: "POST", body, headers });
}
