/* 16 threads search and read while one imports: threads WORK SECONDS
 *
 * Mails have numbers, and their bytes follow from these. Each answer is that of a state between call and return: every
 * mail with a receipt at the call is found, and none whose import had not begun at the return. */

#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS 16
#define MOST_BYTES 4096
#define OF_STREAM 20

static const mk_session *session;
static time_t end;

/* What the importing thread has begun, and has receipts for. */
static struct {
    pthread_mutex_t lock;
    uint64_t begun, done;
} counts = {PTHREAD_MUTEX_INITIALIZER, 0, 0};

static void add(uint64_t begun, uint64_t done) {
    pthread_mutex_lock(&counts.lock);
    counts.begun += begun;
    counts.done += done;
    pthread_mutex_unlock(&counts.lock);
}

static void now(uint64_t *begun, uint64_t *done) {
    pthread_mutex_lock(&counts.lock);
    *begun = counts.begun;
    *done = counts.done;
    pthread_mutex_unlock(&counts.lock);
}

static int is_over(void) {
    return time(NULL) >= end;
}

/* The bytes of a mail: its length and its letters follow from its number. */
static size_t mail_of(char *mail, uint64_t number) {
    size_t length = (size_t)snprintf(mail, MOST_BYTES, "From: a@example.org\nMessage-ID: <%llu@example.org>\nSubject: Number %llu\n\nword number%llu\n",
                                     (unsigned long long)number, (unsigned long long)number, (unsigned long long)number);
    size_t lines = number % 37;
    while (lines-- > 0) {
        memset(mail + length, (int)('a' + (number + lines) % 26), 63);
        mail[length + 63] = '\n';
        length += 64;
    }
    return length;
}

static int32_t take_receipt(void *payload, const mk_receipt *receipt) {
    uint64_t *next = payload;
    CHECK((uint32_t)receipt->id == *next && receipt->outcome == MK_OUTCOME_STORED);
    ++*next;
    add(0, 1);
    return 0;
}

/* An mbox that is made while it is read. */
struct maker {
    uint64_t next, last;
    char mail[MOST_BYTES + 64];
    size_t length, at;
};

static int64_t make_bytes(void *payload, void *data, size_t length) {
    struct maker *maker = payload;
    size_t taken;
    if (maker->at == maker->length) {
        static const char line[] = "From a@example.org Mon Jan  1 00:00:00 2024\n";
        if (maker->next == maker->last) {
            return 0;
        }
        memcpy(maker->mail, line, sizeof line - 1);
        maker->length = sizeof line - 1 + mail_of(maker->mail + sizeof line - 1, maker->next++);
        maker->mail[maker->length++] = '\n';
        maker->at = 0;
    }
    taken = maker->length - maker->at < length ? maker->length - maker->at : length;
    memcpy(data, maker->mail + maker->at, taken);
    maker->at += taken;
    return (int64_t)taken;
}

static uint64_t import_stream(uint64_t next) {
    mk_source source = MK_INIT(mk_source);
    mk_import_options options = MK_INIT(mk_import_options);
    mk_import_events events = MK_INIT(mk_import_events);
    struct maker maker;
    mk_buffer *buffer = NULL;
    memset(&maker, 0, sizeof maker);
    maker.next = next;
    maker.last = next + OF_STREAM;
    source.read = make_bytes;
    source.payload = &maker;
    source.path = "made.mbox";
    source.path_length = strlen(source.path);
    options.into = "anna/stream";
    options.into_length = strlen(options.into);
    options.events = &events;
    events.receipt = take_receipt;
    events.payload = &next;
    add(OF_STREAM, 0);
    EXPECT(MK_OK, mk_session_import(&buffer, session, &source, &options, failure));
    EXPECT(MK_OK, mk_buffer_free(buffer));
    CHECK(next == maker.last);
    return next;
}

static uint64_t import_one(uint64_t next) {
    mk_receipt receipt = MK_INIT(mk_receipt);
    char mail[MOST_BYTES];
    size_t length = mail_of(mail, next);
    add(1, 0);
    EXPECT(MK_OK, mk_session_import_one(&receipt, session, mail, length, TEXT("anna/single"), failure));
    CHECK((uint32_t)receipt.id == next);
    add(0, 1);
    return next + 1;
}

/* Calls of one kind of reader. */
struct reader {
    int number;
    unsigned seed;
    uint64_t calls;
};

static uint64_t any_of(struct reader *reader, uint64_t count) {
    reader->seed = reader->seed * 1103515245u + 12345u;
    return count == 0 ? 0 : (reader->seed >> 8) % count;
}

