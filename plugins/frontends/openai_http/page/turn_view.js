// How turns look. A view holds the elements of one turn and brings them up to date as the turn grows.
import { copyButton, make, smallButton } from './dom.js';
import { codeBlock, renderMarkdown } from './markdown.js';

const number = new Intl.NumberFormat('en');

/** "18.2 tokens/s · 212 tokens · prompt 1,024, 87 % reused", as far as it is known. */
export function describeStats(stats, contextLength = 0) {
  const parts = [];
  if (stats.rate > 0) parts.push(`${stats.rate.toFixed(stats.rate < 100 ? 1 : 0)} tokens/s`);
  if (stats.generated !== undefined) parts.push(`${number.format(stats.generated)} ${stats.generated === 1 ? 'token' : 'tokens'}`);
  if (stats.prompt > 0) {
    const share = Math.round((100 * stats.cached) / stats.prompt);
    parts.push(`prompt ${number.format(stats.prompt)}, ${share}\u00a0% reused`);
    const used = stats.prompt + (stats.generated ?? 0);
    if (contextLength > 0) parts.push(`${Math.round((100 * used) / contextLength)}\u00a0% of the context used`);
  }
  return parts.join(' · ');
}

function describeThought(answer, isRunning) {
  if (isRunning && !answer.content && answer.calls.length === 0) return 'Thinking …';
  const seconds = Math.round(answer.thought / 1000);
  return seconds > 0 ? `Thought for ${seconds} s` : 'Thought';
}

function describeEnd(answer) {
  switch (answer.finish) {
    case 'length': return 'The answer was cut at its limit of tokens.';
    case 'content_filter': return 'The answer was ended by a filter.';
    case 'stopped': return 'Stopped.';
    default: return '';
  }
}

/** The arguments of a call, laid out if they are complete. */
function layOut(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function callCard(call) {
  return make('section', { class: 'call', 'aria-label': `Call of ${call.name}` },
    make('p', { class: 'call-name' }, 'Call of ', make('code', {}, call.name)),
    codeBlock(layOut(call.arguments), 'arguments'));
}

/** What the reader types or sends: a turn of the user or the result of a call. */
export class TextView {
  /** `actions.edit(text)` is called with the new text, `actions.leave()` when editing ends without one. Without them the turn
   *  cannot be edited. */
  constructor(turn, actions = {}) {
    const isResult = turn.role === 'tool';
    this.turn = turn;
    this.actions = actions;
    this.body = isResult ? codeBlock(turn.content, `result of ${turn.name}`) : make('p', { class: 'said' }, turn.content);
    this.bar = make('div', { class: 'actions' }, copyButton(() => turn.content, 'Copy message'));
    if (actions.edit) {
      const button = smallButton('Edit', () => this.beginEdit(), 'Edit your last message');
      button.classList.add('edit');
      this.bar.append(button);
    }
    this.element = make('article', { class: isResult ? 'turn result' : 'turn user', 'aria-label': isResult ? 'Result' : 'You' },
      this.body, isResult ? null : this.bar);
  }

  beginEdit() {
    const field = make('textarea', { 'aria-label': 'Edit your message', rows: '3' });
    field.value = this.turn.content;
    const close = () => {
      this.element.replaceChildren(this.body, this.bar);
      this.actions.leave();
    };
    const send = () => {
      const text = field.value.trim();
      if (text) this.actions.edit(text);
    };
    field.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        close();
      } else if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        send();
      }
    });
    const bar = make('div', { class: 'actions' }, smallButton('Send', send), smallButton('Cancel', close));
    this.element.replaceChildren(field, bar);
    field.focus();
  }
}

/** An answer, while it comes and afterwards. */
export class AnswerView {
  /** `actions.regenerate()` and `actions.sendResults(texts)`; without them the turn only shows. */
  constructor(answer, contextLength = 0) {
    this.answer = answer;
    this.contextLength = contextLength;
    this.thoughtTitle = make('summary');
    this.thought = make('div', { class: 'markdown' });
    this.thinking = make('details', { class: 'thinking', hidden: true }, this.thoughtTitle, this.thought);
    this.content = make('div', { class: 'markdown' });
    this.calls = make('div', { class: 'calls' });
    this.notes = make('div', { class: 'notes' });
    this.foot = make('div', { class: 'actions' });
    this.element = make('article', { class: 'turn answer', 'aria-label': `Answer of ${answer.model}` },
      this.thinking, this.content, this.calls, this.notes, this.foot);
    this.thinking.addEventListener('toggle', () => this.showThought());
  }

  /** Shows the answer as it is now. */
  update(isRunning) {
    const { answer } = this;
    this.element.classList.toggle('running', isRunning);
    this.thinking.hidden = !answer.reasoning;
    this.thoughtTitle.textContent = describeThought(answer, isRunning);
    this.showThought();
    renderMarkdown(this.content, answer.content);
    // Only the last call grows.
    while (this.calls.children.length > Math.max(0, answer.calls.length - 1)) this.calls.lastElementChild.remove();
    answer.calls.slice(this.calls.children.length).forEach((call) => this.calls.append(callCard(call)));
  }

  /** What is folded is not rendered. */
  showThought() {
    if (this.thinking.open) renderMarkdown(this.thought, this.answer.reasoning);
  }

  /** Shows the complete answer with its notes, figures and buttons. */
  finish(actions = {}) {
    const { answer } = this;
    this.update(false);
    const sentences = [...answer.warnings, describeEnd(answer)].filter((sentence) => sentence);
    this.notes.replaceChildren(...sentences.map((sentence) => make('p', { class: 'note' }, sentence)));
    if (answer.error) this.notes.append(make('p', { class: 'error', role: 'alert' }, answer.error));
    this.foot.replaceChildren();
    if (answer.content) this.foot.append(copyButton(() => answer.content, 'Copy answer'));
    if (actions.regenerate) {
      this.foot.append(smallButton(answer.error ? 'Try again' : 'Regenerate', actions.regenerate));
    }
    if (answer.stats) this.foot.append(make('span', { class: 'stats' }, describeStats(answer.stats, this.contextLength)));
    if (actions.sendResults && answer.calls.length > 0) this.notes.append(resultForm(answer.calls, actions.sendResults));
  }
}

/** Fields for what the called tools return: the page runs none itself. */
function resultForm(calls, sendResults) {
  const fields = calls.map((call) => make('textarea', { rows: '2', 'aria-label': `Result of ${call.name}`,
    placeholder: `What ${call.name} returns` }));
  const form = make('form', { class: 'results' }, ...fields,
    make('button', { type: 'submit', class: 'small' }, calls.length === 1 ? 'Send result' : 'Send results'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    sendResults(fields.map((field) => field.value));
  });
  return form;
}
