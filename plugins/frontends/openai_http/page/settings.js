// The panel of settings: what is sent along with every request. Empty fields leave the decision to the server.

const PLACE = 'vernal.settings';
const KEY_PLACE = 'vernal.key';  // of the session: the key is forgotten with the tab

/** Members of the request that are numbers, with the field of the panel they come from. */
const NUMBERS = ['temperature', 'top_p', 'top_k', 'min_p', 'max_tokens', 'seed'];
const TEXTS = ['system', 'reasoning_effort', 'tools', 'model'];

function read(storage, place) {
  try {
    return storage().getItem(place);
  } catch {
    return null;
  }
}

function write(storage, place, value) {
  try {
    storage().setItem(place, value);
  } catch {
    // Without storage, settings last as long as the page.
  }
}

const local = () => localStorage;
const session = () => sessionStorage;

/** The tools of a text, or an Error that says what is wrong with it. */
export function parseTools(text) {
  if (text.trim() === '') return [];
  let tools;
  try {
    tools = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is not JSON: ${error.message}`);
  }
  if (!Array.isArray(tools)) throw new Error('Expected an array of tools.');
  return tools.map((tool, index) => {
    const definition = tool?.function ?? tool;
    if (typeof definition?.name !== 'string') throw new Error(`Tool ${index + 1} has no name.`);
    return { type: 'function', function: definition };
  });
}

export class Settings {
  /** `form` has a field for each name above and one called "key". */
  constructor(form) {
    this.fields = form.elements;
    let kept = {};
    try {
      kept = JSON.parse(read(local, PLACE) ?? '{}') ?? {};
    } catch {
      // What another page left there.
    }
    for (const name of [...NUMBERS, ...TEXTS]) {
      if (typeof kept[name] === 'string') this.set(name, kept[name]);
    }
    this.keptModel = typeof kept.model === 'string' ? kept.model : '';
    this.fields.key.value = read(session, KEY_PLACE) ?? '';
    form.addEventListener('input', () => this.save());
    form.addEventListener('change', () => this.save());
    this.judgeTools();
  }

  set(name, value) {
    this.fields[name].value = value;
  }

  get key() {
    return this.fields.key.value.trim();
  }

  get system() {
    return this.fields.system.value.trim();
  }

  get model() {
    return this.fields.model.value;
  }

  save() {
    const kept = Object.fromEntries([...NUMBERS, ...TEXTS].map((name) => [name, this.fields[name].value]));
    kept.model ||= this.keptModel;
    write(local, PLACE, JSON.stringify(kept));
    write(session, KEY_PLACE, this.key);
    this.judgeTools();
  }

  judgeTools() {
    const field = this.fields.tools;
    let fault = '';
    try {
      parseTools(field.value);
    } catch (error) {
      fault = error.message;
    }
    field.setCustomValidity(fault);
    field.setAttribute('aria-invalid', fault ? 'true' : 'false');
    document.getElementById('tools-fault').textContent = fault;
  }

  /** The name of a field whose value cannot be sent, or null. */
  get faultyField() {
    const names = [...NUMBERS, 'tools'];
    return names.find((name) => !this.fields[name].checkValidity()) ?? null;
  }

  /** Members of the request. Only if no field is faulty. */
  requestMembers() {
    const members = { model: this.model || undefined };
    for (const name of NUMBERS) {
      if (this.fields[name].value !== '') members[name] = this.fields[name].valueAsNumber;
    }
    if (this.fields.reasoning_effort.value) members.reasoning_effort = this.fields.reasoning_effort.value;
    const tools = parseTools(this.fields.tools.value);
    if (tools.length > 0) members.tools = tools;
    return members;
  }

  /** Shows the models of the server in the list, and keeps the choice if it is among them. */
  showModels(models) {
    const list = this.fields.model;
    const wanted = list.value || this.keptModel;
    list.replaceChildren(...models.map((model) => {
      const state = model.meta?.state;
      const text = state && state !== 'ready' ? `${model.id} (${state})` : model.id;
      const option = new Option(text, model.id);
      option.title = model.meta?.description ?? '';
      return option;
    }));
    if (models.some((model) => model.id === wanted)) list.value = wanted;
    list.disabled = models.length === 0;
  }
}
