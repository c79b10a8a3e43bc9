/* Mail: brought in, listed, read, searched, written out; and what checks and measures an archive. */

#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int32_t count_bytes(void *payload, const void *data, size_t length) {
    CHECK(data != NULL || length == 0);
    *(size_t *)payload += length;
    return 0;
}

static int32_t count_part(void *payload, uint32_t part, const void *data, size_t length) {
    (void)data;
    (void)part;
    *(size_t *)payload += length;
    return 0;
}

static int32_t count_receipt(void *payload, const mk_receipt *receipt) {
    CHECK(receipt->size == sizeof *receipt && receipt->id != 0);
    CHECK(receipt->outcome >= MK_OUTCOME_STORED && receipt->outcome <= MK_OUTCOME_RESTATED);
    ++*(int *)payload;
    return 0;
}

static int32_t count_missing(void *payload, const mk_text *source, uint64_t offset) {
    (void)source;
    (void)offset;
    ++*(int *)payload;
    return 0;
}

static int32_t count_step(void *payload, const mk_step *step) {
    CHECK(step->size == sizeof *step && step->activity.length > 0);
    ++*(int *)payload;
    return 0;
}

struct memory {
    const char *data;
    size_t length, at;
};

static int64_t read_memory(void *payload, void *data, size_t length) {
    struct memory *memory = payload;
    size_t left = memory->length - memory->at, taken = left < length ? left : length;
    memcpy(data, memory->data + memory->at, taken);
    memory->at += taken;
    return (int64_t)taken;
}

static const char NEW_MAIL[] = "From: ben@example.org\nSubject: One alone\nDate: Tue, 2 Jan 2024 10:00:00 +0000\n\nA single zebra.\n";
static const char NEW_MBOX[] = "From ben@example.org Tue Jan  2 11:00:00 2024\nFrom: ben@example.org\nSubject: In a stream\n\nA giraffe.\n\n";

