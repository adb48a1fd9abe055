/* A frontend in C: asks one model one thing and writes the answer to a file.
 *
 *   [frontends.ask]
 *   plugin = "prompt_c"
 *   model = "qwen"
 *   prompt = "Why is the sky blue?"
 *   file = "answer.txt"
 *
 * One thread, from start to stop. The engine's callback wakes it, and it takes the events. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, strdup */

#include "vernal/abi/frontend.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugin.h"

FROZEN_DEFINE_MANIFEST("frontend", "prompt_c", "");

struct vernal_frontend {
  const vernal_engine_api* engine_api;
  vernal_engine* engine;
  char* model;
  char* document; /* vernal.request/1 */
  char* path;
  FILE* file;
  pthread_t thread;
  pthread_mutex_t mutex; /* guards what follows */
  pthread_cond_t changed;
  int has_thread;
  int is_active;
  int is_stopping;
  int has_events; /* the engine called since they were taken */
};

/* ---- the thread --------------------------------------------------------------------------------
 */

static int is_stopping(vernal_frontend* f) {
  pthread_mutex_lock(&f->mutex);
  const int stopping = f->is_stopping;
  pthread_mutex_unlock(&f->mutex);
  return stopping;
}

/* Waits for events or the stop, at most a tenth of a second. */
static void wait_a_while(vernal_frontend* f) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 100000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_nsec -= 1000000000;
    ++until.tv_sec;
  }
  pthread_mutex_lock(&f->mutex);
  int status = 0;
  while (!f->is_stopping && !f->has_events && status != ETIMEDOUT) {
    status = pthread_cond_timedwait(&f->changed, &f->mutex, &until);
  }
  f->has_events = 0;
  pthread_mutex_unlock(&f->mutex);
}

/* From a thread of the core: notes it and returns. */
static void on_ready(void* user, vernal_request_id request) {
  vernal_frontend* f = user;
  (void)request;
  pthread_mutex_lock(&f->mutex);
  f->has_events = 1;
  pthread_cond_signal(&f->changed);
  pthread_mutex_unlock(&f->mutex);
}

struct wanted_model {
  const char* name;
  uint32_t state;
};

static int32_t look_at_model(void* user, const vernal_model_info* raw) {
  struct wanted_model* wanted = user;
  vernal_model_info model;
  copy_in(raw, &model, sizeof(model));
  if (is_text(model.id, wanted->name)) wanted->state = model.state;
  return VERNAL_OK;
}

/* Models load while frontends already run. */
static void wait_for_model(vernal_frontend* f) {
  struct wanted_model wanted = {f->model, VERNAL_MODEL_LOADING};
  const vernal_model_sink sink = {look_at_model, &wanted};
  while (!is_stopping(f)) {
    wanted.state = VERNAL_MODEL_FAILED;
    f->engine_api->list_models(f->engine, &sink);
    if (wanted.state != VERNAL_MODEL_LOADING) return;
    wait_a_while(f);
  }
}

/* Takes the events that are there; 1 after the last one. */
static int take_events(vernal_frontend* f, vernal_request_id request) {
  uint32_t more = 1;
  for (;;) {
    vernal_event event = {0};
    event.struct_size = sizeof(event);
    const int32_t status = f->engine_api->poll_events(f->engine, request, &event, &more);
    if (status != VERNAL_OK) return 1;
    if (more == 0) return 0;
    if (event.type == VERNAL_EVENT_ERROR) {
      char text[256];
      snprintf(text, sizeof(text), "%.*s", FROZEN_ARGUMENT(event.text));
      log_error("prompt_c", text);
      return 1;
    }
    if (event.type == VERNAL_EVENT_DELTA) {
      fwrite(event.text.data, 1, event.text.size, f->file);
      fflush(f->file);
    }
    if (event.type == VERNAL_EVENT_FINISHED) return 1;
  }
}

static void answer(vernal_frontend* f) {
  char text[256];
  vernal_request_id request = 0;
  vernal_submit_args args = {0};
  args.struct_size = sizeof(args);
  args.model = text_of(f->model);
  args.request_json = text_of(f->document);
  args.on_ready = on_ready;
  args.user = f;
  if (f->engine_api->submit(f->engine, &args, &request) != VERNAL_OK) {
    log_error("prompt_c", last_error(text, sizeof(text)));
    return;
  }
  while (!is_stopping(f) && !take_events(f, request)) wait_a_while(f);
  f->engine_api->release(f->engine, request); /* cancels what still runs */
}

