/* A frontend turns a client's protocol into request documents, and events back into the protocol.
 * Templates, tokenizers, grammars and the syntax of tools belong to the core. */
#ifndef VERNAL_ABI_FRONTEND_H
#define VERNAL_ABI_FRONTEND_H

#include "vernal/abi/config.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VERNAL_SERVICE_ENGINE "vernal.svc.engine/1"
#define VERNAL_SERVICE_TEXT "vernal.svc.text/1"
#define VERNAL_SERVICE_CONSOLE "vernal.svc.console/1"

/* ---- engine service -------------------------------------------------------------------------- */

typedef struct vernal_engine vernal_engine; /* opaque; outlives every frontend */
typedef uint64_t vernal_request_id;         /* 0 is never valid */

/* States of a model. */
#define VERNAL_MODEL_LOADING 1u
#define VERNAL_MODEL_READY 2u
#define VERNAL_MODEL_DRAINING 3u
#define VERNAL_MODEL_FAILED 4u

typedef struct vernal_model_info {
  uint64_t struct_size;
  vernal_str id;           /* name of the model or profile; '*' in it: frontend/model_names.hpp */
  vernal_str architecture; /* of the file */
  vernal_str description;  /* name and size from the file's metadata; may be empty */
  uint64_t context_length; /* most tokens of one request, prompt and answer together */
  uint64_t created;        /* Unix seconds: the file's modification time */
  uint64_t vocabulary_size;
  uint32_t state;
  uint32_t has_chat_template; /* 0 or 1 */
  /* Since 1.2. */
  vernal_str aliases;      /* more names for it, one on each line; may be empty */
  uint64_t num_slots;      /* requests that run at the same time; 0: not told */
  uint64_t embedding_size; /* numbers in an embedding; 0: it gives none */
} vernal_model_info;

typedef struct vernal_model_sink {
  int32_t (*add)(void* user, const vernal_model_info* model);
  void* user;
} vernal_model_sink;

typedef struct vernal_submit_args {
  uint64_t struct_size;
  vernal_str model;
  vernal_str request_json; /* one document vernal.request/1 (sdk/spec/request.md); copied */
  const int32_t* tokens;   /* prompt as token ids instead of text; copied; NULL: none */
  uint64_t num_tokens;
  /* Called on any thread of the core when an event arrives after poll_events had found none. So
   * take events until there are none. It must not block, and it may call no function of the engine
   * but poll_events. May be NULL. */
  void (*on_ready)(void* user, vernal_request_id request);
  void* user;
} vernal_submit_args;

/* Types of events, in their order, with the fields they use. Exactly one FINISHED or ERROR ends a
 * request. */
#define VERNAL_EVENT_ACCEPTED 1u /* prompt_tokens, context_length, text: a warning on each line */
#define VERNAL_EVENT_STARTED 2u  /* queued_us, cached_tokens, text: why so many were reused */
#define VERNAL_EVENT_PROGRESS 3u /* done, total: prompt tokens processed */
#define VERNAL_EVENT_DELTA 4u    /* choice, channel, text, tokens, logprobs */
#define VERNAL_EVENT_CHOICE_FINISHED 5u /* choice, finish_reason, text: the stop string, if any */
#define VERNAL_EVENT_FINISHED 6u        /* usage and timings */
#define VERNAL_EVENT_ERROR 7u           /* code, http_hint, param, text, error_code, retryable */
/* Since 1.2, before FINISHED of a document of the kind "embed": embedding. */
#define VERNAL_EVENT_EMBEDDING 8u
/* Only for documents with `echo` or `prompt_logprobs`, between STARTED and the first DELTA: text,
 * tokens, logprobs of the prompt. The first token's log-probability is a NaN: it has none. */
#define VERNAL_EVENT_PROMPT 9u

/* Channels of a delta. */
#define VERNAL_CHANNEL_CONTENT 1u
#define VERNAL_CHANNEL_REASONING 2u
#define VERNAL_CHANNEL_TOOL_NAME 3u
#define VERNAL_CHANNEL_TOOL_ARGUMENTS 4u