static void test_import(struct sample *sample) {
    const mk_session *session = sample->session;
    mk_receipt receipt = MK_INIT(mk_receipt);
    mk_source source = MK_INIT(mk_source);
    mk_import_options options = MK_INIT(mk_import_options);
    mk_import_events events = MK_INIT(mk_import_events);
    mk_progress progress = MK_INIT(mk_progress);
    struct memory memory = {NEW_MBOX, sizeof NEW_MBOX - 1, 0};
    mk_buffer *buffer = NULL;
    char path[512];
    int counted = 0, steps = 0;
    EXPECT(MK_OK, CALL(mk_session_import_one)(&receipt, session, TEXT(NEW_MAIL), TEXT("anna/single"), failure));
    CHECK(receipt.outcome == MK_OUTCOME_STORED && receipt.id != 0 && receipt.source.data == NULL);
    EXPECT(MK_OK, CALL(mk_session_import_one)(&receipt, session, TEXT(NEW_MAIL), TEXT("anna/single"), failure));
    CHECK(receipt.outcome == MK_OUTCOME_DUPLICATE);
    EXPECT(MK_OK, CALL(mk_session_import_one)(NULL, session, TEXT(NEW_MAIL), TEXT("anna/single"), failure));
    EXPECT(MK_NOT_A_MAIL, CALL(mk_session_import_one)(&receipt, session, NULL, 0, TEXT("anna/single"), failure));
    EXPECT(MK_MISUSE, CALL(mk_session_import_one)(&receipt, session, TEXT(NEW_MAIL), TEXT("/"), failure));

    options.progress = &progress;
    options.events = &events;
    progress.report = count_step;
    progress.payload = &steps;
    events.payload = &counted;
    events.receipt = count_receipt;
    source.read = read_memory;
    source.payload = &memory;
    source.path = "stream.mbox";
    source.path_length = strlen(source.path);
    EXPECT(MK_OK, CALL(mk_session_import_target)(&buffer, session, &source, &options, failure));
    CHECK(buffer_has(buffer, "anna/stream"));
    CHECK(memory.at == 0);
    EXPECT(MK_OK, CALL(mk_session_import_plan)(&buffer, session, &source, &options, failure));
    CHECK(buffer_has(buffer, "\"folders\""));
    memory.at = 0;
    EXPECT(MK_OK, CALL(mk_session_import)(&buffer, session, &source, &options, failure));
    CHECK(buffer_has(buffer, "\"stored\":1"));
    CHECK(counted == 1 && steps > 0);

    events.receipt = NULL;
    events.missing = count_missing;
    counted = 0;
    memory.at = 0;
    EXPECT(MK_OK, CALL(mk_session_check)(&buffer, session, &source, &options, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    CHECK(counted == 0);
    path_in_work(path, sizeof path, "other.mbox");
    write_mbox(path, 1000, 1003);
    source.read = NULL;
    source.path = path;
    source.path_length = strlen(path);
    EXPECT(MK_OK, CALL(mk_session_check)(&buffer, session, &source, &options, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    CHECK(counted == 3);
    source.path = "/not/there";
    source.path_length = strlen(source.path);
    EXPECT(MK_SOURCE, CALL(mk_session_import)(&buffer, session, &source, NULL, failure));

    EXPECT(MK_OK, CALL(mk_session_lost_files)(&buffer, session, failure));
    CHECK(buffer_has(buffer, "\"items\":[]"));
    EXPECT(MK_OK, CALL(mk_session_import_lost)(&buffer, session, &events, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_lost_mails)(&buffer, session, NULL, NULL, failure));
}

static void test_lists(struct sample *sample) {
    const mk_session *session = sample->session;
    mk_page *page = NULL;
    mk_page_info info = MK_INIT(mk_page_info);
    mk_message message = MK_INIT(mk_message);
    mk_folder folder = MK_INIT(mk_folder);
    mk_buffer *buffer = NULL;
    size_t seen = 0;
    char cursor[512];
    EXPECT(MK_OK, CALL(mk_session_folders)(&page, session, NULL, 0, 2, failure));
    EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, failure));
    CHECK(info.count == 2 && info.cursor.data != NULL && info.total == 0);
    EXPECT(MK_OK, CALL(mk_page_folder)(&folder, page, 0, failure));
    CHECK(folder.path.length > 0 && folder.total_messages > 0 && folder.reserved == 0);
    EXPECT(MK_END, CALL(mk_page_folder)(&folder, page, 2, failure));
    EXPECT(MK_END, CALL(mk_page_folder)(&folder, page, SIZE_MAX, failure));
    EXPECT(MK_END, CALL(mk_page_message)(&message, page, 0, failure));
    EXPECT(MK_OK, CALL(mk_page_json)(&buffer, page, failure));
    CHECK(buffer_has(buffer, "\"items\""));
    memcpy(cursor, info.cursor.data, info.cursor.length);
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_OK, CALL(mk_session_folders)(&page, session, cursor, info.cursor.length, SIZE_MAX, failure));
    EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, failure));
    CHECK(info.count >= 1 && info.cursor.data == NULL);
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_MISUSE, CALL(mk_session_folders)(&page, session, TEXT("no cursor"), 5, failure));

    EXPECT(MK_OK, CALL(mk_session_folders_in)(&page, session, NULL, 0, failure));
    EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, failure));
    CHECK(info.count == 1);
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_NO_SUCH_FOLDER, CALL(mk_session_folders_in)(&page, session, TEXT("anna/nowhere"), failure));

    /* All mails of a folder, page by page. */
    info.cursor.length = 0;
    do {
        const char *from = info.cursor.length > 0 ? cursor : NULL;
        EXPECT(MK_OK, CALL(mk_session_messages)(&page, session, TEXT("anna/inbox"), from, info.cursor.length, 7, failure));
        EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, failure));
        seen += info.count;
        if (info.cursor.length > 0) {
            memcpy(cursor, info.cursor.data, info.cursor.length);
        }
        EXPECT(MK_OK, CALL(mk_page_free)(page));
    } while (info.cursor.length > 0 && seen < 1000);
    CHECK(seen == SAMPLE_MAILS);
    EXPECT(MK_OK, CALL(mk_session_messages)(&page, session, NULL, 0, NULL, 0, SIZE_MAX, failure));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_NO_SUCH_FOLDER, CALL(mk_session_messages)(&page, session, TEXT("anna/nowhere"), NULL, 0, 7, failure));

    EXPECT(MK_OK, CALL(mk_session_message)(&page, session, sample->with_parts, failure));
    EXPECT(MK_OK, CALL(mk_page_message)(&message, page, 0, failure));
    CHECK(message.id == sample->with_parts && message.attachments == 2 && message.date > 0 && message.date % 1000 == 0);
    CHECK(message.from_address.length == strlen("sender@example.org") && message.date_origin == MK_DATE_MAIL);
    CHECK(message.snippet.length == 0 && message.folder.length == strlen("anna/inbox"));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_NO_SUCH_MESSAGE, CALL(mk_session_message)(&page, session, UINT64_MAX, failure));
    EXPECT(MK_OK, CALL(mk_session_thread)(&page, session, sample->first, NULL, failure));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_NO_SUCH_MESSAGE, CALL(mk_session_thread)(&page, session, 0, NULL, failure));
    EXPECT(MK_OK, CALL(mk_page_free)(NULL));
}

