// Makes the pages quicker to use; every one of them works without it.
'use strict';

const wait = (ms, work) => { let timer; return (...args) => { clearTimeout(timer); timer = setTimeout(() => work(...args), ms); }; };

/** Show what the server says about a form while it is being filled; an answer that was overtaken is dropped. */
function follow(place, ask) {
  let newest = 0;
  return async () => {
    const mine = ++newest;
    try {
      const answer = await ask();
      // A redirect leads to the sign-in page, which does not belong here.
      if (answer.ok && !answer.redirected && mine === newest) place.innerHTML = await answer.text();
    } catch (error) { /* the button still works */ }
  };
}

for (const form of document.querySelectorAll('form[data-try]')) {
  const field = form.querySelector('input'), place = document.getElementById('tried');
  const update = follow(place, () => fetch('/try?' + new URLSearchParams({ part: 1, q: field.value, entry: form.dataset.try })));
  field.addEventListener('input', wait(250, update));
  form.addEventListener('submit', event => { event.preventDefault(); update(); });
}

for (const form of document.querySelectorAll('form[data-submit-on-change]')) {
  for (const field of form.querySelectorAll('select')) field.addEventListener('change', () => form.requestSubmit());
}

for (const form of document.querySelectorAll('form[data-preview]')) {
  const place = document.getElementById('preview'), effects = document.getElementById('effects');
  const update = follow(place, () => {
    const fields = new URLSearchParams(new FormData(form));
    fields.set('entry', form.dataset.entry);
    return fetch('/preview', { method: 'POST', body: fields });
  });
  let unsaved = effects !== null, sent = false;
  form.addEventListener('input', () => {
    unsaved = true;
    // What was checked is not what stands there any more.
    if (effects) effects.classList.add('stale');
    for (const button of document.querySelectorAll('button[value=save]')) button.disabled = true;
  });
  form.addEventListener('input', wait(300, update));
  form.addEventListener('submit', () => { sent = true; });
  addEventListener('pageshow', () => { sent = false; });
  addEventListener('beforeunload', event => { if (unsaved && !sent) event.preventDefault(); });
}

/** While a form is on its way: its buttons do nothing, and the one that was pressed says what is being done. */
let busy = [];
function settle() {
  for (const [button, label] of busy) { button.disabled = false; button.textContent = label; }
  busy = [];
}
addEventListener('submit', event => {
  const form = event.target, action = event.submitter?.value;
  const buttons = [...form.elements].filter(field => field.type === 'submit');
  if (event.defaultPrevented || !buttons.some(button => button.dataset.busy)) return;
  // A moment later, because what a disabled button says is not sent.
  setTimeout(() => {
    for (const button of buttons.filter(button => !button.disabled)) {
      busy.push([button, button.textContent]);
      button.disabled = true;
      if (button.value === action && button.dataset.busy) button.textContent = button.dataset.busy;
    }
  });
  // Somebody may have stopped the page from loading.
  setTimeout(settle, 60000);
});
// Coming back, a browser may show the page as it was left.
addEventListener('pageshow', settle);
