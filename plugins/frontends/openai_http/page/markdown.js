// Shows Markdown as models write it: headings, paragraphs, lists, quotes, tables, code. Only elements and text nodes are
// made, so an answer cannot bring markup of its own. Text that grows is rendered again block by block: those that have
// not changed keep their elements, and with them the reader's selection.
import { copyButton, make } from './dom.js';
import { fillInline } from './markdown_inline.js';

const MAX_DEPTH = 10;  // of lists and quotes in each other; deeper ones are paragraphs
const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;
const HEADING = /^ {0,3}(#{1,6})(?=\s|$)/;
const RULE = /^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?=\s|$)/;

const isBlank = (line) => line.trim() === '';
const indentOf = (line) => line.length - line.trimStart().length;

/** What a line begins, or null if it goes on with a paragraph. `next` is the line behind it. */
function blockBegin(line, next, depth) {
  const fence = FENCE.exec(line);
  if (fence && !(fence[1][0] === '`' && fence[2].includes('`'))) return takeFence;
  if (HEADING.test(line)) return takeHeading;
  if (RULE.test(line)) return takeRule;
  if (depth < MAX_DEPTH && QUOTE.test(line)) return takeQuote;
  if (depth < MAX_DEPTH && ITEM.test(line)) return takeList;
  if (line.includes('|') && next !== undefined && isTableRule(next)) return takeTable;
  return null;
}

/** Each take function reads the block that begins at `start`: {end, build}, where `end` is the line behind it. */
function takeFence(lines, start) {
  const [, mark, info] = FENCE.exec(lines[start]);
  let end = start + 1;
  const closes = (line) => {
    const found = FENCE.exec(line);
    return found && found[1][0] === mark[0] && found[1].length >= mark.length && isBlank(found[2]);
  };
  while (end < lines.length && !closes(lines[end])) ++end;
  const indent = indentOf(lines[start]);
  const code = lines.slice(start + 1, end).map((line) => line.slice(Math.min(indent, indentOf(line)))).join('\n');
  return { end: Math.min(end + 1, lines.length), build: () => codeBlock(code, info.trim().split(/\s/, 1)[0]) };
}

/** A block of code with its language and a button that copies it. */
export function codeBlock(code, language) {
  const caption = make('figcaption', {}, make('span', {}, language || 'text'), copyButton(() => code, 'Copy code'));
  return make('figure', { class: 'code' }, caption, make('pre', { tabindex: '0' }, make('code', {}, code)));
}

