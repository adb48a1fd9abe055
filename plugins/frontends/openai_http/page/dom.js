// Makes elements. Text reaches the document as text nodes only: nothing here, and nothing that uses it, parses HTML.

/**
 * An element with attributes and children. "onclick" and the like take functions, `true` is an attribute without a value,
 * `false`, null and undefined leave the attribute out. Children are nodes or text; null and false are skipped.
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== false && child !== undefined));
  return element;
}

/** A button of the small kind that stands under turns. `label` is what a screen reader says, if that is more than the text. */
export function smallButton(text, onclick, label = null) {
  return make('button', { type: 'button', class: 'small', 'aria-label': label, onclick }, text);
}

/** Puts text on the clipboard. Browsers have the modern way on encrypted and local pages only, so there is another one. */
export async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = make('textarea', { class: 'unseen', 'aria-hidden': 'true', tabindex: '-1' });
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (!isCopied) throw new Error('The browser did not let the page copy.');
}

/** A button that copies what `getText` returns, and says for a moment whether it did. */
export function copyButton(getText, label) {
  const button = smallButton('Copy', async () => {
    try {
      await copyText(getText());
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Not copied';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 1600);
  }, label);
  return button;
}
