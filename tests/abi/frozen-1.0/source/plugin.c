#include "plugin.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static vernal_host* host;
static const vernal_host_api* host_api;

int32_t take_host(const vernal_entry_args* args) {
  if (!FROZEN_REACHES(args, vernal_entry_args, plugin)) return VERNAL_INCOMPATIBLE;
  if (!FROZEN_REACHES(args->host_api, vernal_host_api, report_fatal)) return VERNAL_INCOMPATIBLE;
  host = args->host;
  host_api = args->host_api;
  return VERNAL_OK;
}

int32_t fail(int32_t code, const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  host_api->set_error(host, code, text_of(text));
  return code;
}

void log_error(const char* plugin, const char* text) {
  host_api->log(host, VERNAL_LOG_ERROR, text_of(plugin), text_of(""), 0, text_of(text));
}

uint64_t now_ns(void) {
  uint64_t now = 0;
  host_api->now_ns(host, &now);
  return now;
}

int32_t find_service(const char* id, const void** out_table, void** out_object) {
  return host_api->get_service(host, text_of(id), out_table, out_object);
}

const char* last_error(char* buffer, size_t size) {
  vernal_str text = {NULL, 0};
  buffer[0] = '\0';
  if (host_api->last_error(host, &text) == VERNAL_OK && text.size != 0) {
    snprintf(buffer, size, "%.*s", FROZEN_ARGUMENT(text));
  }
  return buffer;
}

vernal_str text_of(const char* text) {
  const vernal_str out = {text, strlen(text)};
  return out;
}

int is_text(vernal_str text, const char* expected) {
  return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

static uint64_t size_of(const void* with_size) {
  uint64_t size = 0;
  memcpy(&size, with_size, sizeof(size));
  return size;
}

void copy_out(const void* mine, uint64_t size, void* theirs) {
  const uint64_t their_size = size_of(theirs);
  memcpy(theirs, mine, their_size < size ? their_size : size);
  memcpy(theirs, &their_size, sizeof(their_size));
}

void copy_in(const void* theirs, void* mine, uint64_t size) {
  const uint64_t their_size = size_of(theirs);
  memset(mine, 0, size);
  memcpy(mine, theirs, their_size < size ? their_size : size);
  memcpy(mine, &size, sizeof(size));
}

int32_t no_handle(const char* call) {
  return fail(VERNAL_INVALID_ARGUMENT, "%s: expected a handle, found null", call);
}

int32_t nothing_to_do(void) { return VERNAL_OK; }

int32_t no_extension(vernal_str id, const void** out_table) {
  *out_table = NULL;
  return fail(VERNAL_NOT_FOUND, "extension \"%.*s\" is not known", FROZEN_ARGUMENT(id));
}
