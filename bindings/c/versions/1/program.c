/* The library embedded: open or create an archive, import a mailbox, search it, save an attachment.
 *
 * cc embed.c $(pkg-config --cflags --libs mailkeep) -o embed && ./embed ARCHIVE MBOX QUERY */

#include <mailkeep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static mk_error *failure;

/* Ends the program with the message of a call that failed. A server would answer with it instead. */
static void must(mk_status status) {
    mk_text message = {0};
    if (status == MK_OK) {
        return;
    }
    mk_error_message(&message, failure);
    fprintf(stderr, "\nerror: %.*s\n", (int)message.length, message.data);
    exit(1);
}

static void fail(const char *path) {
    perror(path);
    exit(1);
}

static int32_t show_progress(void *payload, const mk_step *step) {
    (void)payload;
    fprintf(stderr, "\r%.*s: %llu of %llu bytes", (int)step->activity.length, step->activity.data, (unsigned long long)step->done,
            (unsigned long long)step->total);
    return 0;
}

/* The text of a buffer, as C has it; freed by the caller. */
static char *text_of(mk_buffer *buffer) {
    mk_text bytes = {0};
    must(mk_buffer_get(&bytes, buffer, failure));
    char *text = calloc(bytes.length + 1, 1);
    if (text == NULL) {
        fail("memory");
    }
    memcpy(text, bytes.data, bytes.length);
    mk_buffer_free(buffer);
    return text;
}

/* What follows `"name":` in JSON. A real program uses a JSON library. */
static const char *value_of(const char *json, const char *name) {
    const char *at = strstr(json, name);
    if (at == NULL) {
        fprintf(stderr, "no %s in %s\n", name, json);
        exit(1);
    }
    return at + strlen(name);
}

/* A text of JSON; what is not one leaves it as it is. */
static void text_value(char *text, size_t size, const char *value) {
    size_t length = 0;
    if (*value != '"') {
        return;
    }
    for (value++; *value != 0 && *value != '"' && length + 1 < size; value++) {
        value += *value == '\\' && value[1] != 0;
        text[length++] = *value;
    }
    text[length] = 0;
}

/* The path of a file beside the archive. */
static void path_beside(char *path, size_t size, const char *folder, const char *end) {
    int length = snprintf(path, size, "%s%s", folder, end);
    if (length < 0 || (size_t)length >= size) {
        fprintf(stderr, "the path is too long\n");
        exit(1);
    }
}

static mk_archive *open_or_create(const char *folder) {
    mk_archive *archive = NULL;
    char key_path[4096], key_text[4096];
    path_beside(key_path, sizeof key_path, folder, ".key");
    FILE *file = fopen(key_path, "rb");
    if (file != NULL) {
        mk_key key = MK_INIT(mk_key);
        key.kind = MK_KEY_FILE;
        key.data = key_text;
        key.length = fread(key_text, 1, sizeof key_text, file);
        if (ferror(file) != 0 || fclose(file) != 0) {
            fail(key_path);
        }
        must(mk_archive_open(&archive, folder, strlen(folder), &key, NULL, failure));
        return archive;
    }
    /* Nothing is on disk before the commit: first its keys are kept. */
    mk_new_archive *made = NULL;
    mk_buffer *buffer = NULL;
    must(mk_new_archive_begin(&made, folder, strlen(folder), "anna", 4, NULL, failure));
    must(mk_new_archive_recovery_key(&buffer, made, failure));
    char *recovery = text_of(buffer);
    fprintf(stderr, "keep this safe: %s\n", recovery);
    free(recovery);
    must(mk_new_archive_key_file(&buffer, made, failure));
    char *key = text_of(buffer);
    file = fopen(key_path, "wb");
    if (file == NULL || fputs(key, file) < 0 || fclose(file) != 0) {
        fail(key_path);
    }
    free(key);
    must(mk_new_archive_commit(&archive, made, failure));
    mk_new_archive_free(made);
    return archive;
}

