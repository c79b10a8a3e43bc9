/* Stores are created, listed, renamed, put into states, moved, detached and attached. */

#include "check.h"

#include <stdio.h>
#include <string.h>

/* Numbers, texts and handles that cannot be used. */
static void test_bad_arguments(const mk_session *h) {
    mk_store_dirs dirs = MK_INIT(mk_store_dirs);
    mk_buffer *buffer = NULL;
    uint32_t store = 77;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_stores)(&buffer, h, 64, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_create_store)(NULL, h, TEXT("x"), MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_create_store)(&store, h, TEXT("x"), 0, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_create_store)(&store, h, TEXT("x"), 5, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_create_store)(&store, h, NULL, 1, MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_create_store)(&store, h, TEXT("caf\xe9"), MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_MISUSE, CALL(mk_session_create_store)(&store, h, TEXT(" "), MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_session_create_store)(&store, NULL, TEXT("x"), MK_STORE_NORMAL, NULL, failure));
    dirs.reserved = 1;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_create_store)(&store, h, TEXT("x"), MK_STORE_NORMAL, &dirs, failure));
    dirs.reserved = 0, dirs.content_dir_length = 9;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_create_store)(&store, h, TEXT("x"), MK_STORE_NORMAL, &dirs, failure));
    dirs.content_dir_length = 0, dirs.index_dir = "";
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_set_store_dirs)(h, 1, &dirs, failure));
    EXPECT(MK_MISUSE, CALL(mk_session_attach_store)(&store, h, TEXT("x"), MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_attach_store)(NULL, h, TEXT("x"), MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_attach_store)(&store, h, TEXT("x"), 9, NULL, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_attach_store)(&store, h, TEXT("caf\xe9"), MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_session_attach_store)(&store, NULL, TEXT("x"), MK_STORE_NORMAL, NULL, failure));
    CHECK(store == 77);
    EXPECT(MK_BAD_HANDLE, CALL(mk_session_detach_store)(NULL, 1, NULL, failure));
    EXPECT(MK_NO_SUCH_STORE, CALL(mk_session_detach_store)(h, 9, NULL, failure));
    EXPECT(MK_NO_SUCH_STORE, CALL(mk_session_rename_store)(h, 9, TEXT("x"), failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_rename_store)(h, 1, TEXT("caf\xe9"), failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_session_set_store_dirs)(NULL, 1, NULL, failure));
    EXPECT(MK_NO_SUCH_STORE, CALL(mk_session_set_store_dirs)(h, 9, NULL, failure));
    EXPECT(MK_NO_SUCH_STORE, CALL(mk_session_set_store_state)(h, 9, MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_set_store_state)(h, 1, 0, NULL, failure));
    EXPECT(MK_MISUSE, CALL(mk_session_set_store_rule)(h, TEXT("daily"), failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_set_store_rule)(h, TEXT("caf\xe9"), failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_compact_store)(&buffer, h, 1, 64, NULL, failure));
    EXPECT(MK_NO_SUCH_STORE, CALL(mk_session_compact_store)(&buffer, h, 9, 0, NULL, failure));
    CHECK(buffer == NULL);
}

/* A store whose files are away: the others are read, and the answer of a search says so. */
static void test_out_of_reach(const mk_session *h, const char *dir) {
    mk_buffer *buffer = NULL;
    mk_page *page = NULL;
    mk_page_info info = MK_INIT(mk_page_info);
    char away[512];
    path_in_work(away, sizeof away, "away");
    EXPECT(MK_OK, CALL(mk_session_set_store_state)(h, 2, MK_STORE_DISABLED, NULL, failure));
    EXPECT(MK_OK, CALL(mk_session_search)(&page, h, TEXT("{\"query\":\"word\"}"), NULL, failure));
    EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, failure));
    CHECK(info.more == 0);
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    CHECK(rename(dir, away) == 0);
    EXPECT(MK_STORE_NOT_OPEN, CALL(mk_session_set_store_state)(h, 2, MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_OK, CALL(mk_session_search)(&page, h, TEXT("{\"query\":\"word\"}"), NULL, failure));
    EXPECT(MK_OK, CALL(mk_page_get_info)(&info, page, failure));
    CHECK(info.more == 1 && info.total > 0);
    EXPECT(MK_OK, CALL(mk_page_json)(&buffer, page, failure));
    CHECK(buffer_has(buffer, "\"unreachable_stores\":[\"two\"]"));
    EXPECT(MK_OK, CALL(mk_page_free)(page));
    EXPECT(MK_OK, CALL(mk_session_stores)(&buffer, h, MK_STORES_STATS, failure));
    CHECK(buffer_has(buffer, "\"error_code\":\"store_missing\""));
    EXPECT(MK_OK, CALL(mk_session_retry_open_stores)(&buffer, h, NULL, failure));
    CHECK(buffer_has(buffer, "\"store\":\"two\""));
    EXPECT(MK_STORE_NOT_OPEN, CALL(mk_session_import_one)(NULL, h, TEXT("Subject: Refused\n\nText.\n"), TEXT("anna"), failure));
    CHECK(rename(away, dir) == 0);
    EXPECT(MK_OK, CALL(mk_session_retry_open_stores)(&buffer, h, NULL, failure));
    CHECK(buffer_has(buffer, "\"items\":[]"));
}

