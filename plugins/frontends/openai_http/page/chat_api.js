// Speaks to the server that the page came from. Paths are relative, so that a proxy may put the server in a folder.

/** What the server, or the way to it, says instead of an answer. */
export class ApiError extends Error {
  constructor(message, status = 0, code = '') {
    super(message);
    this.status = status;  // of HTTP; 0: there was no answer
    this.code = code;
  }

  get needsKey() {
    return this.status === 401;
  }

  get isLoading() {
    return this.code === 'model_loading';
  }
}

function headersWith(key, more = {}) {
  return key ? { ...more, Authorization: `Bearer ${key}` } : more;
}

async function errorOf(response) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // A proxy's page of its own.
  }
  const message = error.message ?? `The server answered with status ${response.status}.`;
  return new ApiError(message, response.status, error.code ?? '');
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, credentials: 'same-origin', redirect: 'error' });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError('The server cannot be reached.');
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** The models of the server, as /v1/models lists them. */
export async function listModels(key) {
  const response = await request('v1/models', { headers: headersWith(key) });
  return (await response.json()).data;
}

/** The data of each event of an event stream. */
async function* eventsOf(body) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: !done });
    const lines = text.split('\n');
    text = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data:')) yield line.slice(5).trim();
    }
    if (done) return;
  }
}

/**
 * Asks for an answer as a stream and calls `onChunk` with each chunk of it. Returns when the stream is complete. Throws
 * ApiError, also for a stream that ends before its end, and an AbortError when `signal` stops it.
 */
export async function streamChat(body, key, signal, onChunk) {
  const response = await request('v1/chat/completions', {
    method: 'POST',
    headers: headersWith(key, { 'Content-Type': 'application/json' }),
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  try {
    for await (const data of eventsOf(response.body)) {
      if (data === '[DONE]') return;
      const chunk = JSON.parse(data);
      if (chunk.error) throw new ApiError(chunk.error.message, response.status, chunk.error.code ?? '');
      onChunk(chunk);
    }
  } catch (error) {
    if (error instanceof TypeError) throw new ApiError('The connection was lost before the answer was complete.');
    throw error;
  }
  throw new ApiError('The connection ended before the answer was complete.');
}
