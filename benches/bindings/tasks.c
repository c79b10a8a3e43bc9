/* The same tasks through the C ABI, C# and Python, for cost.py: list, search, import. Prints the processor time and a sum. */

#include <mailkeep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static mk_error *failure;

static void must(mk_status status) {
    mk_text message = {0};
    if (status == MK_OK) {
        return;
    }
    mk_error_message(&message, failure);
    fprintf(stderr, "error: %.*s\n", (int)message.length, message.data);
    exit(1);
}

static double processor(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static mk_archive *open_archive(const char *folder, const char *key_file) {
    char text[4096];
    FILE *file = fopen(key_file, "rb");
    if (file == NULL) {
        perror(key_file);
        exit(1);
    }
    mk_key key = MK_INIT(mk_key);
    key.kind = MK_KEY_FILE;
    key.data = text;
    key.length = fread(text, 1, sizeof text, file);
    fclose(file);
    mk_archive *archive = NULL;
    must(mk_archive_open(&archive, folder, strlen(folder), &key, NULL, failure));
    return archive;
}

/* Reads what a program would show of each row. */
static unsigned long long take(mk_page *page) {
    unsigned long long sum = 0;
    mk_message row = MK_INIT(mk_message);
    for (size_t at = 0; mk_page_message(&row, page, at, failure) == MK_OK; at++) {
        if (row.id != 0 && row.subject.length > 0 && row.folder.length > 0) {
            sum++;
        }
        sum += row.bytes + row.attachments;
    }
    return sum;
}

static unsigned long long list(mk_session *session, int times) {
    unsigned long long sum = 0;
    for (int time = 0; time < times; time++) {
        mk_page *page = NULL, *next = NULL;
        mk_page_info info = MK_INIT(mk_page_info);
        must(mk_session_messages(&page, session, NULL, 0, NULL, 0, 1000, failure));
        for (;;) {
            sum += take(page);
            must(mk_page_get_info(&info, page, failure));
            if (info.cursor.data == NULL) {
                break;
            }
            must(mk_session_messages(&next, session, NULL, 0, info.cursor.data, info.cursor.length, 1000, failure));
            mk_page_free(page);
            page = next;
        }
        mk_page_free(page);
    }
    return sum;
}

static unsigned long long search(mk_session *session, const char *requests) {
    unsigned long long sum = 0;
    char line[4096];
    FILE *file = fopen(requests, "rb");
    if (file == NULL) {
        perror(requests);
        exit(1);
    }
    while (fgets(line, sizeof line, file) != NULL) {
        mk_page *page = NULL;
        mk_page_info info = MK_INIT(mk_page_info);
        must(mk_session_search(&page, session, line, strlen(line), NULL, failure));
        must(mk_page_get_info(&info, page, failure));
        sum += info.total + take(page);
        mk_page_free(page);
    }
    fclose(file);
    return sum;
}

static unsigned long long import(mk_session *session, const char *mbox) {
    mk_buffer *report = NULL;
    mk_source source = MK_INIT(mk_source);
    source.path = mbox;
    source.path_length = strlen(mbox);
    must(mk_session_import(&report, session, &source, NULL, failure));
    mk_text json = {0};
    must(mk_buffer_get(&json, report, failure));
    const char *read = strstr(json.data, "\"read\":");
    unsigned long long count = read == NULL ? 0 : strtoull(read + 7, NULL, 10);
    mk_buffer_free(report);
    return count;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: tasks list|search|import ARCHIVE KEYFILE TIMES|REQUESTS|MBOX\n");
        return 2;
    }
    must(mk_error_new(&failure));
    mk_archive *archive = open_archive(argv[2], argv[3]);
    mk_session *session = NULL;
    must(mk_session_begin(&session, archive, NULL, 0, failure));
    double begun = processor();
    unsigned long long sum = strcmp(argv[1], "list") == 0     ? list(session, atoi(argv[4]))
                             : strcmp(argv[1], "search") == 0 ? search(session, argv[4])
                                                              : import(session, argv[4]);
    printf("{\"cpu\": %.6f, \"sum\": %llu}\n", processor() - begun, sum);
    must(mk_archive_close(archive, NULL, failure));
    mk_error_free(failure);
    return 0;
}
