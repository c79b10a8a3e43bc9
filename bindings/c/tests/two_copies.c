/* Two copies of the library in one process: two_copies WORK LIBRARY COPY [own]
 *
 * What one has open, the other gets MK_IN_USE for. COPY is another file with the same bytes; with `own`, LIBRARY is
 * loaded a second time with everything that it needs instead (dlmopen). */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <mailkeep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(X)                                                                                                  \
    X(new_archive_begin, mk_status, (mk_new_archive **, const char *, size_t, const char *, size_t, const mk_create_options *, mk_error *)) \
    X(new_archive_recovery_key, mk_status, (mk_buffer **, const mk_new_archive *, mk_error *))                        \
    X(new_archive_key_file, mk_status, (mk_buffer **, const mk_new_archive *, mk_error *))                            \
    X(new_archive_commit, mk_status, (mk_archive **, const mk_new_archive *, mk_error *))                             \
    X(new_archive_free, mk_status, (mk_new_archive *))                                                                \
    X(archive_open, mk_status, (mk_archive **, const char *, size_t, const mk_key *, const mk_open_options *, mk_error *)) \
    X(archive_close, mk_status, (mk_archive *, const mk_progress *, mk_error *))                                      \
    X(buffer_get, mk_status, (mk_text *, const mk_buffer *, mk_error *))                                              \
    X(buffer_free, mk_status, (mk_buffer *))                                                                          \
    X(session_begin, mk_status, (mk_session **, const mk_archive *, const char *, size_t, mk_error *))                \
    X(session_import_one, mk_status, (mk_receipt *, const mk_session *, const void *, size_t, const char *, size_t, mk_error *)) \
    X(session_raw, mk_status, (mk_buffer **, const mk_session *, mk_message_id, mk_error *))                          \
    X(library_handles, mk_status, (uint64_t *, mk_error *))

struct library {
#define FIELD(name, result, arguments) result(*name) arguments;
    FUNCTIONS(FIELD)
};

static void *symbol(void *handle, const char *name) {
    void *found = handle == NULL ? NULL : dlsym(handle, name);
    if (found == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return found;
}

static struct library load(void *handle) {
    struct library library;
    void *found;
#define LOAD(name, result, arguments)        \
    found = symbol(handle, "mk_" #name);     \
    memcpy(&library.name, &found, sizeof found);
    FUNCTIONS(LOAD)
    return library;
}

static void expect(const char *what, mk_status expected, mk_status found) {
    if (expected != found) {
        fprintf(stderr, "%s: %d instead of %d\n", what, (int)found, (int)expected);
        exit(1);
    }
}

int main(int argc, char **argv) {
    struct library one, two;
    mk_new_archive *made = NULL;
    mk_archive *archive = NULL, *other = NULL;
    mk_session *session = NULL;
    mk_buffer *buffer = NULL, *key_file = NULL;
    mk_receipt receipt = MK_INIT(mk_receipt);
    mk_key key = MK_INIT(mk_key);
    mk_text text = {NULL, 0};
    uint64_t handles = 1;
    char folder[512];
    if (argc < 4 || snprintf(folder, sizeof folder, "%s/twice", argv[1]) >= (int)sizeof folder) {
        fprintf(stderr, "usage: two_copies WORK LIBRARY COPY [own]\n");
        return 2;
    }
    one = load(dlopen(argv[2], RTLD_NOW | RTLD_LOCAL));
    two = load(argc > 4 ? dlmopen(LM_ID_NEWLM, argv[2], RTLD_NOW) : dlopen(argv[3], RTLD_NOW | RTLD_LOCAL));
    if (one.archive_open == two.archive_open) {
        fprintf(stderr, "there is one copy only\n");
        return 1;
    }

    expect("begin", MK_OK, one.new_archive_begin(&made, folder, strlen(folder), "anna", 4, NULL, NULL));
    expect("recovery key", MK_OK, one.new_archive_recovery_key(&buffer, made, NULL));
    expect("free", MK_OK, one.buffer_free(buffer));
    expect("key file", MK_OK, one.new_archive_key_file(&key_file, made, NULL));
    expect("text", MK_OK, one.buffer_get(&text, key_file, NULL));
    expect("commit", MK_OK, one.new_archive_commit(&archive, made, NULL));
    expect("free", MK_OK, one.new_archive_free(made));
    expect("session", MK_OK, one.session_begin(&session, archive, NULL, 0, NULL));
    expect("import", MK_OK, one.session_import_one(&receipt, session, "Subject: One\n\nText.\n", 20, "anna/in", 7, NULL));

    key.kind = MK_KEY_FILE;
    key.data = text.data;
    key.length = text.length;
    expect("open in the other copy", MK_IN_USE, two.archive_open(&other, folder, strlen(folder), &key, NULL, NULL));
    /* A handle of one copy is none of the other. */
    expect("close by the other copy", MK_BAD_HANDLE, two.archive_close(archive, NULL, NULL));
    expect("close", MK_OK, one.archive_close(archive, NULL, NULL));
    expect("open in the other copy", MK_OK, two.archive_open(&other, folder, strlen(folder), &key, NULL, NULL));
    expect("open in the first copy", MK_IN_USE, one.archive_open(&archive, folder, strlen(folder), &key, NULL, NULL));
    expect("session", MK_OK, two.session_begin(&session, other, NULL, 0, NULL));
    expect("read", MK_OK, two.session_raw(&buffer, session, receipt.id, NULL));
    expect("free", MK_OK, two.buffer_free(buffer));
    expect("close", MK_OK, two.archive_close(other, NULL, NULL));
    expect("free", MK_OK, one.buffer_free(key_file));
    expect("handles", MK_OK, one.library_handles(&handles, NULL));
    if (handles == 0) {
        expect("handles", MK_OK, two.library_handles(&handles, NULL));
    }
    printf("two copies%s\n", argc > 4 ? ", each with what it needs" : "");
    return handles == 0 ? 0 : 1;
}
