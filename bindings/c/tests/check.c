/* Checks, the list of what was called, and the archive that most groups use. */

#include "check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FUNCTIONS 256

mk_error *failure;
const char *work;
int is_slow;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *called[MOST_FUNCTIONS];
static size_t called_count;
static int failed;

void note_call(const char *function) {
    size_t at = 0;
    pthread_mutex_lock(&lock);
    while (at < called_count && strcmp(called[at], function) != 0) {
        at++;
    }
    if (at == called_count && at < MOST_FUNCTIONS) {
        called[called_count++] = function;
    }
    pthread_mutex_unlock(&lock);
}

int missing_calls(const char *list) {
    char name[128];
    int missing = 0;
    FILE *file = fopen(list, "r");
    if (file == NULL) {
        perror(list);
        return 1;
    }
    while (fgets(name, sizeof name, file) != NULL) {
        size_t at = 0;
        name[strcspn(name, "\n")] = 0;
        while (at < called_count && strcmp(called[at], name) != 0) {
            at++;
        }
        if (at == called_count) {
            printf("never called: %s\n", name);
            missing++;
        }
    }
    fclose(file);
    return missing;
}

int failures(void) {
    return failed;
}

void group(const char *name) {
    printf("%s\n", name);
    fflush(stdout);
}

void check_that(const char *file, int line, const char *what, int is_so) {
    if (!is_so) {
        pthread_mutex_lock(&lock);
        failed++;
        printf("%s:%d: not so: %s\n", file, line, what);
        pthread_mutex_unlock(&lock);
    }
}

void check_status(const char *file, int line, const char *call, mk_status expected, mk_status found) {
    mk_text message = {NULL, 0};
    if (expected == found) {
        return;
    }
    pthread_mutex_lock(&lock);
    failed++;
    printf("%s:%d: %s: %s instead of %s\n", file, line, call, mk_status_name(found), mk_status_name(expected));
    if (found < 0 && mk_error_message(&message, failure) == MK_OK && message.data != NULL) {
        printf("  %.*s\n", (int)message.length, message.data);
    }
    pthread_mutex_unlock(&lock);
}

void path_in_work(char *path, size_t size, const char *name) {
    int length = snprintf(path, size, "%s/%s", work, name);
    if (length < 0 || (size_t)length >= size) {
        fprintf(stderr, "the path of the work folder is too long\n");
        exit(1);
    }
}

/* Mails with numbers: every seventh has an attachment, every fifth answers the one before it. */
void write_mbox(const char *path, int from, int to) {
    FILE *file = fopen(path, "wb");
    int number;
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    for (number = from; number < to; number++) {
        fprintf(file, "From sender@example.org Mon Jan  1 00:%02d:00 2024\n", number % 60);
        fprintf(file, "From: Sender %d <sender@example.org>\nTo: anna@example.org\n", number % 3);
        fprintf(file, "Date: Mon, 1 Jan 2024 00:%02d:%02d +0000\n", number % 60, number / 60 % 60);
        fprintf(file, "Message-ID: <mail-%d@example.org>\nSubject: Number %d\n", number, number);
        if (number % 5 == 4) {
            fprintf(file, "In-Reply-To: <mail-%d@example.org>\n", number - 1);
        }
        if (number % 7 == 0) {
            fprintf(file, "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=edge\n\n--edge\n");
            fprintf(file, "Content-Type: text/plain\n\nAn invoice, number%d, is attached.\n--edge\n", number);
            fprintf(file, "Content-Type: text/csv; name=report.csv\nContent-Disposition: attachment; filename=report.csv\n\n");
            fprintf(file, "number,amount\n%d,17\n--edge\n", number);
            fprintf(file, "Content-Type: application/x-unknown; name=odd.bin\nContent-Disposition: attachment; filename=odd.bin\n");
            fprintf(file, "Content-Transfer-Encoding: base64\n\nAAECAwQFBgc=\n--edge--\n\n");
        } else {
            fprintf(file, "\nA word, and number%d.\n\n", number);
        }
    }
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int buffer_has(mk_buffer *buffer, const char *needle) {
    mk_text text = {NULL, 0};
    size_t length = strlen(needle), at;
    int has = 0;
    EXPECT(MK_OK, CALL(mk_buffer_get)(&text, buffer, failure));
    for (at = 0; at + length <= text.length && !has; at++) {
        has = memcmp(text.data + at, needle, length) == 0;
    }
    if (!has) {
        printf("  %.*s\n  has no %s\n", (int)text.length, text.data, needle);
    }
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    return has;
}

size_t take_text(char *to, size_t size, mk_buffer *buffer) {
    mk_text text = {NULL, 0};
    EXPECT(MK_OK, CALL(mk_buffer_get)(&text, buffer, failure));
    if (text.length >= size) {
        fprintf(stderr, "a text of %zu bytes is too long here\n", text.length);
        exit(1);
    }
    memcpy(to, text.data, text.length);
    to[text.length] = 0;
    CALL(mk_buffer_free)(buffer);
    return text.length;
}

mk_key key_of(const struct sample *sample) {
    mk_key key = MK_INIT(mk_key);
    key.kind = MK_KEY_FILE;
    key.data = sample->key_text;
    key.length = sample->key_length;
    return key;
}

mk_archive *open_sample(const struct sample *sample) {
    mk_archive *archive = NULL;
    mk_key key = key_of(sample);
    EXPECT(MK_OK, CALL(mk_archive_open)(&archive, sample->folder, strlen(sample->folder), &key, NULL, failure));
    return archive;
}

void make_archive(struct sample *sample, const char *name) {
    mk_new_archive *made = NULL;
    mk_buffer *buffer = NULL;
    path_in_work(sample->folder, sizeof sample->folder, name);
    EXPECT(MK_OK, CALL(mk_new_archive_begin)(&made, sample->folder, strlen(sample->folder), TEXT("anna"), NULL, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_recovery_key)(&buffer, made, failure));
    take_text(sample->recovery, sizeof sample->recovery, buffer);
    EXPECT(MK_OK, CALL(mk_new_archive_key_file)(&buffer, made, failure));
    sample->key_length = take_text(sample->key_text, sizeof sample->key_text, buffer);
    EXPECT(MK_OK, CALL(mk_new_archive_commit)(&sample->archive, made, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_free)(made));
    EXPECT(MK_OK, CALL(mk_session_begin)(&sample->session, sample->archive, NULL, 0, failure));
}

void make_sample(struct sample *sample) {
    mk_buffer *buffer = NULL;
    mk_source source = MK_INIT(mk_source);
    mk_page *page = NULL;
    mk_message message = MK_INIT(mk_message);
    char mbox[512];
    size_t row;
    make_archive(sample, "archive");
    path_in_work(mbox, sizeof mbox, "inbox.mbox");
    write_mbox(mbox, 0, SAMPLE_MAILS);
    source.path = mbox;
    source.path_length = strlen(mbox);
    EXPECT(MK_OK, CALL(mk_session_import)(&buffer, sample->session, &source, NULL, failure));
    CHECK(buffer_has(buffer, "\"stored\":40"));
    EXPECT(MK_OK, CALL(mk_session_messages)(&page, sample->session, NULL, 0, NULL, 0, 1000, failure));
    for (row = 0; CALL(mk_page_message)(&message, page, row, failure) == MK_OK; row++) {
        sample->first = row == 0 ? message.id : sample->first;
        if (message.attachments > 0) {
            sample->with_parts = message.id;
        }
    }
    CHECK(row == SAMPLE_MAILS);
    CHECK(sample->with_parts != 0);
    EXPECT(MK_OK, CALL(mk_page_free)(page));
}
