/* Callbacks that fail or use the library, threads, forks. */

#include "session_calls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static int32_t fail_bytes(void *payload, const void *data, size_t length) {
    (void)payload;
    (void)data;
    (void)length;
    return 3;
}

static int32_t fail_part(void *payload, uint32_t part, const void *data, size_t length) {
    (void)part;
    return fail_bytes(payload, data, length);
}

static int32_t fail_receipt(void *payload, const mk_receipt *receipt) {
    (void)payload;
    (void)receipt;
    return 1;
}

static int32_t fail_missing(void *payload, const mk_text *source, uint64_t offset) {
    (void)payload;
    (void)source;
    (void)offset;
    return -1;
}

static int32_t fail_step(void *payload, const mk_step *step) {
    (void)step;
    ++*(int *)payload;
    return 1;
}

static int64_t fail_read(void *payload, void *data, size_t length) {
    (void)payload;
    (void)data;
    (void)length;
    return -1;
}

static int64_t read_too_much(void *payload, void *data, size_t length) {
    (void)payload;
    (void)data;
    return (int64_t)length + 1;
}

static int32_t count_trouble(void *payload, const mk_trouble *trouble) {
    CHECK(trouble->size == sizeof *trouble && trouble->message.length > 0);
    ++*(int *)payload;
    return 0;
}

/* A callback that uses the library: it reads, searches, and may not close. */
struct inside {
    struct sample *sample;
    mk_error *error;
    int calls;
};

static void use_inside(struct inside *inside) {
    mk_buffer *buffer = NULL;
    mk_page *page = NULL;
    inside->calls++;
    EXPECT(MK_MISUSE, CALL(mk_archive_close)(inside->sample->archive, NULL, inside->error));
    EXPECT(MK_OK, CALL(mk_session_raw)(&buffer, inside->sample->session, inside->sample->first, inside->error));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_session_search)(&page, inside->sample->session, QUERY, NULL, inside->error));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
}

static int32_t use_in_bytes(void *payload, const void *data, size_t length) {
    (void)data;
    (void)length;
    use_inside(payload);
    return 0;
}

static int32_t use_in_step(void *payload, const mk_step *step) {
    (void)step;
    use_inside(payload);
    return 0;
}

static int32_t use_in_receipt(void *payload, const mk_receipt *receipt) {
    (void)receipt;
    use_inside(payload);
    return 0;
}

static int32_t cancel_in_step(void *payload, const mk_step *step) {
    (void)step;
    EXPECT(MK_OK, CALL(mk_cancel_now)(*(mk_cancel **)payload, NULL));
    return 0;
}

/* A callback that ends its call ends no other that uses the same mk_cancel; mk_cancel_now ends all. */
static void test_shared_cancel(struct sample *sample) {
    const mk_session *h = sample->session;
    mk_import_options import = MK_INIT(mk_import_options);
    mk_import_events events = MK_INIT(mk_import_events);
    mk_progress own = MK_INIT(mk_progress), shared = MK_INIT(mk_progress);
    mk_source source = MK_INIT(mk_source);
    mk_cancel *cancel = NULL;
    mk_buffer *buffer = NULL;
    mk_page *page = NULL;
    mk_search *search = NULL;
    char path[512];
    int counted = 0;
    EXPECT(MK_OK, CALL(mk_cancel_new)(&cancel, failure));
    own.cancel = shared.cancel = cancel;
    own.report = fail_step;
    own.payload = &counted;
    EXPECT(MK_OK, CALL(mk_search_begin)(&search, h, QUERY, &shared, failure));
    EXPECT(MK_STOPPED, CALL(mk_session_verify)(&buffer, h, MK_VERIFY_EVERYTHING, 0, 0, &own, failure));
    path_in_work(path, sizeof path, "shared.mbox");
    write_mbox(path, 3000, 3010);
    source.path = path;
    source.path_length = strlen(path);
    import.progress = &shared;
    import.events = &events;
    events.receipt = fail_receipt;
    EXPECT(MK_CALLBACK, CALL(mk_session_import)(&buffer, h, &source, &import, failure));
    EXPECT(MK_OK, CALL(mk_search_next)(&page, search, 1, failure));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_OK, CALL(mk_session_verify)(&buffer, h, MK_VERIFY_EVERYTHING, 0, 0, &shared, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));

    own.report = cancel_in_step;
    own.payload = &cancel;
    EXPECT(MK_STOPPED, CALL(mk_session_verify)(&buffer, h, MK_VERIFY_EVERYTHING, 0, 0, &own, failure));
    EXPECT(MK_STOPPED, CALL(mk_session_verify)(&buffer, h, MK_VERIFY_EVERYTHING, 0, 0, &shared, failure));
    EXPECT(MK_OK, CALL(mk_search_free)(search));
    EXPECT(MK_OK, CALL(mk_cancel_free)(cancel));
}