static void* run(void* user) {
  vernal_frontend* f = user;
  wait_for_model(f);
  if (!is_stopping(f)) answer(f);
  pthread_mutex_lock(&f->mutex);
  f->is_active = 0;
  pthread_mutex_unlock(&f->mutex);
  return NULL;
}

/* ---- settings ----------------------------------------------------------------------------------
 */

#define MODEL_KEY "model"
#define PROMPT_KEY "prompt"
#define FILE_KEY "file"
#define MAX_TOKENS_KEY "max_tokens"

/* Its own copy of a text of the table, or NULL with the error set. */
static char* copy_setting(vernal_config_view config, const char* key) {
  vernal_str value = {NULL, 0};
  if (config.api->get_string(config.config, text_of(key), &value) != VERNAL_OK) {
    fail(VERNAL_INVALID_ARGUMENT, "prompt_c: %s: expected a text, found none", key);
    return NULL;
  }
  char* copy = malloc(value.size + 1);
  if (copy == NULL) {
    fail(VERNAL_RESOURCE_EXHAUSTED, "prompt_c: no memory for %s", key);
    return NULL;
  }
  if (value.size != 0) memcpy(copy, value.data, value.size);
  copy[value.size] = '\0';
  return copy;
}

/* Appends a text as JSON; bytes of UTF-8 stand for themselves. Returns the end. */
static char* append_json(char* out, const char* text) {
  *out++ = '"';
  for (; *text != '\0'; ++text) {
    const unsigned char byte = (unsigned char)*text;
    if (byte == '"' || byte == '\\') *out++ = '\\';
    if (byte < 0x20) {
      out += sprintf(out, "\\u%04x", byte);
    } else {
      *out++ = *text;
    }
  }
  *out++ = '"';
  return out;
}

static char* make_document(const char* prompt, int64_t max_tokens) {
  char* document = malloc(6 * strlen(prompt) + 128); /* every byte as \u00xx, and the rest */
  if (document == NULL) return NULL;
  char* end = document + sprintf(document, "{\"prompt\": ");
  end = append_json(end, prompt);
  sprintf(end, ", \"max_tokens\": %lld, \"sampling\": {\"temperature\": 0}}",
          (long long)max_tokens);
  return document;
}