static void test_reads(struct sample *sample) {
    const mk_session *session = sample->session;
    mk_message_id id = sample->with_parts;
    mk_buffer *buffer = NULL, *all = NULL;
    mk_text whole = {NULL, 0};
    mk_stream *stream = NULL;
    size_t bytes = 0, read = 0, of_stream = 0;
    uint32_t parts[] = {1, 2, 1};
    char piece[17];
    mk_status status;
    EXPECT(MK_OK, CALL(mk_session_raw)(&all, session, id, failure));
    EXPECT(MK_OK, CALL(mk_buffer_get)(&whole, all, failure));
    EXPECT(MK_OK, CALL(mk_session_read)(session, id, count_bytes, &bytes, failure));
    CHECK(bytes == whole.length && bytes > 100);
    bytes = 0;
    EXPECT(MK_OK, CALL(mk_session_read_range)(session, id, 5, 25, count_bytes, &bytes, failure));
    CHECK(bytes == 20);
    bytes = 0;
    EXPECT(MK_OK, CALL(mk_session_read_range)(session, id, UINT64_MAX - 1, UINT64_MAX, count_bytes, &bytes, failure));
    EXPECT(MK_OK, CALL(mk_session_read_range)(session, id, 25, 5, count_bytes, &bytes, failure));
    CHECK(bytes == 0);
    EXPECT(MK_OK, CALL(mk_session_read_header)(session, id, count_bytes, &bytes, failure));
    CHECK(bytes > 0 && bytes < whole.length);
    EXPECT(MK_OK, CALL(mk_session_parts)(&buffer, session, id, failure));
    CHECK(buffer_has(buffer, "report.csv"));
    bytes = 0;
    EXPECT(MK_OK, CALL(mk_session_read_part)(session, id, 2, 0, count_bytes, &bytes, failure));
    CHECK(bytes > 0);
    read = bytes;
    bytes = 0;
    EXPECT(MK_OK, CALL(mk_session_read_part)(session, id, 2, 3, count_bytes, &bytes, failure));
    CHECK(bytes == read - 3);
    EXPECT(MK_OK, CALL(mk_session_read_part)(session, id, 2, UINT64_MAX, count_bytes, &bytes, failure));
    EXPECT(MK_NO_SUCH_PART, CALL(mk_session_read_part)(session, id, 99, 0, count_bytes, &bytes, failure));
    bytes = 0;
    EXPECT(MK_OK, CALL(mk_session_read_parts)(session, id, parts, 2, count_part, &bytes, failure));
    CHECK(bytes > read);
    EXPECT(MK_OK, CALL(mk_session_read_parts)(session, id, NULL, 0, count_part, &bytes, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_read_parts)(session, id, NULL, 2, count_part, &bytes, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_read_parts)(session, id, parts, SIZE_MAX / 2, count_part, &bytes, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_read_parts)(session, id, parts, 1, NULL, NULL, failure));
    EXPECT(MK_OK, CALL(mk_session_record)(&buffer, session, id, failure));
    CHECK(buffer_has(buffer, "\"digest\""));

    EXPECT(MK_OK, CALL(mk_stream_open)(&stream, session, id, MK_WHOLE_MAIL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_stream_read)(&read, stream, NULL, 1, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_stream_read)(&read, stream, piece, 0, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_stream_read)(NULL, stream, piece, sizeof piece, failure));
    while ((status = CALL(mk_stream_read)(&read, stream, piece, sizeof piece, failure)) == MK_OK) {
        CHECK(read > 0 && read <= sizeof piece);
        of_stream += read;
    }
    EXPECT(MK_END, status);
    EXPECT(MK_END, mk_stream_read(&read, stream, piece, sizeof piece, failure));
    CHECK(of_stream == whole.length);
    EXPECT(MK_OK, CALL(mk_buffer_free)(all));
    EXPECT(MK_OK, CALL(mk_stream_free)(stream));
    EXPECT(MK_BAD_HANDLE, CALL(mk_stream_free)(stream));
    EXPECT(MK_BAD_HANDLE, CALL(mk_stream_read)(&read, stream, piece, sizeof piece, failure));
    EXPECT(MK_OK, CALL(mk_stream_free)(NULL));
    EXPECT(MK_OK, CALL(mk_stream_open)(&stream, session, id, 2, failure));
    EXPECT(MK_OK, CALL(mk_stream_free)(stream));
    EXPECT(MK_NO_SUCH_PART, CALL(mk_stream_open)(&stream, session, id, 99, failure));
    EXPECT(MK_NO_SUCH_MESSAGE, CALL(mk_stream_open)(&stream, session, 0, MK_WHOLE_MAIL, failure));
}

