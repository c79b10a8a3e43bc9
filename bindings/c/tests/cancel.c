/* How soon each long call returns after it is cancelled: cancel WORK MAILS
 *
 * Measures and prints; the time itself is checked by nobody, since other programs may run. Each call is begun, cancelled
 * after a while by another thread, and must then end with MK_STOPPED, or say that it was stopped. */

#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct sample sample;
static mk_cancel *cancel;
static long wait_ms;

static double clock_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void sleep_ms(long ms) {
    struct timespec time;
    time.tv_sec = ms / 1000;
    time.tv_nsec = ms % 1000 * 1000000;
    nanosleep(&time, NULL);
}

/* A source without an end: some bytes of mails every few milliseconds. */
static int64_t trickle(void *payload, void *data, size_t length) {
    static const char mail[] = "From a Mon Jan  1 00:00:00 2024\nSubject: Slow\n\nWords.\n\n";
    size_t *at = payload, left = sizeof mail - 1 - *at, taken = left < 7 ? left : 7;
    sleep_ms(5);
    taken = taken < length ? taken : length;
    memcpy(data, mail + *at, taken);
    *at = (*at + taken) % (sizeof mail - 1);
    return (int64_t)taken;
}

/* One mail without an end. */
static int64_t drip(void *payload, void *data, size_t length) {
    static const char head[] = "Subject: Endless\n\n";
    size_t *at = payload;
    (void)length;
    sleep_ms(5);
    *(char *)data = *at < sizeof head - 1 ? head[*at] : 'x';
    ++*at;
    return 1;
}

struct job {
    const char *name;
    mk_status (*run)(const mk_progress *progress, mk_buffer **report);
};

static mk_status with_source(mk_status (*call)(mk_buffer **, const mk_session *, const mk_source *, const mk_import_options *, mk_error *),
                             mk_read_fn read, const char *name, const mk_progress *progress, mk_buffer **report) {
    mk_source source = MK_INIT(mk_source);
    mk_import_options options = MK_INIT(mk_import_options);
    size_t at = 0;
    options.progress = progress;
    options.into = "anna/slow";
    options.into_length = strlen(options.into);
    source.read = read;
    source.payload = &at;
    source.path = name;
    source.path_length = strlen(name);
    return call(report, sample.session, &source, &options, failure);
}

static mk_status run_import(const mk_progress *progress, mk_buffer **report) {
    return with_source(mk_session_import, trickle, "slow.mbox", progress, report);
}

static mk_status run_import_endless(const mk_progress *progress, mk_buffer **report) {
    return with_source(mk_session_import, drip, "slow.eml", progress, report);
}

static mk_status run_check(const mk_progress *progress, mk_buffer **report) {
    return with_source(mk_session_check, trickle, "slow.mbox", progress, report);
}

static mk_status run_plan(const mk_progress *progress, mk_buffer **report) {
    return with_source(mk_session_import_plan, trickle, "slow.mbox", progress, report);
}

static mk_status run_import_path(const mk_progress *progress, mk_buffer **report) {
    mk_source source = MK_INIT(mk_source);
    mk_import_options options = MK_INIT(mk_import_options);
    char path[512];
    path_in_work(path, sizeof path, "cancel.mbox");
    source.path = path;
    source.path_length = strlen(path);
    options.progress = progress;
    options.into = "anna/again";
    options.into_length = strlen(options.into);
    return mk_session_import(report, sample.session, &source, &options, failure);
}

static mk_status run_verify(const mk_progress *progress, mk_buffer **report) {
    return mk_session_verify(report, sample.session, MK_VERIFY_EVERYTHING, 0, 0, progress, failure);
}

static mk_status run_export(const mk_progress *progress, mk_buffer **report) {
    mk_export_options options = MK_INIT(mk_export_options);
    char path[512];
    path_in_work(path, sizeof path, "exported");
    options.progress = progress;
    return mk_session_export(report, sample.session, path, strlen(path), &options, failure);
}

static int32_t slowly(void *payload, const void *data, size_t length) {
    (void)payload;
    (void)data;
    (void)length;
    sleep_ms(1);
    return 0;
}

static mk_status run_export_mbox(const mk_progress *progress, mk_buffer **report) {
    mk_export_options options = MK_INIT(mk_export_options);
    options.progress = progress;
    return mk_session_export_mbox(report, sample.session, slowly, NULL, &options, failure);
}

static mk_status run_rebuild(const mk_progress *progress, mk_buffer **report) {
    (void)report;
    return mk_session_rebuild_store_index(sample.session, 1, progress, failure);
}

static mk_status run_stats(const mk_progress *progress, mk_buffer **report) {
    return mk_session_stats(report, sample.session, progress, failure);
}

static mk_status run_types(const mk_progress *progress, mk_buffer **report) {
    return mk_session_types_not_read(report, sample.session, progress, failure);
}