/* Finish reasons. */
#define VERNAL_FINISH_STOP 1u /* an end-of-generation token */
#define VERNAL_FINISH_STOP_STRING 2u
#define VERNAL_FINISH_TOOL_CALLS 3u
#define VERNAL_FINISH_LENGTH 4u
#define VERNAL_FINISH_CONTENT_FILTER 5u

/* One candidate token of a position. */
typedef struct vernal_candidate {
  uint64_t struct_size;
  vernal_str bytes; /* the token's text; may be a part of a UTF-8 character */
  double logprob;   /* natural logarithm */
  int32_t token;
  uint32_t reserved0;
} vernal_candidate;

/* One generated token with its alternatives, best first. */
typedef struct vernal_token_logprob {
  uint64_t struct_size;
  vernal_candidate chosen;
  const vernal_candidate* alternatives;
  uint64_t num_alternatives;
  uint64_t alternative_stride;
} vernal_token_logprob;

typedef struct vernal_event {
  uint64_t struct_size;
  vernal_str text;       /* whole UTF-8 characters */
  vernal_str call_id;    /* tool channels */
  vernal_str param;      /* ERROR: the field of the request that is wrong; may be empty */
  vernal_str error_code; /* ERROR: "context_length_exceeded", "invalid_value", ... */
  const int32_t* tokens; /* DELTA: ids that make the text; may be empty */
  uint64_t num_tokens;
  const vernal_token_logprob* logprobs; /* DELTA: if the request asks for them */
  uint64_t num_logprobs;
  uint64_t logprob_stride;
  uint64_t prompt_tokens;     /* ACCEPTED, FINISHED: whole prompt, cached tokens included */
  uint64_t context_length;    /* ACCEPTED; ERROR with context_length_exceeded */
  uint64_t cached_tokens;     /* STARTED, FINISHED */
  uint64_t completion_tokens; /* FINISHED: of all choices together */
  uint64_t reasoning_tokens;  /* FINISHED */
  uint64_t done;              /* PROGRESS */
  uint64_t total;             /* PROGRESS */
  uint64_t queued_us;         /* STARTED, FINISHED */
  uint64_t prefill_us;        /* FINISHED */
  uint64_t decode_us;         /* FINISHED */
  uint32_t type;
  uint32_t choice;
  uint32_t channel;
  uint32_t call_index;
  uint32_t finish_reason;
  uint32_t http_hint; /* ERROR: the HTTP status that fits */
  int32_t code;       /* ERROR: VERNAL_* status */
  uint32_t retryable; /* ERROR: 0 or 1 */
  /* Since 1.2. */
  const float* embedding; /* EMBEDDING: not normalised */
  uint64_t embedding_size;
  uint64_t slot; /* STARTED: number of its slot, from 1; 0: not told */
} vernal_event;

typedef struct vernal_metric {
  uint64_t struct_size;
  vernal_str name; /* "vernal_requests_running" */
  vernal_str help;
  vernal_str labels; /* Prometheus form without braces: model="qwen"; may be empty */
  double value;
  uint32_t type; /* VERNAL_METRIC_* */
  uint32_t reserved0;
} vernal_metric;
#define VERNAL_METRIC_COUNTER 1u
#define VERNAL_METRIC_GAUGE 2u
/* Since 1.2: one series of a histogram. The name ends in _bucket (with the label le), _sum or
 * _count, and what stands before that is the histogram's name. */
#define VERNAL_METRIC_HISTOGRAM 3u

typedef struct vernal_metric_sink {
  int32_t (*add)(void* user, const vernal_metric* metric);
  void* user;
} vernal_metric_sink;

/* What a slot of a model does. */
typedef struct vernal_slot_info {
  uint64_t struct_size;
  uint64_t slot;             /* its number, from 1 */
  vernal_request_id request; /* 0: it is free */
  uint64_t prompt_tokens;    /* of the request */
  uint64_t computed_tokens;  /* of the prompt and the answer together */
  uint64_t generated_tokens;
  uint64_t max_new_tokens; /* most tokens of the answer */
} vernal_slot_info;