static void test_search(struct sample *sample) {
    const mk_session *session = sample->session;
    mk_page *page = NULL;
    mk_page_info info = MK_INIT(mk_page_info);
    mk_message message = MK_INIT(mk_message);
    mk_search *search = NULL;
    mk_session *person = NULL;
    mk_buffer *buffer = NULL;
    mk_text json = {NULL, 0};
    uint64_t seen = 0;
    mk_status status;
    EXPECT(MK_OK, CALL(mk_session_search)(&page, session, TEXT("{\"query\":\"invoice\",\"limit\":2,\"snippets\":true,\"counts\":[\"year\"]}"),
                                          NULL, failure));
    EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, failure));
    CHECK(info.count == 2 && info.total == 6 && info.contents == 6 && info.cursor.length > 0 && info.more == 1);
    EXPECT(MK_OK, CALL(mk_page_message)(&message, page, 0, failure));
    CHECK(message.snippet.length > 0);
    EXPECT(MK_OK, CALL(mk_page_json)(&buffer, page, failure));
    CHECK(buffer_has(buffer, "\"counts\""));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_QUERY, CALL(mk_session_search)(&page, session, TEXT("{\"query\":\"before:never\"}"), NULL, failure));
    EXPECT(MK_OK, CALL(mk_error_json)(&json, failure));
    CHECK(json.length > 0);
    CHECK(CALL(mk_session_search)(&page, session, TEXT("no JSON"), NULL, failure) < 0);
    CHECK(CALL(mk_session_search)(&page, session, NULL, 0, NULL, failure) < 0);

    EXPECT(MK_OK, CALL(mk_search_begin)(&search, session, TEXT("{\"query\":\"word\",\"limit\":3}"), NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_search_next)(NULL, search, 0, failure));
    while ((status = CALL(mk_search_next)(&page, search, seen == 0 ? 0 : 10, failure)) == MK_OK) {
        EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, failure));
        CHECK(info.count <= (seen == 0 ? 3u : 10u));
        seen += info.count;
        EXPECT(MK_OK, CALL(mk_page_free)(page));
    }
    EXPECT(MK_END, status);
    CHECK(seen == info.total && seen == 34);
    EXPECT(MK_OK, CALL(mk_search_free)(search));
    EXPECT(MK_BAD_HANDLE, CALL(mk_search_free)(search));
    EXPECT(MK_BAD_HANDLE, CALL(mk_search_next)(&page, search, 0, failure));
    EXPECT(MK_OK, CALL(mk_search_free)(NULL));
    EXPECT(MK_OK, CALL(mk_search_begin)(&search, session, TEXT("{\"query\":\"nothinghasthis\"}"), NULL, failure));
    EXPECT(MK_OK, CALL(mk_search_next)(&page, search, SIZE_MAX, failure));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_END, CALL(mk_search_next)(&page, search, SIZE_MAX, failure));
    EXPECT(MK_OK, CALL(mk_search_free)(search));

    EXPECT(MK_OK, CALL(mk_session_explain)(&buffer, session, TEXT("{\"query\":\"invoice -zebra\"}"), NULL, failure));
    CHECK(buffer_has(buffer, "invoice"));
    EXPECT(MK_OK, CALL(mk_session_why)(&buffer, session, sample->with_parts, TEXT("{\"query\":\"invoice\"}"), NULL, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_session_undecided)(&buffer, session, TEXT("{\"query\":\"giraffe\"}"), SIZE_MAX, NULL, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));

    /* A person sees the folders that the program names, and nothing else. */
    EXPECT(MK_OK, CALL(mk_session_begin)(&person, sample->archive, TEXT("{\"name\":\"ben\",\"folders\":[{\"path\":\"anna/single\"}]}"), failure));
    EXPECT(MK_OK, CALL(mk_session_search)(&page, person, TEXT("{\"query\":\"*\"}"), NULL, failure));
    EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, failure));
    CHECK(info.total == 1);
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_NO_SUCH_MESSAGE, CALL(mk_session_raw)(&buffer, person, sample->with_parts, failure));
    EXPECT(MK_DENIED, CALL(mk_session_stats)(&buffer, person, NULL, failure));
    EXPECT(MK_OK, CALL(mk_session_free)(person));
    EXPECT(MK_MISUSE, CALL(mk_session_begin)(&person, sample->archive, TEXT("{}"), failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_begin)(NULL, sample->archive, NULL, 0, failure));
}

