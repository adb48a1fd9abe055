// Hands the conversation to the reader as a file.
import { toMarkdown, toMessages } from './conversation.js';
import { make } from './dom.js';

/** Downloads the turns as a document for readers ("markdown") or as messages of the API ("json"). */
export function exportConversation(turns, system, format) {
  const isJson = format === 'json';
  const text = isJson ? `${JSON.stringify({ messages: toMessages(turns, system) }, null, 2)}\n` : toMarkdown(turns, system);
  const url = URL.createObjectURL(new Blob([text], { type: isJson ? 'application/json' : 'text/markdown' }));
  make('a', { href: url, download: `conversation.${isJson ? 'json' : 'md'}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
