#define _GNU_SOURCE
#include "frames.h"
#include "dure-init.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void reserve(struct bytes *of, size_t more) {
    if (of->length + more <= of->capacity) return;
    size_t wanted = of->capacity ? of->capacity : 256;
    while (wanted < of->length + more) wanted *= 2;
    unsigned char *moved = realloc(of->at, wanted);
    if (!moved) dure_die("out of memory at %zu bytes", wanted);
    of->at = moved;
    of->capacity = wanted;
}

void bytes_add(struct bytes *to, const void *from, size_t length) {
    if (length == 0) return;
    reserve(to, length);
    memcpy(to->at + to->length, from, length);
    to->length += length;
}

void bytes_text(struct bytes *to, const char *text) { bytes_add(to, text, strlen(text)); }

void bytes_format(struct bytes *to, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    bytes_add(to, line, length < (int)sizeof line ? (size_t)length : sizeof line - 1);
}

void bytes_drop(struct bytes *from, size_t length) {
    from->length -= length;
    memmove(from->at, from->at + length, from->length);
    if (from->length == 0 && from->capacity > INLINE_MAX) bytes_free(from);
}

void bytes_free(struct bytes *of) {
    free(of->at);
    *of = (struct bytes){ 0 };
}

/* Length of the well-formed UTF-8 sequence at the front, 0 when there is none. */
static size_t sequence(const unsigned char *at, size_t left) {
    if (at[0] < 0x80) return 1;
    size_t length = at[0] >= 0xf0 && at[0] <= 0xf4 ? 4 : at[0] >= 0xe0 && at[0] < 0xf0 ? 3 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : 0;
    if (length == 0 || length > left) return 0;
    for (size_t i = 1; i < length; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool outside = (at[0] == 0xed && at[1] >= 0xa0) || (at[0] == 0xf4 && at[1] >= 0x90);
    return overlong || outside ? 0 : length;
}

static void utf8(struct bytes *to, const unsigned char *text, size_t length, bool escape) {
    for (size_t i = 0; i < length;) {
        size_t run = 0, size = 0;
        while (i + run < length && (size = sequence(text + i + run, length - i - run)) > 0) {
            unsigned char c = text[i + run];
            if (escape && (c < 0x20 || c == '"' || c == '\\' || c == 0x7f)) break;
            run += size;
        }
        bytes_add(to, text + i, run);
        i += run;
        if (i == length) break;
        if (size == 0) bytes_text(to, "\xef\xbf\xbd");
        else bytes_format(to, text[i] == '\n' ? "\\n" : "\\u%04x", text[i]);
        i++;
    }
}

void bytes_utf8(struct bytes *to, const void *text, size_t length) { utf8(to, text, length, false); }

void bytes_json(struct bytes *to, const void *text, size_t length) {
    bytes_add(to, "\"", 1);
    utf8(to, text, length, true);
    bytes_add(to, "\"", 1);
}

size_t frame_begin(struct bytes *to, unsigned char kind) {
    size_t began = to->length;
    put32(to, 0);
    bytes_add(to, &kind, 1);
    return began;
}

void frame_end(struct bytes *to, size_t began) {
    uint32_t length = (uint32_t)(to->length - began - 4);
    for (int i = 0; i < 4; i++) to->at[began + (size_t)i] = (unsigned char)(length >> 8 * i);
}

static uint64_t get(const unsigned char *at, int size) {
    uint64_t value = 0;
    for (int i = size; i-- > 0;) value = value << 8 | at[i];
    return value;
}

uint16_t get16(const unsigned char *at) { return (uint16_t)get(at, 2); }
uint32_t get32(const unsigned char *at) { return (uint32_t)get(at, 4); }
uint64_t get64(const unsigned char *at) { return get(at, 8); }

static void put(struct bytes *to, uint64_t value, int size) {
    unsigned char out[8];
    for (int i = 0; i < size; i++) out[i] = (unsigned char)(value >> 8 * i);
    bytes_add(to, out, (size_t)size);
}

void put32(struct bytes *to, uint32_t value) { put(to, value, 4); }
void put64(struct bytes *to, uint64_t value) { put(to, value, 8); }

static size_t skip_space(const char *text, size_t at, size_t length) {
    while (at < length && strchr(" \t\r\n", text[at]) && text[at]) at++;
    return at;
}

static size_t skip_string(const char *text, size_t at, size_t length) {
    for (at++; at < length && text[at] != '"'; at++)
        if (text[at] == '\\') at++;
    return at + 1;
}

/* Past one value. Nesting is counted, not checked: what we read was written by the server. */
static size_t skip_value(const char *text, size_t at, size_t length) {
    int depth = 0;
    while (at < length) {
        char c = text[at];
        if (c == '"') at = skip_string(text, at, length);
        else if (c == '{' || c == '[') { depth++; at++; }
        else if (depth > 0 && (c == '}' || c == ']')) { depth--; at++; }
        else if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
        else at++;
        if (depth == 0 && at < length && (text[at - 1] == '"' || text[at - 1] == '}' || text[at - 1] == ']')) return at;
    }
    return at;
}

bool json_find(const char *text, size_t length, const char *key, const char **value, size_t *value_length) {
    size_t at = skip_space(text, 0, length), wanted = strlen(key);
    if (at >= length || text[at] != '{') return false;
    for (at = skip_space(text, at + 1, length); at < length && text[at] == '"';) {
        size_t name = at + 1, past = skip_string(text, at, length);
        bool found = past < length && past - 1 - name == wanted && memcmp(text + name, key, wanted) == 0;
        at = skip_space(text, past, length);
        if (at >= length || text[at] != ':') return false;
        at = skip_space(text, at + 1, length);
        size_t end = skip_value(text, at, length);
        if (end > length) return false;
        if (found) {
            while (end > at && strchr(" \t\r\n", text[end - 1])) end--;
            *value = text + at;
            *value_length = end - at;
            return true;
        }
        at = skip_space(text, end, length);
        if (at >= length || text[at] != ',') return false;
        at = skip_space(text, at + 1, length);
    }
    return false;
}

static uint64_t clock_ms(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t now_ms(void) { return clock_ms(CLOCK_REALTIME); }
uint64_t elapsed_ms(void) { return clock_ms(CLOCK_MONOTONIC); }
