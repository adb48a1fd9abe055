// The page: puts conversation, settings and views together, and runs answers.
import { listModels, streamChat } from './chat_api.js';
import { addChunk, loadTurns, newAnswer, saveTurns, toMessages } from './conversation.js';
import { smallButton } from './dom.js';
import { exportConversation } from './export.js';
import { Scroller } from './scroller.js';
import { Settings } from './settings.js';
import { setUpTheme } from './theme_choice.js';
import { AnswerView, TextView, describeStats } from './turn_view.js';

const byId = (id) => document.getElementById(id);
const MODELS_POLL_MS = 2000;  // while one of them loads

const settings = new Settings(byId('settings-form'));
const scroller = new Scroller(byId('scroller'), byId('to-end'));
const message = byId('message');
let turns = loadTurns();
let views = [];
let models = [];
let isModelFaultShown = false;  // in the notice
let running = null;  // {abort, answer, view} of the answer that comes

function announce(text) {
  byId('announcer').textContent = text;
}

/** Shows a sentence below the conversation, with a button if there is something to do about it. */
function notify(text, label = null, action = null) {
  const notice = byId('notice');
  notice.hidden = !text;
  notice.replaceChildren(text, label ? smallButton(label, action) : '');
}

function contextLength() {
  return models.find((model) => model.id === settings.model)?.context_length ?? 0;
}

function keep() {
  if (!saveTurns(turns)) notify('The browser has no room to keep this conversation. Export it before you close the page.');
}

// ---- The conversation on the screen

function lastIndexOf(role) {
  return turns.findLastIndex((turn) => turn.role === role);
}

function makeView(turn, index) {
  if (turn.role === 'assistant') return new AnswerView(turn, contextLength());
  const isLastOfUser = turn.role === 'user' && index === lastIndexOf('user');
  return new TextView(turn, isLastOfUser ? { edit: (text) => replaceFrom(index, text), leave: () => message.focus() } : {});
}

function showTurns() {
  views = turns.map(makeView);
  views.forEach((view, index) => {
    if (view instanceof AnswerView && view.answer !== running?.answer) view.finish(actionsOf(index));
  });
  byId('turns').replaceChildren(...views.map((view) => view.element));
  byId('welcome').hidden = turns.length > 0;
}

/** What can be done with the answer at `index`: only with the last turn, and only when it is complete. */
function actionsOf(index) {
  if (index < 0 || index !== turns.length - 1 || running) return {};
  return {
    regenerate: () => {
      if (!isSendable()) return;
      turns.length = index;
      answer();
    },
    sendResults: (texts) => {
      if (!isSendable()) return;
      turns[index].calls.forEach((call, i) => {
        turns.push({ role: 'tool', id: call.id, name: call.name, content: texts[i] });
      });
      answer();
    },
  };
}

/** Whether a request can be made now. If a setting is in the way, it is shown. */
function isSendable() {
  if (running) return false;
  const fault = settings.faultyField;
  if (fault) openSettings(fault);
  return !fault;
}

function replaceFrom(index, text) {
  if (!isSendable()) return;
  turns.length = index;
  say(text);
}

function say(text) {
  turns.push({ role: 'user', content: text });
  answer();
}

// ---- An answer

function showRunning(isRunning) {
  byId('send').hidden = isRunning;
  byId('stop').hidden = !isRunning;
  byId('turns').setAttribute('aria-busy', String(isRunning));
  byId('activity').textContent = isRunning ? 'Waiting for the model …' : '';
}

/** What happens now, below the field: the prompt's progress, then the speed. */
function showActivity(chunk, current) {
  const progress = chunk.prompt_progress;
  if (progress && progress.processed < progress.total) {
    byId('activity').textContent = `Reading the prompt … ${Math.round((100 * progress.processed) / progress.total)} %`;
  } else if (current.stats?.rate > 0) {
    byId('activity').textContent = describeStats({ rate: current.stats.rate, generated: chunk.timings?.predicted_n });
  } else if (current.content || current.reasoning) {
    byId('activity').textContent = '';
  }
}

/** Draws at most once a frame, however fast chunks come. */
function scheduleDraw() {
  if (running.frame) return;
  running.frame = requestAnimationFrame(() => {
    if (!running) return;
    running.frame = 0;
    running.view.update(true);
    scroller.follow();
  });
}