static void test_export(struct sample *sample) {
    const mk_session *session = sample->session;
    mk_export_options options = MK_INIT(mk_export_options);
    mk_buffer *buffer = NULL;
    char folder[512];
    size_t bytes = 0;
    path_in_work(folder, sizeof folder, "exported");
    options.format = MK_EXPORT_MBOX;
    options.flags = MK_EXPORT_MANIFEST;
    options.folder = "anna/inbox";
    options.folder_length = strlen(options.folder);
    options.query = "invoice";
    options.query_length = strlen(options.query);
    EXPECT(MK_OK, CALL(mk_session_export)(&buffer, session, folder, strlen(folder), &options, failure));
    CHECK(buffer_has(buffer, "6"));
    EXPECT(MK_OK, CALL(mk_session_export_mbox)(&buffer, session, count_bytes, &bytes, &options, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    CHECK(bytes > 100);
    bytes = 0;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_export_mbox)(NULL, session, count_bytes, &bytes, NULL, failure));
    CHECK(bytes == 0);
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_export_mbox)(&buffer, session, NULL, NULL, NULL, failure));
}

void test_mail(struct sample *sample) {
    group("import and check");
    test_import(sample);
    group("lists");
    test_lists(sample);
    group("mails, parts, streams");
    test_reads(sample);
    group("search");
    test_search(sample);
    group("export");
    test_export(sample);
}

static int32_t visit_nothing(void *payload, const mk_text *json, const void *data, size_t length) {
    (void)payload;
    (void)json;
    (void)data;
    (void)length;
    CHECK(0);
    return 0;
}