static mk_status run_search(const mk_progress *progress, mk_buffer **report) {
    static const char request[] = "{\"query\":\"w* OR n* OR *e*\",\"limit\":100000,\"snippets\":true,\"counts\":[\"year\",\"from\"]}";
    mk_page *page = NULL;
    mk_status status = mk_session_search(&page, sample.session, request, sizeof request - 1, progress, failure);
    (void)report;
    mk_page_free(page);
    return status;
}

static mk_status run_open(const mk_progress *progress, mk_buffer **report) {
    mk_open_options options = MK_INIT(mk_open_options);
    mk_archive *archive = NULL;
    mk_key key = key_of(&sample);
    mk_status status;
    (void)report;
    options.progress = progress;
    status = mk_archive_open(&archive, sample.folder, strlen(sample.folder), &key, &options, failure);
    if (status == MK_OK) {
        mk_archive_close(archive, NULL, failure);
    }
    return status;
}

static const struct job jobs[] = {
    {"import of a slow stream", run_import},       {"import of one endless mail", run_import_endless},
    {"check of a slow stream", run_check},         {"plan of a slow stream", run_plan},
    {"import of a file", run_import_path},         {"verify", run_verify},
    {"export", run_export},                        {"export to a slow function", run_export_mbox},
    {"rebuild of an index", run_rebuild},          {"stats", run_stats},
    {"media types not read", run_types},           {"search with snippets and counts", run_search},
};

static double cancelled;

static void *cancel_later(void *unused) {
    (void)unused;
    sleep_ms(wait_ms);
    cancelled = clock_ms();
    EXPECT(MK_OK, mk_cancel_now(cancel, NULL));
    return NULL;
}

static void measure(const struct job *job, long after) {
    mk_progress progress = MK_INIT(mk_progress);
    mk_buffer *report = NULL;
    mk_status status;
    pthread_t thread;
    double begun = clock_ms(), returned;
    wait_ms = after;
    EXPECT(MK_OK, mk_cancel_new(&cancel, failure));
    progress.cancel = cancel;
    CHECK(pthread_create(&thread, NULL, cancel_later, NULL) == 0);
    status = job->run(&progress, &report);
    returned = clock_ms();
    CHECK(pthread_join(thread, NULL) == 0);
    EXPECT(MK_OK, mk_cancel_free(cancel));
    CHECK(status == MK_OK || status == MK_STOPPED);
    if (returned < cancelled) {
        printf("%-32s done after %.1f ms, before it was cancelled\n", job->name, returned - begun);
    } else {
        printf("%-32s %s %.1f ms after it was cancelled\n", job->name, mk_status_name(status), returned - cancelled);
    }
    mk_buffer_free(report);
    fflush(stdout);
}

int main(int argc, char **argv) {
    mk_open_options options = MK_INIT(mk_open_options);
    mk_key key;
    mk_buffer *buffer = NULL;
    mk_source source = MK_INIT(mk_source);
    struct job open_job = {"open with mails to index", run_open};
    char path[512];
    size_t at;
    uint64_t handles = 1;
    if (argc != 3) {
        fprintf(stderr, "usage: cancel WORK MAILS\n");
        return 2;
    }
    work = argv[1];
    EXPECT(MK_OK, mk_error_new(&failure));
    make_archive(&sample, "cancelled");
    EXPECT(MK_OK, mk_archive_close(sample.archive, NULL, failure));
    path_in_work(path, sizeof path, "cancel.mbox");
    write_mbox(path, 0, atoi(argv[2]));
    /* Archived without an index, so that the next open has all of it to do. */
    key = key_of(&sample);
    options.flags = MK_OPEN_WITHOUT_INDEX;
    EXPECT(MK_OK, mk_archive_open(&sample.archive, sample.folder, strlen(sample.folder), &key, &options, failure));
    EXPECT(MK_OK, mk_session_begin(&sample.session, sample.archive, NULL, 0, failure));
    source.path = path;
    source.path_length = strlen(path);
    EXPECT(MK_OK, mk_session_import(&buffer, sample.session, &source, NULL, failure));
    EXPECT(MK_OK, mk_buffer_free(buffer));
    EXPECT(MK_OK, mk_archive_close(sample.archive, NULL, failure));
    measure(&open_job, 20);
    sample.archive = open_sample(&sample);
    EXPECT(MK_OK, mk_session_begin(&sample.session, sample.archive, NULL, 0, failure));
    for (at = 0; at < sizeof jobs / sizeof *jobs; at++) {
        measure(&jobs[at], jobs[at].run == run_stats || jobs[at].run == run_types ? 1 : 50);
    }
    EXPECT(MK_OK, mk_archive_close(sample.archive, NULL, failure));
    mk_error_free(failure);
    EXPECT(MK_OK, mk_library_handles(&handles, NULL));
    CHECK(handles == 0);
    return failures() == 0 ? 0 : 1;
}