typedef struct vernal_slot_sink {
  int32_t (*add)(void* user, const vernal_slot_info* slot);
  void* user;
} vernal_slot_sink;

typedef struct vernal_engine_api {
  uint64_t struct_size;

  /* [any, nonblocking] Models and profiles in the deployment's order, also while they load. */
  int32_t (*list_models)(vernal_engine* engine, const vernal_model_sink* sink);
  /* [any, nonblocking] Copies the request and returns; its first event is ACCEPTED or ERROR. These
   * errors are normal answers:
   * Errors   NOT_FOUND: no such model.
   *          QUEUE_FULL: too many requests wait.
   *          UNAVAILABLE: the model loads, drains or has failed. */
  int32_t (*submit)(vernal_engine* engine, const vernal_submit_args* args, vernal_request_id* out);
  /* [frontend, nonblocking] Takes the next event: *out_more is 1 and *out is the event. If there is
   * none, *out_more is 0 and *out is empty. Pointers in *out live until the next poll_events,
   * wait_events or release of the same request. Only one thread at a time may take events of a
   * request. */
  int32_t (*poll_events)(vernal_engine* engine, vernal_request_id request, vernal_event* out,
                         uint32_t* out_more);
  /* [frontend, blocks] Like poll_events, but waits for an event for up to timeout_ms. */
  int32_t (*wait_events)(vernal_engine* engine, vernal_request_id request, uint64_t timeout_ms,
                         vernal_event* out, uint32_t* out_more);
  /* [any, nonblocking] Ends the request within one step; its last event still comes, and its text
   * has `reason` ("the server stops"), which may be empty. A second cancel does nothing. */
  int32_t (*cancel)(vernal_engine* engine, vernal_request_id request, vernal_str reason);
  /* [any] Frees a request. One that has not ended is cancelled. When release returns, on_ready does
   * not run for this request and will not run again. It must not be called from on_ready. */
  int32_t (*release)(vernal_engine* engine, vernal_request_id request);
  /* [any, nonblocking] Counters and gauges. */
  int32_t (*stats)(vernal_engine* engine, const vernal_metric_sink* sink);
  /* [any, nonblocking] *out_state: READY if every model is ready, FAILED if one has failed, else
   * the state of a model that is not ready. The sink receives the reasons. */
  int32_t (*health)(vernal_engine* engine, uint32_t* out_state, const vernal_sink* reason);
  /* [any, nonblocking] Since 1.2. The slots of a model or profile, in their order. Each is told as it
   * was at some moment of the call.
   * Errors   NOT_FOUND: no such model.
   *          UNAVAILABLE: the model loads or has failed. */
  int32_t (*list_slots)(vernal_engine* engine, vernal_str model, const vernal_slot_sink* sink);
} vernal_engine_api;

/* ---- text service ---------------------------------------------------------------------------- */

typedef struct vernal_text vernal_text;

#define VERNAL_TEXT_PARSE_SPECIAL 1u /* names of special tokens in the text become those tokens */
#define VERNAL_TEXT_ADD_SPECIAL 2u   /* add the tokens that the vocabulary asks for (BOS, EOS) */

typedef struct vernal_text_api {
  uint64_t struct_size;
  /* [any] Text to tokens. Writes int32_t ids to the sink. `flags` are VERNAL_TEXT_*. */
  int32_t (*tokenize)(vernal_text* text, vernal_str model, vernal_str input, uint32_t flags,
                      const vernal_sink* ids);
  /* [any] Tokens to text, in UTF-8. */
  int32_t (*detokenize)(vernal_text* text, vernal_str model, const int32_t* tokens,
                        uint64_t num_tokens, const vernal_sink* utf8);
  /* [any] Renders the chat template with a document vernal.request/1. Writes UTF-8. */
  int32_t (*apply_template)(vernal_text* text, vernal_str model, vernal_str request_json,
                            const vernal_sink* utf8);
  /* [any] *out_tokens: the number of prompt tokens of a document vernal.request/1. */
  int32_t (*count)(vernal_text* text, vernal_str model, vernal_str request_json,
                   uint64_t* out_tokens);
  /* [any] Since 1.2. The bytes that each token stands for, which may be a part of a UTF-8 character.
   * The sink is called once for each token, in their order.
   * Errors   INVALID_ARGUMENT: an id that is not in the vocabulary. */
  int32_t (*token_bytes)(vernal_text* text, vernal_str model, const int32_t* tokens,
                         uint64_t num_tokens, const vernal_sink* bytes);
  /* [any] Since 1.2. Writes one JSON object with what a model or profile is; sdk/spec/request.md,
   * section "The description of a model". */
  int32_t (*describe)(vernal_text* text, vernal_str model, const vernal_sink* json);
} vernal_text_api;