function takeChunk(chunk) {
  const current = running.answer;
  addChunk(current, chunk);
  const isThinking = current.reasoning && !current.content && current.calls.length === 0;
  if (isThinking) {
    running.thinkingSince ??= performance.now();
    current.thought = performance.now() - running.thinkingSince;
  }
  showActivity(chunk, current);
  scheduleDraw();
}

/** Asks for the answer to the turns as they are. */
async function answer() {
  const request = {
    ...settings.requestMembers(), messages: toMessages(turns, settings.system), timings_per_token: true, return_progress: true,
  };
  const current = newAnswer(settings.model);
  turns.push(current);
  running = { abort: new AbortController(), answer: current, frame: 0 };
  showTurns();
  running.view = views[views.length - 1];
  notify('');
  showRunning(true);
  scroller.toEnd();
  announce('The answer is being written.');
  await receive(request, current);
  finishAnswer(current);
}

async function receive(request, current) {
  try {
    await streamChat(request, settings.key, running.abort.signal, takeChunk);
    current.finish ??= 'stop';
  } catch (error) {
    if (error.name === 'AbortError') {
      current.finish = 'stopped';
      return;
    }
    current.finish = 'error';
    current.error = error.message;
    if (error.needsKey) askForKey();
    if (error.isLoading) refreshModels();
  }
}

function finishAnswer(current) {
  cancelAnimationFrame(running.frame);
  const { view } = running;
  running = null;
  current.calls = current.calls.filter((call) => call);
  showRunning(false);
  view.contextLength = contextLength();
  view.finish(actionsOf(turns.indexOf(current)));
  scroller.follow();
  keep();
  announce(current.error ?? (current.finish === 'stopped' ? 'Stopped.' : 'The answer is complete.'));
}

function stop() {
  running?.abort.abort();
}

// ---- The field

function fitField() {
  message.style.height = 'auto';
  message.style.height = `${message.scrollHeight}px`;
}

byId('composer').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = message.value.trim();
  if (!text || !isSendable()) return;
  message.value = '';
  fitField();
  say(text);
});

message.addEventListener('input', fitField);
message.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    byId('composer').requestSubmit();
  } else if (event.key === 'ArrowUp' && message.value === '' && !running) {
    const view = views[lastIndexOf('user')];
    if (view) {
      event.preventDefault();
      view.beginEdit();
    }
  }
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !byId('settings').open) stop();
});
byId('stop').addEventListener('click', stop);

// ---- Everything around it

function openSettings(field = null) {
  if (!byId('settings').open) byId('settings').showModal();
  if (field) settings.fields[field].focus();
}

/** The field for the key is there only for servers that want one. */
function askForKey() {
  byId('key-row').hidden = false;
  openSettings('key');
}

function newChat() {
  stop();
  const before = turns;
  turns = [];
  showTurns();
  keep();
  notify('');
  if (before.length > 0) {
    notify('The conversation is cleared.', 'Undo', () => {
      turns = before;
      notify('');
      showTurns();
      keep();
    });
  }
  message.focus();
}

/** Lists the models, and again until none of them loads. */
async function refreshModels() {
  try {
    models = await listModels(settings.key);
    settings.showModels(models);
    if (models.length === 0) notify('The server shows no model.');
    else if (isModelFaultShown) notify('');
    isModelFaultShown = models.length === 0;
    if (models.some((model) => model.meta?.state === 'loading')) setTimeout(refreshModels, MODELS_POLL_MS);
  } catch (error) {
    notify(error.message, 'Try again', refreshModels);
    isModelFaultShown = true;
    if (error.needsKey) askForKey();
  }
}

byId('open-settings').addEventListener('click', () => openSettings());
byId('settings').addEventListener('close', () => {
  if (models.length === 0) refreshModels();
  message.focus();
});
byId('settings').addEventListener('click', (event) => {
  if (event.target === byId('settings')) byId('settings').close();  // beside the panel
});
byId('new-chat').addEventListener('click', newChat);
byId('export-markdown').addEventListener('click', () => exportConversation(turns, settings.system, 'markdown'));
byId('export-json').addEventListener('click', () => exportConversation(turns, settings.system, 'json'));
setUpTheme(byId('theme'));
byId('key-row').hidden = settings.key === '';
showTurns();
fitField();
scroller.toEnd();
refreshModels();
