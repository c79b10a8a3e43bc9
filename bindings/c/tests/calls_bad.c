/* What cannot be used: handles, text, flags, sizes. */

#include "session_calls.h"

#include <stdio.h>
#include <string.h>

static void expect_named(const char *name, const char *with, mk_status expected, mk_status found) {
    if (expected != found) {
        printf("%s with %s:\n", name, with);
        EXPECT(expected, found);
    }
}

/* Each function of a session with handles that are none of an open session, and with no place for its result. */
void test_handles(struct sample *sample) {
    struct given given;
    mk_session *freed = NULL, *closed = NULL;
    mk_archive *second = NULL;
    mk_new_archive *made = NULL;
    mk_buffer *buffer = NULL;
    mk_page *page = NULL;
    mk_page_info info = MK_INIT(mk_page_info);
    mk_message message = MK_INIT(mk_message);
    mk_folder folder = MK_INIT(mk_folder);
    char path[512];
    size_t at, of_handle;
    uint64_t before = 0, after = 0;
    struct {
        const char *what;
        const mk_session *handle;
    } bad[7];
    group("handles that cannot be used");
    make_given(&given, sample);
    path_in_work(path, sizeof path, "closed");
    EXPECT(MK_OK, CALL(mk_new_archive_begin)(&made, path, strlen(path), TEXT("c"), NULL, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_recovery_key)(&buffer, made, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_new_archive_key_file)(&buffer, made, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_commit)(&second, made, failure));
    EXPECT(MK_OK, CALL(mk_session_begin)(&closed, second, NULL, 0, failure));
    EXPECT(MK_OK, CALL(mk_archive_close)(second, NULL, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_archive_close)(second, NULL, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_session_begin)(&freed, second, NULL, 0, failure));
    EXPECT(MK_OK, CALL(mk_session_begin)(&freed, sample->archive, NULL, 0, failure));
    EXPECT(MK_OK, CALL(mk_session_free)(freed));
    EXPECT(MK_BAD_HANDLE, CALL(mk_session_free)(freed));
    EXPECT(MK_BAD_HANDLE, CALL(mk_session_free)(closed));
    EXPECT(MK_OK, CALL(mk_session_free)(NULL));
    EXPECT(MK_BAD_HANDLE, CALL(mk_page_free)((mk_page *)buffer));
    EXPECT(MK_BAD_HANDLE, CALL(mk_buffer_free)((mk_buffer *)made));
    EXPECT(MK_OK, CALL(mk_library_handles)(&before, failure));

    bad[0].what = "NULL", bad[0].handle = NULL;
    bad[1].what = "a freed session", bad[1].handle = freed;
    bad[2].what = "a session of a closed archive", bad[2].handle = closed;
    bad[3].what = "an archive", bad[3].handle = (const mk_session *)sample->archive;
    bad[4].what = "a buffer", bad[4].handle = (const mk_session *)buffer;
    bad[5].what = "an address", bad[5].handle = (const mk_session *)&given;
    bad[6].what = "all bits set", bad[6].handle = (const mk_session *)UINTPTR_MAX;
    for (at = 0; at < session_call_count; at++) {
        const struct named_call *one = &session_calls[at];
        void *untouched = &given, *result = NULL;
        for (of_handle = 0; of_handle < sizeof bad / sizeof *bad; of_handle++) {
            expect_named(one->name, bad[of_handle].what, MK_BAD_HANDLE, one->call(&given, bad[of_handle].handle, &untouched));
            CHECK(untouched == &given);
        }
        if (one->release != NULL) {
            expect_named(one->name, "no place", MK_BAD_ARGUMENT, one->call(&given, sample->session, NULL));
            expect_named(one->name, "a crooked place", MK_BAD_ARGUMENT, one->call(&given, sample->session, (char *)&result + 1));
        }
        expect_named(one->name, "good arguments", MK_OK, one->call(&given, sample->session, &result));
        if (one->release != NULL) {
            EXPECT(MK_OK, one->release(result));
            expect_named(one->name, "a result freed twice", MK_BAD_HANDLE, one->release(result));
        }
    }
    EXPECT(MK_OK, CALL(mk_library_handles)(&after, failure));
    CHECK(before == after);

    EXPECT(MK_OK, CALL(mk_session_message)(&page, sample->session, sample->first, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_page_json)(NULL, page, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_page_get_info)(NULL, page, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_page_message)(NULL, page, 0, failure));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_BAD_HANDLE, CALL(mk_page_free)(page));
    EXPECT(MK_BAD_HANDLE, CALL(mk_page_json)(&buffer, page, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_page_get_info)(&info, page, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_page_message)(&message, NULL, 0, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_page_folder)(&folder, (mk_page *)sample->session, 0, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_new_archive_free)(made));
}