function takeHeading(lines, start) {
  const level = HEADING.exec(lines[start])[1].length;
  const text = lines[start].trim().slice(level).trim().replace(/ #+$/, '');
  return {
    end: start + 1,
    build: () => {
      // The page has headings of its own, so those of an answer begin at the third level.
      const heading = make(`h${Math.min(level + 2, 6)}`);
      fillInline(heading, text);
      return heading;
    },
  };
}

function takeRule(lines, start) {
  return { end: start + 1, build: () => make('hr') };
}

function takeQuote(lines, start, depth) {
  let end = start;
  while (end < lines.length && QUOTE.test(lines[end])) ++end;
  const inside = lines.slice(start, end).map((line) => line.replace(QUOTE, ''));
  return { end, build: () => fillBlocks(make('blockquote'), inside, depth + 1) };
}

/** The lines of one item of a list, without its mark and indent. */
function takeItem(lines, start) {
  const found = ITEM.exec(lines[start]);
  const behind = lines[start].slice(found[0].length);
  const space = indentOf(behind);
  const width = found[0].length + (isBlank(behind) || space > 4 ? 1 : space);
  const inside = [lines[start].slice(width)];
  let end = start + 1;
  for (; end < lines.length; ++end) {
    const line = lines[end];
    const isInside = isBlank(line) || indentOf(line) >= Math.min(width, found[1].length + 2);
    const isLazy = !isBlank(lines[end - 1]) && blockBegin(line, undefined, 0) === null;
    if (!isInside && !isLazy) break;
    inside.push(line.slice(Math.min(width, indentOf(line))));
  }
  while (isBlank(inside[inside.length - 1]) && inside.length > 1) {
    inside.pop();
    --end;
  }
  return { end, inside };
}

function takeList(lines, start, depth) {
  const isOrdered = (line) => /\d/.test(ITEM.exec(line)[2]);
  const ordered = isOrdered(lines[start]);
  const items = [];
  let end = start;
  let next = start;
  while (next < lines.length && ITEM.test(lines[next]) && !RULE.test(lines[next]) && isOrdered(lines[next]) === ordered) {
    const item = takeItem(lines, next);
    items.push(item.inside);
    end = item.end;
    next = end;
    while (next < lines.length && isBlank(lines[next])) ++next;
  }
  const first = ordered ? parseInt(ITEM.exec(lines[start])[2], 10) : null;
  return {
    end,
    build: () => make(ordered ? 'ol' : 'ul', { start: first === 1 ? null : first },
      ...items.map((inside) => fillItem(make('li'), inside, depth))),
  };
}

/** An item of one paragraph holds its text without a paragraph around it. */
function fillItem(item, lines, depth) {
  fillBlocks(item, lines, depth + 1);
  const first = item.firstElementChild;
  if (first?.tagName === 'P') first.replaceWith(...first.childNodes);
  return item;
}

function cellsOf(line) {
  const cells = [''];
  const text = line.trim().replace(/^\|/, '').replace(/(^|[^\\])\|$/, '$1');
  for (let at = 0; at < text.length; ++at) {
    if (text[at] === '\\' && text[at + 1] === '|') cells[cells.length - 1] += text[++at];
    else if (text[at] === '|') cells.push('');
    else cells[cells.length - 1] += text[at];
  }
  return cells.map((cell) => cell.trim());
}

function isTableRule(line) {
  return line.includes('-') && cellsOf(line).every((cell) => /^:?-+:?$/.test(cell));
}

function takeTable(lines, start) {
  let end = start + 2;
  while (end < lines.length && !isBlank(lines[end]) && lines[end].includes('|')) ++end;
  const sides = cellsOf(lines[start + 1]).map((rule) => {
    if (rule.endsWith(':')) return rule.startsWith(':') ? 'center' : 'right';
    return null;
  });
  const row = (line, tag) => make('tr', {}, ...sides.map((side, column) => {
    const cell = make(tag, { class: side });
    fillInline(cell, cellsOf(line)[column] ?? '');
    return cell;
  }));
  const body = lines.slice(start + 2, end);
  return {
    end,
    build: () => make('div', { class: 'table', tabindex: '0', role: 'group', 'aria-label': 'Table' }, make('table', {},
      make('thead', {}, row(lines[start], 'th')),
      make('tbody', {}, ...body.map((line) => row(line, 'td'))))),
  };
}

function takeParagraph(lines, start, depth) {
  let end = start + 1;
  while (end < lines.length && !isBlank(lines[end]) && !blockBegin(lines[end], lines[end + 1], depth)) ++end;
  const text = lines.slice(start, end).map((line) => line.trim()).join('\n');
  return {
    end,
    build: () => {
      const paragraph = make('p');
      fillInline(paragraph, text);
      return paragraph;
    },
  };
}

/** The blocks of some lines: {source, build}. Equal sources build equal elements. */
function blocksOf(lines, depth) {
  const blocks = [];
  for (let at = 0; at < lines.length;) {
    if (isBlank(lines[at])) {
      ++at;
      continue;
    }
    const take = blockBegin(lines[at], lines[at + 1], depth) ?? takeParagraph;
    const { end, build } = take(lines, at, depth);
    blocks.push({ source: lines.slice(at, end).join('\n'), build });
    at = end;
  }
  return blocks;
}

function fillBlocks(parent, lines, depth) {
  parent.append(...blocksOf(lines, depth).map((block) => block.build()));
  return parent;
}

const sources = new WeakMap();  // of each block's element

/** Makes `target` show `text`, and leaves the elements of blocks alone that are as they were. */
export function renderMarkdown(target, text) {
  const blocks = blocksOf(text.split(/\r?\n/), 0);
  blocks.forEach((block, index) => {
    const present = target.children[index];
    if (present && sources.get(present) === block.source) return;
    const element = block.build();
    sources.set(element, block.source);
    if (present) present.replaceWith(element);
    else target.append(element);
  });
  while (target.children.length > blocks.length) target.lastElementChild.remove();
}