static int32_t read_settings(vernal_frontend* f, vernal_config_view config) {
  int64_t max_tokens = 0;
  if (!FROZEN_REACHES(config.api, vernal_config_api, origin)) {
    return fail(VERNAL_INCOMPATIBLE, "vernal_config_api: the table is too small");
  }
  const int32_t status = config.api->get_int(config.config, text_of(MAX_TOKENS_KEY), &max_tokens);
  if (status != VERNAL_OK) return fail(status, "prompt_c: %s: expected an integer", MAX_TOKENS_KEY);
  f->model = copy_setting(config, MODEL_KEY);
  f->path = f->model != NULL ? copy_setting(config, FILE_KEY) : NULL;
  char* prompt = f->path != NULL ? copy_setting(config, PROMPT_KEY) : NULL;
  if (prompt == NULL) return VERNAL_INVALID_ARGUMENT;
  f->document = make_document(prompt, max_tokens);
  free(prompt);
  if (f->document == NULL) return fail(VERNAL_RESOURCE_EXHAUSTED, "prompt_c: no memory");
  return VERNAL_OK;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static void destroy(vernal_frontend* f) {
  if (f == NULL) return;
  pthread_cond_destroy(&f->changed);
  pthread_mutex_destroy(&f->mutex);
  free(f->model);
  free(f->document);
  free(f->path);
  free(f);
}

static int32_t create(vernal_config_view config, vernal_frontend** out) {
  const void* table = NULL;
  void* object = NULL;
  *out = NULL;
  int32_t status = find_service(VERNAL_SERVICE_ENGINE, &table, &object);
  if (status != VERNAL_OK) return status;
  const vernal_engine_api* engine_api = table;
  if (!FROZEN_REACHES(engine_api, vernal_engine_api, health)) {
    return fail(VERNAL_INCOMPATIBLE, "vernal_engine_api: the table is too small");
  }
  vernal_frontend* f = calloc(1, sizeof(*f));
  if (f == NULL) return fail(VERNAL_RESOURCE_EXHAUSTED, "prompt_c: no memory");
  pthread_mutex_init(&f->mutex, NULL);
  pthread_cond_init(&f->changed, NULL);
  f->engine_api = engine_api;
  f->engine = object;
  status = read_settings(f, config);
  if (status != VERNAL_OK) {
    destroy(f);
    return status;
  }
  *out = f;
  return VERNAL_OK;
}

static int32_t start(vernal_frontend* f) {
  if (f == NULL) return no_handle("start");
  f->file = fopen(f->path, "wb");
  if (f->file == NULL) {
    return fail(VERNAL_UNAVAILABLE, "%s cannot be opened for writing", f->path);
  }
  f->is_active = 1;
  if (pthread_create(&f->thread, NULL, run, f) != 0) {
    f->is_active = 0;
    fclose(f->file);
    return fail(VERNAL_RESOURCE_EXHAUSTED, "prompt_c: no thread");
  }
  f->has_thread = 1;
  return VERNAL_OK;
}

static int32_t begin_drain(vernal_frontend* f, uint64_t deadline_ms) {
  (void)deadline_ms; /* the one request goes on */
  return f != NULL ? VERNAL_OK : no_handle("begin_drain");
}

static int32_t active(vernal_frontend* f, uint64_t* out_active) {
  if (f == NULL) return no_handle("active");
  pthread_mutex_lock(&f->mutex);
  *out_active = f->is_active ? 1 : 0;
  pthread_mutex_unlock(&f->mutex);
  return VERNAL_OK;
}

static int32_t stop(vernal_frontend* f) {
  if (f == NULL) return no_handle("stop");
  if (!f->has_thread) return VERNAL_OK;
  pthread_mutex_lock(&f->mutex);
  f->is_stopping = 1;
  pthread_cond_signal(&f->changed);
  pthread_mutex_unlock(&f->mutex);
  pthread_join(f->thread, NULL);
  f->has_thread = 0;
  if (fclose(f->file) != 0) return fail(VERNAL_UNAVAILABLE, "%s cannot be written", f->path);
  return VERNAL_OK;
}

static int32_t info(vernal_frontend* f, const vernal_sink* sink) {
  static const char kText[] = "writes one answer to ";
  const int32_t status = sink->write(sink->user, kText, sizeof(kText) - 1);
  return status != VERNAL_OK ? status : sink->write(sink->user, f->path, strlen(f->path));
}

static const vernal_frontend_api kFrontend = {
    .struct_size = sizeof(vernal_frontend_api),
    .create = create,
    .start = start,
    .begin_drain = begin_drain,
    .active = active,
    .stop = stop,
    .destroy = destroy,
    .info = info,
    .get_extension = no_extension,
};

/* ---- the plugin --------------------------------------------------------------------------------
 */

#define TEXT(literal) \
  { literal, sizeof(literal) - 1 }

static const vernal_config_row kRows[] = {
    {.struct_size = sizeof(vernal_config_row),
     .path = TEXT(MODEL_KEY),
     .help = TEXT("Model of this deployment that answers."),
     .minimum = 1,
     .type = VERNAL_CONFIG_STRING,
     .flags = VERNAL_CONFIG_REQUIRED | VERNAL_CONFIG_MODEL_NAMES},
    {.struct_size = sizeof(vernal_config_row),
     .path = TEXT(PROMPT_KEY),
     .help = TEXT("Text to continue."),
     .minimum = 1,
     .type = VERNAL_CONFIG_STRING,
     .flags = VERNAL_CONFIG_REQUIRED},
    {.struct_size = sizeof(vernal_config_row),
     .path = TEXT(FILE_KEY),
     .help = TEXT("File the answer is written to; an existing one is replaced."),
     .minimum = 1,
     .type = VERNAL_CONFIG_PATH,
     .flags = VERNAL_CONFIG_REQUIRED},
    {.struct_size = sizeof(vernal_config_row),
     .path = TEXT(MAX_TOKENS_KEY),
     .default_value = TEXT("64"),
     .help = TEXT("Most tokens of the answer."),
     .minimum = 1,
     .maximum = 1e6,
     .type = VERNAL_CONFIG_INT},
};

FROZEN_DEFINE_PLUGIN(VERNAL_KIND_FRONTEND, kFrontend, kRows, sizeof(kRows) / sizeof(kRows[0]));
