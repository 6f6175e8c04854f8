/* Frames of the function protocol (docs/protocol.md), growing byte strings, and as little JSON as they need. */
#ifndef DURE_FRAMES_H
#define DURE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HELLO = 0x01, ASSIGN, INVOKE, ACK, STEP_OK };
enum { READY = 0x11, INIT_ERROR, RESULT, ERROR, CHUNK, LOG, STEP };
enum { IS_PATH = 1, WAS_STREAMED = 2, HAS_CHECKPOINT = 4, META_IS_PATH = 2 };
enum { FRAME_MAX = 1 << 20, INLINE_MAX = 256 << 10, KEY_BYTES = 12, INVOKE_HEAD = KEY_BYTES + 1 + 8 + 4 };

struct bytes {
    unsigned char *at;
    size_t length, capacity;
};

void bytes_add(struct bytes *to, const void *from, size_t length);
void bytes_text(struct bytes *to, const char *text);
void bytes_format(struct bytes *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
void bytes_json(struct bytes *to, const void *text, size_t length); /* quoted; what is not UTF-8 becomes U+FFFD */
void bytes_utf8(struct bytes *to, const void *text, size_t length); /* the same without quotes or escapes */
void bytes_drop(struct bytes *from, size_t length);                 /* from the front */
void bytes_free(struct bytes *of);

size_t frame_begin(struct bytes *to, unsigned char kind); /* returns what frame_end wants */
void frame_end(struct bytes *to, size_t began);

uint16_t get16(const unsigned char *at);
uint32_t get32(const unsigned char *at);
uint64_t get64(const unsigned char *at);
void put32(struct bytes *to, uint32_t value);
void put64(struct bytes *to, uint64_t value);

/* The value of a key of the outermost object, as it is written; false when the key is absent or the text is no object. */
bool json_find(const char *text, size_t length, const char *key, const char **value, size_t *value_length);

uint64_t now_ms(void);      /* since 1970 */
uint64_t elapsed_ms(void);  /* of a clock that never jumps */

#endif
