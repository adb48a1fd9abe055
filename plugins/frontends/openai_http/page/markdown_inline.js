// The inline part of Markdown: code, emphasis, links, line breaks. What is not one of them is text, HTML too.
import { make } from './dom.js';

const MAX_DEPTH = 8;  // of emphasis in emphasis; deeper marks are text
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const BARE_ADDRESS = /https?:\/\/[^\s<>"'`]+/y;

/** An element that opens `address` in a tab of its own, or null if it is not one of the web or of mail. */
function link(address, fillIn) {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return null;
  let url;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  const anchor = make('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer' });
  fillIn(anchor);
  return anchor;
}

function isSpace(character) {
  return character === undefined || /\s/.test(character);
}

function isWord(character) {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}

/** The length of the run of one character that begins at `start`. */
function runLength(text, start) {
  let end = start + 1;
  while (text[end] === text[start]) ++end;
  return end - start;
}

/** One pass over a text. `position` is where the next character is read; `plain` is where unwritten text begins. */
class InlineParser {
  constructor(text, depth) {
    this.text = text;
    this.depth = depth;
    this.position = 0;
    this.plain = 0;
    this.unclosed = new Set();  // marks that have no end in the rest, so that it is not sought again and again
  }

  fill(parent) {
    this.parent = parent;
    while (this.position < this.text.length) {
      if (!this.takeMark()) ++this.position;
    }
    this.flush(this.text.length);
  }

  flush(end) {
    if (end > this.plain) this.parent.append(this.text.slice(this.plain, end));
  }

  /** Writes `nodes` in place of the text from here to `end`. */
  put(end, ...nodes) {
    this.flush(this.position);
    this.parent.append(...nodes);
    this.position = end;
    this.plain = end;
    return true;
  }

  takeMark() {
    switch (this.text[this.position]) {
      case '\\': return this.takeEscape();
      case '\n': return this.put(this.position + 1, make('br'));
      case '`': return this.takeCode();
      case '*':
      case '_': return this.takeEmphasis();
      case '~': return this.takeStrike();
      case '!': return this.text[this.position + 1] === '[' && this.takeLink(this.position + 1);
      case '[': return this.takeLink(this.position);
      case '<': return this.takeAngledAddress();
      case 'h': return this.takeBareAddress();
      default: return false;
    }
  }

  takeEscape() {
    const next = this.text[this.position + 1];
    if (next === '\n') return this.put(this.position + 2, make('br'));
    return next !== undefined && ESCAPABLE.test(next) && this.put(this.position + 2, next);
  }

  takeCode() {
    const length = runLength(this.text, this.position);
    const begin = this.position + length;
    const end = this.findRun('`', length, begin);
    if (end < 0) {
      this.position = begin - 1;  // the whole run is text
      return false;
    }
    let code = this.text.slice(begin, end).replaceAll('\n', ' ');
    if (code.startsWith(' ') && code.endsWith(' ') && code.trim() !== '') code = code.slice(1, -1);
    return this.put(end + length, make('code', {}, code));
  }

  /** Where the next run of exactly `length` characters `mark` begins, or -1. */
  findRun(mark, length, from) {
    const key = `${mark}${length}`;
    if (this.unclosed.has(key)) return -1;
    for (let at = this.text.indexOf(mark, from); at >= 0;) {
      const found = runLength(this.text, at);
      if (found === length) return at;
      at = this.text.indexOf(mark, at + found);
    }
    this.unclosed.add(key);
    return -1;
  }

  takeEmphasis() {
    const mark = this.text[this.position];
    const run = runLength(this.text, this.position);
    const length = Math.min(run, 2);
    return this.takeSpan(mark.repeat(length), length === 2 ? 'strong' : 'em');
  }

  takeStrike() {
    return this.text.startsWith('~~', this.position) && this.takeSpan('~~', 'del');
  }

  takeSpan(mark, tag) {
    const begin = this.position + mark.length;
    const before = this.text[this.position - 1];
    const opens = !isSpace(this.text[begin]) && !(mark[0] === '_' && isWord(before)) && this.depth < MAX_DEPTH;
    const end = opens ? this.findEndOfSpan(mark, begin) : -1;
    if (end < 0) {
      this.position += runLength(this.text, this.position) - 1;
      return false;
    }
    const element = make(tag);
    new InlineParser(this.text.slice(begin, end), this.depth + 1).fill(element);
    return this.put(end + mark.length, element);
  }

  findEndOfSpan(mark, begin) {
    if (this.unclosed.has(mark)) return -1;
    for (let at = this.text.indexOf(mark[0], begin); at >= 0;) {
      const run = runLength(this.text, at);
      const isEscaped = this.text[at - 1] === '\\';
      const fits = mark.length === 1 ? run !== 2 : run >= 2;
      const closes = fits && !isSpace(this.text[at - 1]) && !(mark[0] === '_' && isWord(this.text[at + run]));
      // Of a longer run the last characters are the mark: the others end a span inside.
      if (closes && !isEscaped && at + run - mark.length > begin) return at + run - mark.length;
      at = this.text.indexOf(mark[0], at + run);
    }
    this.unclosed.add(mark);
    return -1;
  }

  /** [text](address "title"), or the same behind "!": pictures are links, so that no answer makes the browser load one. */
  takeLink(bracket) {
    const end = this.matching('[', ']', bracket);
    if (end < 0 || this.text[end + 1] !== '(') return false;
    const close = this.matching('(', ')', end + 1);
    if (close < 0) return false;
    const inside = this.text.slice(end + 2, close).trim();
    const address = inside.split(/\s/, 1)[0].replace(/^<|>$/g, '');
    const label = this.text.slice(bracket + 1, end);
    const anchor = link(address, (parent) => {
      // A link holds no other one: its text is read as deep as it goes.
      if (label === '') parent.append(address);
      else new InlineParser(label, MAX_DEPTH).fill(parent);
    });
    return anchor !== null && this.put(close + 1, anchor);
  }

  /** Where the bracket at `start` is closed, within a length that links have. */
  matching(open, close, start) {
    const limit = Math.min(this.text.length, start + 2000);
    let depth = 0;
    for (let at = start; at < limit; ++at) {
      if (this.text[at] === '\\') ++at;
      else if (this.text[at] === open) ++depth;
      else if (this.text[at] === close && --depth === 0) return at;
    }
    return -1;
  }

  takeAngledAddress() {
    const end = this.text.indexOf('>', this.position);
    if (end < 0 || end - this.position > 2000) return false;
    const address = this.text.slice(this.position + 1, end);
    const anchor = /\s/.test(address) ? null : link(address, (parent) => parent.append(address));
    return anchor !== null && this.put(end + 1, anchor);
  }

  takeBareAddress() {
    BARE_ADDRESS.lastIndex = this.position;
    const found = this.depth < MAX_DEPTH ? BARE_ADDRESS.exec(this.text) : null;
    if (!found) return false;
    let address = found[0].replace(/[.,;:!?*_~]+$/, '');
    if (address.endsWith(')') && !address.includes('(')) address = address.slice(0, -1);
    const anchor = link(address, (parent) => parent.append(address));
    return anchor !== null && this.put(this.position + address.length, anchor);
  }
}

/** Appends `text` to `parent`. */
export function fillInline(parent, text) {
  new InlineParser(text, 0).fill(parent);
}