void test_deletion(struct sample *sample) {
    const mk_session *session = sample->session;
    const mk_message_id ids[2] = {sample->first, 99};
    mk_receipt receipt = MK_INIT(mk_receipt), later = MK_INIT(mk_receipt);
    mk_buffer *buffer = NULL;
    group("deletion");
    EXPECT(MK_MISUSE, CALL(mk_session_delete)(&buffer, session, ids, 1, TEXT(""), 0, failure));
    EXPECT(MK_NO_SUCH_MESSAGE, CALL(mk_session_delete)(&buffer, session, ids, 2, TEXT("a test"), 0, failure));
    EXPECT(MK_OK, CALL(mk_session_delete)(&buffer, session, ids, 1, TEXT("a test"), MK_DELETE_DRY_RUN, failure));
    CHECK(buffer_has(buffer, "\"already_deleted\":[]"));
    EXPECT(MK_OK, CALL(mk_session_raw)(&buffer, session, ids[0], failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_session_delete)(&buffer, session, ids, 1, TEXT("a test"), 0, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_DELETED, CALL(mk_session_raw)(&buffer, session, ids[0], failure));
    EXPECT(MK_OK, CALL(mk_session_deleted)(&buffer, session, NULL, 0, 10, failure));
    CHECK(buffer_has(buffer, "\"reason\":\"a test\""));
    EXPECT(MK_MISUSE, CALL(mk_session_deleted)(&buffer, session, TEXT("no cursor"), 10, failure));
    EXPECT(MK_OK, CALL(mk_session_undelete)(&buffer, session, ids, 1, TEXT("a test"), failure));
    CHECK(buffer_has(buffer, "\"not_deleted\":[]"));
    EXPECT(MK_OK, CALL(mk_session_raw)(&buffer, session, ids[0], failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));

    EXPECT(MK_OK, CALL(mk_session_import_one)(&receipt, session, TEXT("Subject: To be erased\n\nText.\n"), TEXT("anna/in"), failure));
    EXPECT(MK_OK, CALL(mk_session_import_one)(&later, session, TEXT("Subject: To be deleted\n\nText.\n"), TEXT("anna/in"), failure));
    EXPECT(MK_OK, CALL(mk_session_delete)(&buffer, session, &receipt.id, 1, TEXT("a test"), 0, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_session_compact)(&buffer, session, MK_COMPACT_DRY_RUN, NULL, failure));
    CHECK(buffer_has(buffer, "\"messages\":1"));
    EXPECT(MK_DELETED, CALL(mk_session_raw)(&buffer, session, receipt.id, failure));
    EXPECT(MK_OK, CALL(mk_session_compact)(&buffer, session, 0, NULL, failure));
    CHECK(buffer_has(buffer, "\"left\":[]"));
    EXPECT(MK_NO_SUCH_MESSAGE, CALL(mk_session_raw)(&buffer, session, receipt.id, failure));
    EXPECT(MK_NO_SUCH_MESSAGE, CALL(mk_session_undelete)(&buffer, session, &receipt.id, 1, TEXT("a test"), failure));
    EXPECT(MK_OK, CALL(mk_session_delete)(&buffer, session, &later.id, 1, TEXT("a test"), 0, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
}

void test_upkeep(struct sample *sample) {
    const mk_session *session = sample->session;
    mk_buffer *buffer = NULL;
    uint64_t rebuilt = 7;
    group("upkeep");
    EXPECT(MK_OK, CALL(mk_session_stats)(&buffer, session, NULL, failure));
    CHECK(buffer_has(buffer, "42"));
    EXPECT(MK_OK, CALL(mk_session_types_not_read)(&buffer, session, NULL, failure));
    CHECK(buffer_has(buffer, "application/x-unknown"));
    EXPECT(MK_OK, CALL(mk_session_not_searchable)(&buffer, session, NULL, 0, SIZE_MAX, failure));
    CHECK(buffer_has(buffer, "\"items\""));
    EXPECT(MK_MISUSE, CALL(mk_session_not_searchable)(&buffer, session, TEXT("no cursor"), 5, failure));
    EXPECT(MK_OK, CALL(mk_session_verify)(&buffer, session, MK_VERIFY_EVERYTHING, 0, 0, NULL, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_session_verify)(&buffer, session, MK_VERIFY_STRUCTURE | MK_VERIFY_ACCEPT, 0, 0, NULL, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_session_verify)(&buffer, session, MK_VERIFY_PART, 2, 3, NULL, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_MISUSE, CALL(mk_session_verify)(&buffer, session, MK_VERIFY_PART, 0, 0, NULL, failure));
    EXPECT(MK_MISUSE, CALL(mk_session_verify)(&buffer, session, MK_VERIFY_PART, 4, 3, NULL, failure));
    EXPECT(MK_MISUSE, CALL(mk_session_verify)(&buffer, session, MK_VERIFY_EVERYTHING, 1, 3, NULL, failure));
    EXPECT(MK_MISUSE, CALL(mk_session_verify)(&buffer, session, MK_VERIFY_STRUCTURE, 0, 3, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_verify)(&buffer, session, 77, 0, 0, NULL, failure));
    EXPECT(MK_OK, CALL(mk_session_repair)(&buffer, session, MK_REPAIR_DRY_RUN, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_repair)(&buffer, session, 64, failure));
    EXPECT(MK_OK, CALL(mk_session_store_indexes)(&buffer, session, 0, failure));
    CHECK(buffer_has(buffer, "\"items\""));
    EXPECT(MK_NO_SUCH_STORE, CALL(mk_session_store_indexes)(&buffer, session, 99, failure));
    EXPECT(MK_OK, CALL(mk_session_rebuild_store_index)(session, 1, NULL, failure));
    EXPECT(MK_NO_SUCH_STORE, CALL(mk_session_rebuild_store_index)(session, 99, NULL, failure));
    EXPECT(MK_OK, CALL(mk_session_select_all_store_indexes)(session, failure));
    EXPECT(MK_OK, CALL(mk_session_rebuild_selected_store_indexes)(&rebuilt, session, NULL, failure));
    CHECK(rebuilt == 1);
    EXPECT(MK_OK, CALL(mk_session_set_index_configuration)(session, TEXT("{\"types\":[\"application/pdf\"]}"), failure));
    EXPECT(MK_OK, CALL(mk_session_index_configuration)(&buffer, session, failure));
    CHECK(buffer_has(buffer, "application/pdf"));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_set_index_configuration)(session, TEXT("{}"), failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_set_index_configuration)(session, TEXT("[["), failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_set_index_configuration)(session, TEXT("{\"types\":[1]}"), failure));
    EXPECT(MK_OK, CALL(mk_session_lost_mails)(&buffer, session, visit_nothing, NULL, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
}