#define LATIN1 TEXT("caf\xe9")

/* Text that is not UTF-8, lengths without text, numbers and flags that no version knows. */
void test_arguments(struct sample *sample) {
    const mk_session *h = sample->session;
    struct given given;
    mk_buffer *buffer = NULL;
    mk_page *page = NULL;
    mk_search *search = NULL;
    mk_session *person = NULL;
    mk_import_options import = MK_INIT(mk_import_options);
    mk_export_options export = MK_INIT(mk_export_options);
    mk_import_events events = MK_INIT(mk_import_events);
    mk_progress progress = MK_INIT(mk_progress);
    mk_source source = MK_INIT(mk_source);
    mk_cancel *cancel = NULL;
    group("text, numbers and flags that cannot be used");
    make_given(&given, sample);
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_folders)(&page, h, LATIN1, 9, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_folders_in)(&page, h, LATIN1, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_messages)(&page, h, LATIN1, NULL, 0, 9, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_messages)(&page, h, NULL, 0, LATIN1, 9, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_search)(&page, h, LATIN1, NULL, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_search_begin)(&search, h, LATIN1, NULL, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_explain)(&buffer, h, LATIN1, NULL, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_why)(&buffer, h, given.first, LATIN1, NULL, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_undecided)(&buffer, h, LATIN1, 9, NULL, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_not_searchable)(&buffer, h, LATIN1, 9, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_set_index_configuration)(h, LATIN1, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_deleted)(&buffer, h, LATIN1, 9, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_delete)(&buffer, h, &given.first, 1, LATIN1, 0, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_undelete)(&buffer, h, &given.first, 1, LATIN1, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_delete)(&buffer, h, NULL, 1, TEXT("a test"), 0, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_delete)(&buffer, h, &given.first, SIZE_MAX, TEXT("a test"), 0, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_delete)(&buffer, h, &given.first, 1, TEXT("a test"), 64, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_compact)(&buffer, h, 64, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_undelete)(&buffer, h, NULL, 1, TEXT("a test"), failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_import_one)(NULL, h, given.mail, given.mail_length, LATIN1, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_begin)(&person, sample->archive, LATIN1, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_search)(&page, h, NULL, 9, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_search)(&page, h, "a", SIZE_MAX, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_folders)(&page, h, NULL, 9, 9, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_import_one)(NULL, h, NULL, 9, TEXT("anna"), failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_import)(&buffer, h, NULL, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_import)(&buffer, h, &source, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_export)(&buffer, h, NULL, 0, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_read)(h, given.first, NULL, NULL, failure));

    import.flags = 8;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_import)(&buffer, h, &given.source, &import, failure));
    import.flags = 0, import.duplicates = 3;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_import_plan)(&buffer, h, &given.source, &import, failure));
    import.duplicates = 0, import.format = 12;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_check)(&buffer, h, &given.source, &import, failure));
    import.format = 0, import.into = "\xff", import.into_length = 1;
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_import_target)(&buffer, h, &given.source, &import, failure));
    import.into = NULL, import.into_length = 0, import.events = &events, events.reserved = 1;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_import)(&buffer, h, &given.source, &import, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_import_lost)(&buffer, h, &events, failure));
    import.events = NULL, given.source.reserved = 1;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_import)(&buffer, h, &given.source, &import, failure));
    given.source.reserved = 0;
    export.flags = 8;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_export)(&buffer, h, given.place, given.place_length, &export, failure));
    export.flags = 0, export.format = 3;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_export)(&buffer, h, given.place, given.place_length, &export, failure));
    export.format = 0, export.reserved = 1;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_export)(&buffer, h, given.place, given.place_length, &export, failure));
    export.reserved = 0, export.query = "\xff", export.query_length = 1;
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_export)(&buffer, h, given.place, given.place_length, &export, failure));

    /* A progress with a handle that was freed, and one that is cancelled from the start. */
    EXPECT(MK_OK, CALL(mk_cancel_new)(&cancel, failure));
    progress.cancel = cancel, progress.reserved = 1;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_stats)(&buffer, h, &progress, failure));
    progress.reserved = 0;
    EXPECT(MK_OK, CALL(mk_cancel_now)(cancel, failure));
    EXPECT(MK_STOPPED, CALL(mk_session_stats)(&buffer, h, &progress, failure));
    EXPECT(MK_STOPPED, CALL(mk_session_verify)(&buffer, h, MK_VERIFY_EVERYTHING, 0, 0, &progress, failure));
    EXPECT(MK_STOPPED, CALL(mk_session_search)(&page, h, QUERY, &progress, failure));
    EXPECT(MK_OK, CALL(mk_cancel_free)(cancel));
    EXPECT(MK_BAD_HANDLE, CALL(mk_session_stats)(&buffer, h, &progress, failure));
    progress.cancel = (const mk_cancel *)sample->session;
    EXPECT(MK_BAD_HANDLE, CALL(mk_session_stats)(&buffer, h, &progress, failure));
    CHECK(buffer == NULL && page == NULL && search == NULL && person == NULL);
    /* After all of these, the same calls work. */
    EXPECT(MK_OK, CALL(mk_session_stats)(&buffer, h, NULL, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
}

/* A struct with room behind it, as one of a later version. */
union later {
    mk_progress progress;
    mk_open_options open;
    mk_create_options create;
    mk_export_options export;
    mk_import_options import;
    mk_source source;
    mk_import_events events;
    mk_key key;
    mk_page_info info;
    mk_message message;
    mk_folder folder;
    mk_receipt receipt;
    mk_store_dirs dirs;
    unsigned char bytes[8192];
};

/* Tries the sizes of an argument: `call` is a call that uses `later`, which `type` describes. */
#define EACH_SIZE(type, good, bad, call)                                   \
    do {                                                                   \
        later.type.size = 0;                                               \
        EXPECT(MK_BAD_SIZE, call);                                         \
        later.type.size = (uint32_t)sizeof later.type - 4;                 \
        EXPECT(MK_BAD_SIZE, call);                                         \
        later.type.size = (uint32_t)sizeof later.type + 16;                \
        EXPECT(good, call);                                                \
        later.bytes[sizeof later.type + 15] = 1;                           \
        EXPECT(bad, call);                                                 \
        later.bytes[sizeof later.type + 15] = 0;                           \
        later.type.size = 8192;                                            \
        EXPECT(MK_BAD_SIZE, call);                                         \
        later.type.size = (uint32_t)sizeof later.type;                     \
        EXPECT(good, call);                                                \
    } while (0)

static mk_status freed(mk_status status, mk_buffer **buffer) {
    if (status == MK_OK) {
        EXPECT(MK_OK, CALL(mk_buffer_free)(*buffer));
    }
    return status;
}

static mk_status begin(const mk_create_options *create) {
    mk_new_archive *made = NULL;
    char path[512];
    mk_status status;
    path_in_work(path, sizeof path, "sizes");
    status = CALL(mk_new_archive_begin)(&made, path, strlen(path), TEXT("s"), create, failure);
    CALL(mk_new_archive_free)(made);
    return status;
}

void test_sizes(struct sample *sample) {
    const mk_session *h = sample->session;
    union later later;
    struct given given;
    mk_import_options import = MK_INIT(mk_import_options);
    mk_create_options create = MK_INIT(mk_create_options);
    mk_buffer *buffer = NULL;
    mk_page *page = NULL;
    mk_archive *archive = NULL;
    mk_key key = key_of(sample);
    size_t folder = strlen(sample->folder);
    group("sizes of structs");
    make_given(&given, sample);
    memset(&later, 0, sizeof later);
    EACH_SIZE(progress, MK_OK, MK_BAD_SIZE, freed(CALL(mk_session_stats)(&buffer, h, &later.progress, failure), &buffer));
    memset(&later, 0, sizeof later);
    EACH_SIZE(open, MK_IN_USE, MK_BAD_SIZE, CALL(mk_archive_open)(&archive, sample->folder, folder, &key, &later.open, failure));
    memset(&later, 0, sizeof later);
    EACH_SIZE(create, MK_OK, MK_BAD_SIZE, begin(&later.create));
    memset(&later, 0, sizeof later);
    create.open = &later.open;
    EACH_SIZE(open, MK_OK, MK_BAD_SIZE, begin(&create));
    memset(&later, 0, sizeof later);
    later.export.flags = MK_EXPORT_UPDATE;
    EACH_SIZE(export, MK_OK, MK_BAD_SIZE,
              freed(CALL(mk_session_export)(&buffer, h, given.place, given.place_length, &later.export, failure), &buffer));
    memset(&later, 0, sizeof later);
    EACH_SIZE(import, MK_OK, MK_BAD_SIZE, freed(CALL(mk_session_import_plan)(&buffer, h, &given.source, &later.import, failure), &buffer));
    memset(&later, 0, sizeof later);
    later.source = given.source;
    EACH_SIZE(source, MK_OK, MK_BAD_SIZE, freed(CALL(mk_session_import_target)(&buffer, h, &later.source, NULL, failure), &buffer));
    memset(&later, 0, sizeof later);
    import.events = &later.events;
    EACH_SIZE(events, MK_OK, MK_BAD_SIZE, freed(CALL(mk_session_check)(&buffer, h, &given.source, &import, failure), &buffer));
    memset(&later, 0, sizeof later);
    /* The store is open, so that its folders are not changed. */
    EACH_SIZE(dirs, MK_MISUSE, MK_BAD_SIZE, CALL(mk_session_set_store_dirs)(h, 1, &later.dirs, failure));
    memset(&later, 0, sizeof later);
    later.key = key;
    EACH_SIZE(key, MK_OK, MK_BAD_SIZE, freed(CALL(mk_key_test)(&buffer, sample->folder, folder, &later.key, failure), &buffer));

    /* Results are written as far as the caller has room, and nothing behind that. */
    EXPECT(MK_OK, CALL(mk_session_message)(&page, h, sample->first, failure));
    memset(&later, 0, sizeof later);
    EACH_SIZE(info, MK_OK, MK_OK, CALL(mk_page_get_info)(&later.info, page, failure));
    CHECK(later.info.count == 1 && later.info.size == sizeof later.info);
    memset(&later, 0, sizeof later);
    EACH_SIZE(message, MK_OK, MK_OK, CALL(mk_page_message)(&later.message, page, 0, failure));
    CHECK(later.message.id == sample->first);
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_page_message)((mk_message *)(later.bytes + 1), page, 0, failure));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_OK, CALL(mk_session_folders)(&page, h, NULL, 0, 1, failure));
    memset(&later, 0, sizeof later);
    EACH_SIZE(folder, MK_OK, MK_OK, CALL(mk_page_folder)(&later.folder, page, 0, failure));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    memset(&later, 0, sizeof later);
    EACH_SIZE(receipt, MK_OK, MK_OK,
              CALL(mk_session_import_one)(&later.receipt, h, given.mail, given.mail_length, TEXT("anna/single"), failure));
    CHECK(later.receipt.outcome == MK_OUTCOME_DUPLICATE);
}
