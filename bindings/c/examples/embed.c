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
        exit(1);
    }
    memcpy(text, bytes.data, bytes.length);
    mk_buffer_free(buffer);
    return text;
}

/* A number of a JSON object. A real program uses a JSON library. */
static long long number_in(const char *json, const char *name) {
    const char *at = strstr(json, name);
    return at == NULL ? 0 : atoll(at + strlen(name) + 2);
}

static mk_archive *open_or_create(const char *folder) {
    mk_archive *archive = NULL;
    char key_path[4096], key_text[4096];
    snprintf(key_path, sizeof key_path, "%s.key", folder);
    FILE *file = fopen(key_path, "rb");
    if (file != NULL) {
        mk_key key = MK_INIT(mk_key);
        key.kind = MK_KEY_FILE;
        key.data = key_text;
        key.length = fread(key_text, 1, sizeof key_text, file);
        fclose(file);
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
        perror(key_path);
        exit(1);
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
    char *part = strstr(json, "\"attachment\":true"), *at;
    unsigned number = (unsigned)number_in(part, "number");
    if ((at = strstr(part, "\"name\":\"")) != NULL) {
        sscanf(at, "\"name\":\"%255[^\"]", name);
    }
    if ((at = strstr(part, "\"type\":\"")) != NULL) {
        sscanf(at, "\"type\":\"%255[^\"]", type);
    }
    free(json);

    char path[4096], piece[65536];
    size_t read = 0, bytes = 0;
    mk_stream *stream = NULL;
    mk_status status;
    snprintf(path, sizeof path, "%s.attachment", folder);
    FILE *file = fopen(path, "wb");
    must(mk_stream_open(&stream, session, id, number, failure));
    while ((status = mk_stream_read(&read, stream, piece, sizeof piece, failure)) == MK_OK) {
        bytes += fwrite(piece, 1, read, file);
    }
    if (status != MK_END) {
        must(status);
    }
    mk_stream_free(stream);
    fclose(file);
    must(mk_message_id_print(printed, sizeof printed, NULL, id, failure));
    printf("saved %s of %s, %s, %zu bytes\n", name, printed, type, bytes);
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
    printf("read %lld = stored %lld + duplicate %lld + failed %lld\n", number_in(report, "read"), number_in(report, "stored"),
           number_in(report, "duplicate"), number_in(report, "failed"));
    free(report);

    /* A query may have quotes and backslashes, which JSON escapes. */
    char request[8192] = "{\"limit\":10,\"query\":\"";
    size_t length = strlen(request);
    for (const char *at = argv[3]; *at != 0 && length < sizeof request - 8; at++) {
        if (*at == '"' || *at == '\\') {
            request[length++] = '\\';
        }
        request[length++] = *at;
    }
    request[length] = 0;
    strcat(request, "\"}");
    mk_page *page = NULL;
    must(mk_session_search(&page, session, request, strlen(request), NULL, failure));
    mk_page_info info = MK_INIT(mk_page_info);
    must(mk_page_get_info(&info, page, failure));
    printf("%u of %llu hits\n", info.count, (unsigned long long)info.total);
    mk_message hit = MK_INIT(mk_message);
    mk_message_id with_attachment = 0;
    int found = 0;
    for (size_t row = 0; mk_page_message(&hit, page, row, failure) == MK_OK; row++) {
        char id[32];
        must(mk_message_id_print(id, sizeof id, NULL, hit.id, failure));
        printf("%s\t%.*s\t%llu\t%.*s\n", id, (int)hit.folder.length, hit.folder.data, (unsigned long long)hit.bytes,
               (int)hit.subject.length, hit.subject.data);
        if (!found && hit.attachments > 0) {
            with_attachment = hit.id;
            found = 1;
        }
    }
    mk_page_free(page);
    if (found) {
        save_attachment(session, with_attachment, argv[1]);
    }
    mk_session_free(session);
    must(mk_archive_close(archive, NULL, failure));
    mk_error_free(failure);
    return 0;
}