void test_callbacks(struct sample *sample) {
    const mk_session *h = sample->session;
    struct given given;
    struct inside inside = {NULL, NULL, 0};
    mk_import_options import = MK_INIT(mk_import_options);
    mk_import_events events = MK_INIT(mk_import_events);
    mk_progress progress = MK_INIT(mk_progress);
    mk_source source = MK_INIT(mk_source);
    mk_buffer *buffer = NULL;
    char path[512];
    int counted = 0;
    group("callbacks");
    make_given(&given, sample);
    EXPECT(MK_CALLBACK, CALL(mk_session_read)(h, given.first, fail_bytes, NULL, failure));
    EXPECT(MK_CALLBACK, CALL(mk_session_read_range)(h, given.first, 0, 5, fail_bytes, NULL, failure));
    EXPECT(MK_CALLBACK, CALL(mk_session_read_header)(h, given.first, fail_bytes, NULL, failure));
    EXPECT(MK_CALLBACK, CALL(mk_session_read_part)(h, given.with_parts, 2, 0, fail_bytes, NULL, failure));
    EXPECT(MK_CALLBACK, CALL(mk_session_read_parts)(h, given.with_parts, &given.part, 1, fail_part, NULL, failure));
    EXPECT(MK_CALLBACK, CALL(mk_session_export_mbox)(&buffer, h, fail_bytes, NULL, NULL, failure));
    progress.report = fail_step;
    progress.payload = &counted;
    EXPECT(MK_STOPPED, CALL(mk_session_verify)(&buffer, h, MK_VERIFY_EVERYTHING, 0, 0, &progress, failure));
    CHECK(counted == 1);
    test_shared_cancel(sample);

    path_in_work(path, sizeof path, "callbacks.mbox");
    write_mbox(path, 2000, 2010);
    source.path = path;
    source.path_length = strlen(path);
    import.events = &events;
    events.missing = fail_missing;
    EXPECT(MK_CALLBACK, CALL(mk_session_check)(&buffer, h, &source, &import, failure));
    events.receipt = fail_receipt;
    EXPECT(MK_CALLBACK, CALL(mk_session_import)(&buffer, h, &source, &import, failure));

    /* A source that cannot be read is a trouble of the import, not its end. */
    events.receipt = NULL;
    events.trouble = count_trouble;
    events.payload = &counted;
    counted = 0;
    source.read = fail_read;
    EXPECT(MK_OK, CALL(mk_session_import)(&buffer, h, &source, &import, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    CHECK(counted == 1);
    source.read = read_too_much;
    EXPECT(MK_OK, CALL(mk_session_import)(&buffer, h, &source, &import, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    CHECK(counted == 2);

    inside.sample = sample;
    EXPECT(MK_OK, CALL(mk_error_new)(&inside.error));
    EXPECT(MK_OK, CALL(mk_session_read)(h, given.first, use_in_bytes, &inside, failure));
    CHECK(inside.calls > 0);
    inside.calls = 0;
    progress.report = use_in_step;
    progress.payload = &inside;
    EXPECT(MK_OK, CALL(mk_session_verify)(&buffer, h, MK_VERIFY_EVERYTHING, 0, 0, &progress, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    CHECK(inside.calls > 0);
    inside.calls = 0;
    events.receipt = use_in_receipt;
    events.missing = NULL;
    events.payload = &inside;
    source.read = NULL;
    EXPECT(MK_OK, CALL(mk_session_import)(&buffer, h, &source, &import, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    CHECK(inside.calls == 10);
    EXPECT(MK_OK, CALL(mk_error_free)(inside.error));
}

/* A gate that one thread opens and others wait at. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int stage;
};

static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

static void reach(int stage) {
    pthread_mutex_lock(&gate.lock);
    if (gate.stage < stage) {
        gate.stage = stage;
    }
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void await(int stage) {
    pthread_mutex_lock(&gate.lock);
    while (gate.stage < stage) {
        pthread_cond_wait(&gate.changed, &gate.lock);
    }
    pthread_mutex_unlock(&gate.lock);
}

/* Two threads read one search or one stream: each page and byte comes once, and the second caller gets MK_BUSY. */
struct shared {
    mk_search *search;
    mk_stream *stream;
    uint64_t got[2];
    int busy[2];
};

struct half {
    struct shared *shared;
    int number;
};

static void *read_half(void *payload) {
    const struct half *half = payload;
    struct shared *shared = half->shared;
    mk_page_info info = MK_INIT(mk_page_info);
    mk_page *page = NULL;
    char piece[512];
    size_t read = 0;
    mk_status status;
    do {
        if (shared->search != NULL) {
            status = CALL(mk_search_next)(&page, shared->search, 1, NULL);
            if (status == MK_OK) {
                EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, NULL));
                EXPECT(MK_OK, CALL(mk_page_free)(page));
                shared->got[half->number] += info.count;
            }
        } else {
            status = CALL(mk_stream_read)(&read, shared->stream, piece, sizeof piece, NULL);
            shared->got[half->number] += status == MK_OK ? read : 0;
        }
        shared->busy[half->number] += status == MK_BUSY;
    } while (status == MK_OK || status == MK_BUSY);
    EXPECT(MK_END, status);
    return NULL;
}

/* How often a second one was refused. */
static int read_by_two(mk_search *search, mk_stream *stream, uint64_t expected) {
    struct shared shared = {NULL, NULL, {0, 0}, {0, 0}};
    struct half halves[2];
    pthread_t threads[2];
    int at;
    shared.search = search;
    shared.stream = stream;
    for (at = 0; at < 2; at++) {
        halves[at].shared = &shared;
        halves[at].number = at;
        CHECK(pthread_create(&threads[at], NULL, read_half, &halves[at]) == 0);
    }
    CHECK(pthread_join(threads[0], NULL) == 0 && pthread_join(threads[1], NULL) == 0);
    CHECK(shared.got[0] + shared.got[1] == expected);
    return shared.busy[0] + shared.busy[1];
}

#define LARGE_MAIL (17u << 20)

static void test_busy(struct sample *sample) {
    mk_search *search = NULL;
    mk_stream *stream = NULL;
    mk_receipt receipt = MK_INIT(mk_receipt);
    mk_page *page = NULL;
    mk_page_info info = MK_INIT(mk_page_info);
    size_t length = is_slow ? 200000 : LARGE_MAIL, at;
    char *mail = malloc(length);
    int busy = 0, round;
    if (mail == NULL) {
        exit(1);
    }
    EXPECT(MK_OK, CALL(mk_session_search)(&page, sample->session, QUERY, NULL, failure));
    EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, failure));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    for (round = 0; round < 1000 && busy == 0; round++) {
        EXPECT(MK_OK, CALL(mk_search_begin)(&search, sample->session, QUERY, NULL, failure));
        busy += read_by_two(search, NULL, info.total);
        EXPECT(MK_OK, CALL(mk_search_free)(search));
    }
    CHECK(busy > 0);

    /* Above 16 MiB a thread of the library reads ahead. */
    for (at = 0; at < length; at++) {
        mail[at] = at % 64 == 63 ? '\n' : (char)('a' + at / 64 % 26);
    }
    memcpy(mail, "Subject: Large\n\n", 16);
    EXPECT(MK_OK, CALL(mk_session_import_one)(&receipt, sample->session, mail, length, TEXT("anna/large"), failure));
    free(mail);
    for (busy = 0, round = 0; round < 1000 && busy == 0; round++) {
        EXPECT(MK_OK, CALL(mk_stream_open)(&stream, sample->session, receipt.id, MK_WHOLE_MAIL, failure));
        busy += read_by_two(NULL, stream, length);
        EXPECT(MK_OK, CALL(mk_stream_free)(stream));
    }
    CHECK(busy > 0 || is_slow);
    /* One that is freed, or closed with its archive, before it was read. */
    EXPECT(MK_OK, CALL(mk_stream_open)(&stream, sample->session, receipt.id, MK_WHOLE_MAIL, failure));
    EXPECT(MK_OK, CALL(mk_stream_free)(stream));
    EXPECT(MK_OK, CALL(mk_stream_open)(&stream, sample->session, receipt.id, MK_WHOLE_MAIL, failure));
    EXPECT(MK_OK, CALL(mk_archive_close)(sample->archive, NULL, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_stream_free)(stream));
    sample->archive = open_sample(sample);
    EXPECT(MK_OK, CALL(mk_session_begin)(&sample->session, sample->archive, NULL, 0, failure));
}

/* Uses an archive until it is closed. */
struct user {
    struct given *given;
    const mk_session *session;
    int searches;
    int imports;
};

static int may_end(mk_status status) {
    return status == MK_OK || status == MK_CLOSED || status == MK_BAD_HANDLE || status == MK_STOPPED;
}

static void *use_until_closed(void *payload) {
    struct user *user = payload;
    mk_status status;
    do {
        mk_page *page = NULL;
        status = CALL(mk_session_search)(&page, user->session, QUERY, NULL, NULL);
        CHECK(may_end(status));
        if (status == MK_OK) {
            user->searches++;
            EXPECT(MK_OK, CALL(mk_page_free)(page));
            reach(1);
        }
    } while (status == MK_OK);
    return NULL;
}

static void *import_until_closed(void *payload) {
    struct user *user = payload;
    char mail[128];
    mk_status status;
    do {
        int length = snprintf(mail, sizeof mail, "From: x@example.org\nSubject: %d\n\nA word.\n", user->imports);
        status = CALL(mk_session_import_one)(NULL, user->session, mail, (size_t)length, TEXT("anna/threads"), NULL);
        CHECK(may_end(status));
        user->imports += status == MK_OK;
    } while (status == MK_OK);
    return NULL;
}

void test_threads(struct sample *sample) {
    struct given given;
    mk_search *search = NULL;
    mk_stream *stream = NULL;
    mk_page *page = NULL;
    pthread_t one, two;
    struct user reader = {NULL, NULL, 0, 0}, importer = {NULL, NULL, 0, 0};
    uint64_t before = 0, after = 0;
    group("threads");
    make_given(&given, sample);
    test_busy(sample);
    /* Closed while one thread searches and another imports: both end, and what was given is freed with it. */
    EXPECT(MK_OK, CALL(mk_library_handles)(&before, failure));
    EXPECT(MK_OK, CALL(mk_search_begin)(&search, sample->session, QUERY, NULL, failure));
    EXPECT(MK_OK, CALL(mk_stream_open)(&stream, sample->session, sample->first, MK_WHOLE_MAIL, failure));
    reader.session = importer.session = sample->session;
    CHECK(pthread_create(&one, NULL, use_until_closed, &reader) == 0);
    CHECK(pthread_create(&two, NULL, import_until_closed, &importer) == 0);
    await(1);
    EXPECT(MK_OK, CALL(mk_archive_close)(sample->archive, NULL, failure));
    CHECK(pthread_join(one, NULL) == 0 && pthread_join(two, NULL) == 0);
    CHECK(reader.searches > 0);
    EXPECT(MK_BAD_HANDLE, CALL(mk_search_next)(&page, search, 0, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_search_free)(search));
    EXPECT(MK_BAD_HANDLE, CALL(mk_stream_free)(stream));
    EXPECT(MK_OK, CALL(mk_library_handles)(&after, failure));
    CHECK(after == before - 2);
    sample->archive = open_sample(sample);
    EXPECT(MK_OK, CALL(mk_session_begin)(&sample->session, sample->archive, NULL, 0, failure));
}

static int child_failed;

static void in_child(const char *name, mk_status status) {
    if (status != MK_FORKED) {
        printf("in a fork: %s: %s\n", name, mk_status_name(status));
        child_failed = 1;
    }
}

static void try_all_in_child(struct sample *sample, struct given *given) {
    size_t at;
    void *place = NULL;
    uint64_t count = 0;
    uint32_t store = 0;
    mk_key key = key_of(sample);
    for (at = 0; at < session_call_count; at++) {
        in_child(session_calls[at].name, session_calls[at].call(given, sample->session, &place));
    }
    in_child("mk_session_create_store", mk_session_create_store(&store, sample->session, TEXT("x"), MK_STORE_NORMAL, NULL, failure));
    in_child("mk_session_attach_store", mk_session_attach_store(&store, sample->session, TEXT("x"), MK_STORE_NORMAL, NULL, failure));
    in_child("mk_session_detach_store", mk_session_detach_store(sample->session, 1, NULL, failure));
    in_child("mk_session_set_store_dirs", mk_session_set_store_dirs(sample->session, 1, NULL, failure));
    in_child("mk_archive_open", mk_archive_open((mk_archive **)&place, sample->folder, strlen(sample->folder), &key, NULL, failure));
    in_child("mk_archive_refresh", mk_archive_refresh(sample->archive, failure));
    in_child("mk_archive_mark", mk_archive_mark(sample->archive, failure));
    in_child("mk_archive_freeze", mk_archive_freeze((mk_frozen **)&place, sample->archive, 1, failure));
    in_child("mk_archive_close", mk_archive_close(sample->archive, NULL, failure));
    in_child("mk_session_free", mk_session_free(sample->session));
    in_child("mk_error_free", mk_error_free(failure));
    in_child("mk_error_status", mk_error_status(failure));
    in_child("mk_library_handles", mk_library_handles(&count, NULL));
    in_child("mk_library_panic", mk_library_panic(NULL));
    in_child("mk_cancel_new", mk_cancel_new((mk_cancel **)&place, NULL));
}

void test_fork(struct sample *sample) {
    struct given given;
    mk_buffer *buffer = NULL;
    pid_t child;
    int status = 0;
    group("forks");
    make_given(&given, sample);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        try_all_in_child(sample, &given);
        fflush(stdout);
        /* By another program, since tools that look for leaks would count the threads that a fork lacks. */
        execl("/bin/sh", "sh", "-c", child_failed ? "exit 1" : "exit 0", (char *)NULL);
        _exit(2);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    /* The parent goes on unharmed. */
    EXPECT(MK_OK, CALL(mk_session_import_one)(NULL, sample->session, TEXT("From: x@example.org\n\nAfter the fork.\n"), TEXT("anna/fork"), failure));
    EXPECT(MK_OK, CALL(mk_session_verify)(&buffer, sample->session, MK_VERIFY_EVERYTHING, 0, 0, NULL, failure));
    CHECK(buffer_has(buffer, "\"findings\":[]"));
}