/* Saves the first attachment of a mail. */
static void save_attachment(mk_session *session, mk_message_id id, const char *folder) {
    mk_buffer *buffer = NULL;
    must(mk_session_parts(&buffer, session, id, failure));
    char *json = text_of(buffer), name[256] = "an attachment", type[256] = "", printed[32];
    /* Names of an object come in the order of the alphabet: "attachment":true, "kind", "name", "number", … "type". */
    const char *part = strstr(json, "\"attachment\":true");
    if (part == NULL) {
        free(json);
        return;
    }
    uint32_t number = (uint32_t)strtoul(value_of(part, "\"number\":"), NULL, 10);
    text_value(name, sizeof name, value_of(part, "\"name\":"));
    text_value(type, sizeof type, value_of(part, "\"type\":"));
    free(json);

    char path[4096], piece[65536];
    size_t read = 0, bytes = 0;
    mk_stream *stream = NULL;
    mk_status status;
    path_beside(path, sizeof path, folder, ".attachment");
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        fail(path);
    }
    must(mk_stream_open(&stream, session, id, number, failure));
    while ((status = mk_stream_read(&read, stream, piece, sizeof piece, failure)) == MK_OK) {
        if (fwrite(piece, 1, read, file) != read) {
            fail(path);
        }
        bytes += read;
    }
    /* MK_END if all of it was read; else what was written is no attachment. */
    must(status == MK_END ? MK_OK : status);
    mk_stream_free(stream);
    if (fclose(file) != 0) {
        fail(path);
    }
    must(mk_message_id_print(printed, sizeof printed, NULL, id, failure));
    printf("saved %s of %s, %s, %zu bytes\n", name, printed, type, bytes);
}

/* A search for a query, as JSON: quotes and backslashes are escaped, and other control characters are blanks. */
static mk_page *search(mk_session *session, const char *query) {
    static const char head[] = "{\"limit\":10,\"query\":\"", tail[] = "\"}";
    char *request = malloc(sizeof head + 2 * strlen(query) + sizeof tail);
    mk_page *page = NULL;
    if (request == NULL) {
        fail("memory");
    }
    strcpy(request, head);
    size_t length = sizeof head - 1;
    for (; *query != 0; query++) {
        if (*query == '"' || *query == '\\') {
            request[length++] = '\\';
        }
        request[length++] = (unsigned char)*query < ' ' ? ' ' : *query;
    }
    strcpy(request + length, tail);
    must(mk_session_search(&page, session, request, strlen(request), NULL, failure));
    free(request);
    return page;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: embed ARCHIVE MBOX QUERY\n");
        return 2;
    }
    must(mk_error_new(&failure));
    mk_archive *archive = open_or_create(argv[1]);
    mk_session *session = NULL;
    must(mk_session_begin(&session, archive, NULL, 0, failure));

    mk_progress progress = MK_INIT(mk_progress);
    progress.report = show_progress;
    mk_import_options options = MK_INIT(mk_import_options);
    options.progress = &progress;
    mk_source source = MK_INIT(mk_source);
    source.path = argv[2];
    source.path_length = strlen(argv[2]);
    mk_buffer *buffer = NULL;
    must(mk_session_import(&buffer, session, &source, &options, failure));
    char *report = text_of(buffer);
    fprintf(stderr, "\n");
    printf("read %lld = stored %lld + duplicate %lld + failed %lld\n", atoll(value_of(report, "\"read\":")),
           atoll(value_of(report, "\"stored\":")), atoll(value_of(report, "\"duplicate\":")), atoll(value_of(report, "\"failed\":")));
    free(report);

    mk_page *page = search(session, argv[3]);
    mk_page_info info = MK_INIT(mk_page_info);
    must(mk_page_get_info(&info, page, failure));
    printf("%u of %llu hits\n", info.count, (unsigned long long)info.total);
    mk_message hit = MK_INIT(mk_message);
    mk_message_id with_attachment = 0;
    int found = 0;
    for (size_t row = 0; row < info.count; row++) {
        must(mk_page_message(&hit, page, row, failure));
        char id[32];
        must(mk_message_id_print(id, sizeof id, NULL, hit.id, failure));
        printf("%s\t%.*s\t%llu\t%.*s\n", id, (int)hit.folder.length, hit.folder.data, (unsigned long long)hit.bytes,
               (int)hit.subject.length, hit.subject.data);
        if (!found && hit.attachments > 0) {
            with_attachment = hit.id;
            found = 1;
        }
    }
    must(mk_page_free(page));
    if (found) {
        save_attachment(session, with_attachment, argv[1]);
    }
    mk_session_free(session);
    must(mk_archive_close(archive, NULL, failure));
    mk_error_free(failure);
    return fflush(stdout) == 0 ? 0 : 1;
}