void test_stores(struct sample *sample) {
    const mk_session *h = sample->session;
    mk_store_dirs dirs = MK_INIT(mk_store_dirs);
    mk_buffer *buffer = NULL;
    mk_session *person = NULL;
    mk_receipt receipt = MK_INIT(mk_receipt);
    uint32_t store = 0;
    char made[1024], moved[512];
    group("stores");
    test_bad_arguments(h);
    EXPECT(MK_OK, CALL(mk_session_create_store)(&store, h, TEXT("second"), MK_STORE_CURRENT, NULL, failure));
    CHECK(store == 2);
    EXPECT(MK_STORE_EXISTS, CALL(mk_session_create_store)(&store, h, TEXT("Second"), MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_OK, CALL(mk_session_import_one)(&receipt, h, TEXT("Subject: In the second\n\nText.\n"), TEXT("anna/second"), failure));
    CHECK(receipt.id >> 32 == 2);
    EXPECT(MK_OK, CALL(mk_session_rename_store)(h, 2, TEXT("two"), failure));
    EXPECT(MK_OK, CALL(mk_session_stores)(&buffer, h, 0, failure));
    CHECK(buffer_has(buffer, "\"name\":\"two\""));
    EXPECT(MK_OK, CALL(mk_session_stores)(&buffer, h, MK_STORES_STATS, failure));
    CHECK(buffer_has(buffer, "\"state\":\"current\""));

    EXPECT(MK_OK, CALL(mk_session_set_store_state)(h, 2, MK_STORE_WRITE_PROTECTED, NULL, failure));
    EXPECT(MK_STORE_IS_WRITE_PROTECTED, CALL(mk_session_delete)(&buffer, h, &receipt.id, 1, TEXT("a test"), 0, failure));
    EXPECT(MK_STORE_IS_WRITE_PROTECTED, CALL(mk_session_compact_store)(&buffer, h, 2, 0, NULL, failure));
    EXPECT(MK_NO_CURRENT_STORE, CALL(mk_session_import_one)(NULL, h, TEXT("Subject: Refused\n\nText.\n"), TEXT("anna"), failure));
    EXPECT(MK_OK, CALL(mk_session_set_store_state)(h, 1, MK_STORE_CURRENT, NULL, failure));
    EXPECT(MK_MISUSE, CALL(mk_session_set_store_dirs)(h, 2, NULL, failure));

    /* Moved by the caller, while it is disabled. */
    snprintf(made, sizeof made, "%s/stores/2", sample->folder);
    path_in_work(moved, sizeof moved, "moved store");
    EXPECT(MK_OK, CALL(mk_session_set_store_state)(h, 2, MK_STORE_DISABLED, NULL, failure));
    EXPECT(MK_NO_SUCH_MESSAGE, CALL(mk_session_raw)(&buffer, h, receipt.id, failure));
    EXPECT(MK_STORE_NOT_OPEN, CALL(mk_session_import_one)(NULL, h, TEXT("Subject: Refused\n\nText.\n"), TEXT("anna"), failure));
    CHECK(rename(made, moved) == 0);
    dirs.dir = moved, dirs.dir_length = strlen(moved);
    EXPECT(MK_OK, CALL(mk_session_set_store_dirs)(h, 2, &dirs, failure));
    EXPECT(MK_OK, CALL(mk_session_set_store_state)(h, 2, MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_OK, CALL(mk_session_raw)(&buffer, h, receipt.id, failure));
    CHECK(buffer_has(buffer, "In the second"));
    test_out_of_reach(h, moved);

    EXPECT(MK_OK, CALL(mk_session_detach_store)(h, 2, NULL, failure));
    EXPECT(MK_MISUSE, CALL(mk_session_detach_store)(h, 1, NULL, failure));
    EXPECT(MK_NO_SUCH_MESSAGE, CALL(mk_session_raw)(&buffer, h, receipt.id, failure));
    store = 0;
    EXPECT(MK_OK, CALL(mk_session_attach_store)(&store, h, TEXT("again"), MK_STORE_NORMAL, &dirs, failure));
    CHECK(store == 2);
    EXPECT(MK_MISUSE, CALL(mk_session_attach_store)(&store, h, TEXT("twice"), MK_STORE_NORMAL, &dirs, failure));
    dirs.dir = work, dirs.dir_length = strlen(work);
    EXPECT(MK_NOT_A_STORE, CALL(mk_session_attach_store)(&store, h, TEXT("none"), MK_STORE_NORMAL, &dirs, failure));
    EXPECT(MK_OK, CALL(mk_session_delete)(&buffer, h, &receipt.id, 1, TEXT("a test"), 0, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_session_compact_store)(&buffer, h, 1, MK_COMPACT_DRY_RUN, NULL, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_session_compact_store)(&buffer, h, 2, 0, NULL, failure));
    CHECK(buffer_has(buffer, "\"messages\":1"));
    EXPECT(MK_OK, CALL(mk_session_detach_store)(h, 2, NULL, failure));

    EXPECT(MK_OK, CALL(mk_session_store_rule)(&buffer, h, failure));
    CHECK(buffer_has(buffer, "messages:5000000"));
    EXPECT(MK_OK, CALL(mk_session_set_store_rule)(h, TEXT("quarterly"), failure));
    EXPECT(MK_OK, CALL(mk_session_store_rule)(&buffer, h, failure));
    CHECK(buffer_has(buffer, "quarterly"));
    EXPECT(MK_OK, CALL(mk_session_set_store_rule)(h, TEXT("never"), failure));
    EXPECT(MK_OK, CALL(mk_session_begin)(&person, sample->archive, TEXT("{\"name\":\"u\",\"folders\":[]}"), failure));
    EXPECT(MK_DENIED, CALL(mk_session_stores)(&buffer, person, 0, failure));
    EXPECT(MK_DENIED, CALL(mk_session_create_store)(&store, person, TEXT("x"), MK_STORE_NORMAL, NULL, failure));
    EXPECT(MK_OK, CALL(mk_session_free)(person));
}