/* ---- console service ------------------------------------------------------------------------- */

typedef struct vernal_console vernal_console;

/* The only way to the terminal. One frontend may use it.
 * Thread   [frontend] for all functions. */
typedef struct vernal_console_api {
  uint64_t struct_size;
  /* Whether standard input and output are terminals (0 or 1 each). */
  int32_t (*is_terminal)(vernal_console* console, uint32_t* out_input, uint32_t* out_output);
  /* File descriptors of input and output, for a line editor. They stay the core's. */
  int32_t (*descriptors)(vernal_console* console, int32_t* out_input, int32_t* out_output);
  /* [blocks] Writes all bytes and flushes.
   * Errors   UNAVAILABLE: the output cannot be written. */
  int32_t (*write)(vernal_console* console, vernal_str text);
  /* Sends interrupts (Ctrl-C) to `callback`, on a thread of the core, instead of ending the
   * process. NULL restores that they end it. When on_interrupt returns, the callback set before
   * does not run any more. */
  int32_t (*on_interrupt)(vernal_console* console, void (*callback)(void* user), void* user);
  /* [nonblocking] Says that the console has ended, by the end of input or by /quit. The process
   * then ends if no other frontend runs. Its exit status is 0 if `status` is VERNAL_OK, else 1. */
  int32_t (*finished)(vernal_console* console, int32_t status);
} vernal_console_api;

/* ---- the plugin ------------------------------------------------------------------------------ */

typedef struct vernal_frontend vernal_frontend;

typedef struct vernal_frontend_api {
  uint64_t struct_size;

  /* [control] Creates an instance from its validated table. It binds nothing yet. */
  int32_t (*create)(vernal_config_view config, vernal_frontend** out);
  /* [control] Binds addresses, starts threads and returns. Models may still be loading.
   * Errors   UNAVAILABLE: an address is in use. */
  int32_t (*start)(vernal_frontend* frontend);
  /* [control, nonblocking] Accepts no more work. Requests in flight go on for up to deadline_ms. */
  int32_t (*begin_drain)(vernal_frontend* frontend, uint64_t deadline_ms);
  /* [control, nonblocking] *out_active: the number of requests in flight. */
  int32_t (*active)(vernal_frontend* frontend, uint64_t* out_active);
  /* [control, blocks] Cancels the requests that are left and joins all threads. */
  int32_t (*stop)(vernal_frontend* frontend);
  /* [control] Called after stop. */
  void (*destroy)(vernal_frontend* frontend);
  /* [any] One line for logs and tests: "listening on http://127.0.0.1:8000". */
  int32_t (*info)(vernal_frontend* frontend, const vernal_sink* sink);

  int32_t (*get_extension)(vernal_str id, const void** out_table);

  /* [control] Since 1.1; may be null. Says whether create and start would succeed with this table.
   * It binds nothing. It checks every value, and reads the files that the table names. It keeps
   * nothing, starts no thread and asks for no service of the host, which may offer none. It does
   * not look at what can change at any moment, such as an address in use.
   * Errors   The status and the text that create or start would give. */
  int32_t (*check)(vernal_config_view config);
} vernal_frontend_api;

#ifdef __cplusplus
}
#endif
#endif /* VERNAL_ABI_FRONTEND_H */