static void search_all(void) {
    mk_page *page = NULL;
    mk_page_info info = MK_INIT(mk_page_info);
    uint64_t begun, done, later, found;
    now(&begun, &done);
    EXPECT(MK_OK, mk_session_search(&page, session, TEXT("{\"query\":\"*\",\"limit\":1}"), NULL, NULL));
    now(&begun, &later);
    EXPECT(MK_OK, mk_page_get_info(&info, page, NULL));
    EXPECT(MK_OK, mk_page_free(page));
    /* The index follows the receipts, and an answer says how far it is behind. */
    found = info.total + info.not_indexed;
    if (found < done || found > begun) {
        printf("%llu mails found, %llu had receipts, %llu were begun\n", (unsigned long long)found, (unsigned long long)done,
               (unsigned long long)begun);
        CHECK(0);
    }
}

static void search_one(struct reader *reader) {
    mk_page *page = NULL;
    mk_page_info info = MK_INIT(mk_page_info);
    mk_message message = MK_INIT(mk_message);
    uint64_t begun, done, number;
    char request[64];
    now(&begun, &done);
    number = any_of(reader, done);
    snprintf(request, sizeof request, "{\"query\":\"number%llu\"}", (unsigned long long)number);
    EXPECT(MK_OK, mk_session_search(&page, session, request, strlen(request), NULL, NULL));
    EXPECT(MK_OK, mk_page_get_info(&info, page, NULL));
    if (mk_page_message(&message, page, 0, NULL) == MK_OK) {
        CHECK((uint32_t)message.id == number);
        EXPECT(MK_END, mk_page_message(&message, page, 1, NULL));
    } else {
        CHECK(info.not_indexed > 0);
    }
    EXPECT(MK_OK, mk_page_free(page));
}

static void read_one(struct reader *reader) {
    mk_buffer *buffer = NULL;
    mk_text text = {NULL, 0};
    uint64_t begun, done, number;
    char mail[MOST_BYTES];
    now(&begun, &done);
    number = any_of(reader, done);
    EXPECT(MK_OK, mk_session_raw(&buffer, session, ((mk_message_id)1 << 32) + number, NULL));
    EXPECT(MK_OK, mk_buffer_get(&text, buffer, NULL));
    CHECK(text.length == mail_of(mail, number) && memcmp(text.data, mail, text.length) == 0);
    EXPECT(MK_OK, mk_buffer_free(buffer));
}

static void read_stream(struct reader *reader) {
    mk_stream *stream = NULL;
    uint64_t begun, done, number;
    char mail[MOST_BYTES], read[MOST_BYTES];
    size_t length = 0, some = 0;
    now(&begun, &done);
    number = any_of(reader, done);
    EXPECT(MK_OK, mk_stream_open(&stream, session, ((mk_message_id)1 << 32) + number, MK_WHOLE_MAIL, NULL));
    while (length < sizeof read && mk_stream_read(&some, stream, read + length, sizeof read - length > 100 ? 100 : sizeof read - length, NULL) == MK_OK) {
        length += some;
    }
    CHECK(length == mail_of(mail, number) && memcmp(read, mail, length) == 0);
    EXPECT(MK_OK, mk_stream_free(stream));
}

static void *use(void *payload) {
    struct reader *reader = payload;
    while (!is_over()) {
        switch (reader->number % 4) {
        case 0: search_all(); break;
        case 1: search_one(reader); break;
        case 2: read_one(reader); break;
        default: read_stream(reader); break;
        }
        reader->calls++;
    }
    return NULL;
}

int main(int argc, char **argv) {
    struct sample sample;
    struct reader readers[THREADS];
    pthread_t threads[THREADS];
    uint64_t next = 0, calls = 0, begun, done, handles = 1;
    mk_buffer *buffer = NULL;
    int at;
    if (argc != 3) {
        fprintf(stderr, "usage: threads WORK SECONDS\n");
        return 2;
    }
    work = argv[1];
    EXPECT(MK_OK, mk_error_new(&failure));
    memset(&sample, 0, sizeof sample);
    make_archive(&sample, "threads");
    session = sample.session;
    next = import_stream(next);
    end = time(NULL) + atoi(argv[2]);
    for (at = 0; at < THREADS; at++) {
        readers[at].number = at;
        readers[at].seed = (unsigned)at + 1;
        readers[at].calls = 0;
        CHECK(pthread_create(&threads[at], NULL, use, &readers[at]) == 0);
    }
    while (!is_over()) {
        next = next % 3 == 0 ? import_stream(next) : import_one(next);
    }
    for (at = 0; at < THREADS; at++) {
        CHECK(pthread_join(threads[at], NULL) == 0);
        calls += readers[at].calls;
    }
    now(&begun, &done);
    CHECK(begun == done && done == next);
    EXPECT(MK_OK, mk_session_verify(&buffer, session, MK_VERIFY_EVERYTHING, 0, 0, NULL, failure));
    CHECK(buffer_has(buffer, "\"findings\":[]"));
    EXPECT(MK_OK, mk_archive_close(sample.archive, NULL, failure));
    mk_error_free(failure);
    EXPECT(MK_OK, mk_library_handles(&handles, NULL));
    CHECK(handles == 0);
    printf("%d threads, %llu answers, %llu mails\n", THREADS + 1, (unsigned long long)calls, (unsigned long long)done);
    return failures() == 0 ? 0 : 1;
}
