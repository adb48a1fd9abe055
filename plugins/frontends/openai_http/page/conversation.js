// The conversation: its turns, how they are sent, kept and exported.
//
// A turn is {role: "user", content}, {role: "tool", content, id, name}, or an answer:
//   {role: "assistant", content, reasoning, calls: [{id, name, arguments}], model,
//    finish    "stop", "length", "tool_calls", ..., "stopped" by the reader, "error"
//    error     what went wrong, if something did
//    stats     {rate, generated, prompt, cached, seconds}
//    thought   milliseconds of thinking
//    warnings  sentences of the server}

const PLACE = 'vernal.conversation';

export function newAnswer(model) {
  return {
    role: 'assistant', content: '', reasoning: '', calls: [], model, finish: null, error: null, stats: null, thought: 0,
    warnings: [],
  };
}

/** Adds what a chunk of the stream brings to an answer. */
export function addChunk(answer, chunk) {
  if (chunk.warnings) answer.warnings = chunk.warnings;
  for (const choice of chunk.choices ?? []) {
    answer.content += choice.delta.content ?? '';
    answer.reasoning += choice.delta.reasoning_content ?? '';
    for (const part of choice.delta.tool_calls ?? []) addCallPart(answer.calls, part);
    if (choice.finish_reason) answer.finish = choice.finish_reason;
  }
  if (chunk.usage || chunk.timings) answer.stats = statsOf(chunk, answer.stats);
}

function addCallPart(calls, part) {
  const call = calls[part.index] ??= { id: '', name: '', arguments: '' };
  call.id ||= part.id ?? '';
  call.name += part.function?.name ?? '';
  call.arguments += part.function?.arguments ?? '';
}

function statsOf({ usage, timings }, before) {
  const stats = { ...before };
  if (usage) {
    stats.prompt = usage.prompt_tokens;
    stats.generated = usage.completion_tokens;
    stats.cached = usage.prompt_tokens_details?.cached_tokens ?? 0;
  }
  if (timings) {
    stats.rate = timings.predicted_per_second;
    stats.generated ??= timings.predicted_n;
    stats.seconds = (timings.prompt_ms ?? 0) / 1000;
  }
  return stats;
}

/** The turns as messages of the API. An answer that brought nothing is left out. */
export function toMessages(turns, system) {
  const messages = system ? [{ role: 'system', content: system }] : [];
  for (const turn of turns) {
    if (turn.role === 'user') messages.push({ role: 'user', content: turn.content });
    if (turn.role === 'tool') messages.push({ role: 'tool', tool_call_id: turn.id, name: turn.name, content: turn.content });
    if (turn.role === 'assistant' && (turn.content || turn.calls.length > 0)) messages.push(answerMessage(turn));
  }
  return messages;
}

function answerMessage(turn) {
  const message = { role: 'assistant', content: turn.content };
  if (turn.reasoning) message.reasoning_content = turn.reasoning;
  if (turn.calls.length > 0) {
    message.tool_calls = turn.calls.map((call) => ({
      id: call.id, type: 'function', function: { name: call.name, arguments: call.arguments },
    }));
  }
  return message;
}

export function toMarkdown(turns, system) {
  const parts = system ? [`## System\n\n${system}`] : [];
  for (const turn of turns) {
    if (turn.role === 'user') parts.push(`## You\n\n${turn.content}`);
    if (turn.role === 'tool') parts.push(`## Result of ${turn.name}\n\n${fenced(turn.content, '')}`);
    if (turn.role === 'assistant') parts.push(answerMarkdown(turn));
  }
  return `${parts.join('\n\n')}\n`;
}

function answerMarkdown(turn) {
  const parts = [`## ${turn.model}`];
  if (turn.reasoning) parts.push(turn.reasoning.trim().split('\n').map((line) => `> ${line}`).join('\n'));
  if (turn.content) parts.push(turn.content.trim());
  for (const call of turn.calls) parts.push(`Call of ${call.name}:\n\n${fenced(call.arguments, 'json')}`);
  return parts.join('\n\n');
}

/** A fence that the text cannot close. */
function fenced(text, language) {
  const runs = text.match(/`{3,}/g) ?? [];
  const fence = '`'.repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `${fence}${language}\n${text}\n${fence}`;
}

function isTurn(turn) {
  const isAnswer = turn?.role === 'assistant' && Array.isArray(turn.calls) && typeof turn.reasoning === 'string';
  return (isAnswer || turn?.role === 'user' || turn?.role === 'tool') && typeof turn.content === 'string';
}

/** The turns of the last visit. Anything else in their place is taken for none. */
export function loadTurns() {
  try {
    const turns = JSON.parse(localStorage.getItem(PLACE) ?? '[]');
    return Array.isArray(turns) && turns.every(isTurn) ? turns : [];
  } catch {
    return [];
  }
}

/** Whether there was room to keep them. */
export function saveTurns(turns) {
  try {
    localStorage.setItem(PLACE, JSON.stringify(turns));
    return true;
  } catch {
    return false;
  }
}
