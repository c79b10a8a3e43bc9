/* The functions of session_calls.h as a table. */

#include "session_calls.h"

#include <string.h>

static int32_t ignore_bytes(void *payload, const void *data, size_t length) {
    (void)payload;
    (void)data;
    (void)length;
    return 0;
}

static int32_t ignore_part(void *payload, uint32_t part, const void *data, size_t length) {
    (void)part;
    return ignore_bytes(payload, data, length);
}

static int32_t ignore_mail(void *payload, const mk_text *json, const void *data, size_t length) {
    (void)json;
    return ignore_bytes(payload, data, length);
}

#define OBJECT_FUNCTION(name, type, arguments)                                                   \
    static mk_status call_##name(struct given *given, const mk_session *h, void *place) {        \
        type **out = place;                                                                      \
        (void)given;                                                                             \
        return CALL(name) arguments;                                                             \
    }                                                                                            \
    static mk_status release_##name(void *made) { return type##_free(made); }

#define PLAIN_FUNCTION(name, arguments)                                                          \
    static mk_status call_##name(struct given *given, const mk_session *h, void *place) {        \
        (void)given;                                                                             \
        (void)place;                                                                             \
        return CALL(name) arguments;                                                             \
    }

OBJECT_CALLS(OBJECT_FUNCTION)
PLAIN_CALLS(PLAIN_FUNCTION)

#define OBJECT_ROW(name, type, arguments) {#name, call_##name, release_##name},
#define PLAIN_ROW(name, arguments) {#name, call_##name, NULL},

const struct named_call session_calls[] = {OBJECT_CALLS(OBJECT_ROW) PLAIN_CALLS(PLAIN_ROW)};
const size_t session_call_count = sizeof session_calls / sizeof *session_calls;

void make_given(struct given *given, const struct sample *sample) {
    mk_source source = MK_INIT(mk_source);
    mk_export_options update = MK_INIT(mk_export_options);
    memset(given, 0, sizeof *given);
    given->first = sample->first;
    given->with_parts = sample->with_parts;
    given->source = source;
    path_in_work(given->mbox, sizeof given->mbox, "inbox.mbox");
    given->source.path = given->mbox;
    given->source.path_length = strlen(given->mbox);
    given->update = update;
    given->update.flags = MK_EXPORT_UPDATE;
    path_in_work(given->place, sizeof given->place, "updated");
    given->place_length = strlen(given->place);
    given->mail = "From: x@example.org\nSubject: Alone\n\nText.\n";
    given->mail_length = strlen(given->mail);
    given->part = 2;
}
