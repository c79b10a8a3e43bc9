/* The library, errors, small objects, archives. */

#include "check.h"

#include <stdio.h>
#include <string.h>

static int text_is(mk_text text, const char *expected) {
    return text.length == strlen(expected) && (text.length == 0 || memcmp(text.data, expected, text.length) == 0);
}

static void test_errors(void) {
    mk_error *error = NULL;
    mk_text text = {NULL, 7};
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_error_new)(NULL));
    EXPECT(MK_OK, CALL(mk_error_new)(&error));
    EXPECT(MK_OK, CALL(mk_error_status)(error));
    EXPECT(MK_OK, CALL(mk_error_code)(&text, error));
    CHECK(text_is(text, "") && text.data == NULL);
    EXPECT(MK_OK, CALL(mk_error_message)(&text, error));
    CHECK(text_is(text, ""));
    EXPECT(MK_OK, CALL(mk_error_json)(&text, error));
    CHECK(text_is(text, ""));

    EXPECT(MK_BUG, CALL(mk_library_panic)(error));
    EXPECT(MK_BUG, CALL(mk_library_panic)(NULL));
    EXPECT(MK_BUG, CALL(mk_error_status)(error));
    EXPECT(MK_OK, CALL(mk_error_code)(&text, error));
    CHECK(text_is(text, "bug"));
    EXPECT(MK_OK, CALL(mk_error_json)(&text, error));
    CHECK(text.length > 0 && text.data[0] == '{');
    /* A call that succeeds leaves it. */
    {
        mk_cancel *cancel = NULL;
        EXPECT(MK_OK, CALL(mk_cancel_new)(&cancel, error));
        EXPECT(MK_BUG, CALL(mk_error_status)(error));
        EXPECT(MK_OK, CALL(mk_cancel_now)(cancel, error));
        EXPECT(MK_OK, CALL(mk_cancel_free)(cancel));
        EXPECT(MK_BAD_HANDLE, CALL(mk_cancel_now)(cancel, error));
        EXPECT(MK_BAD_HANDLE, CALL(mk_error_status)(error));
        EXPECT(MK_BAD_HANDLE, CALL(mk_cancel_free)(cancel));
        EXPECT(MK_OK, CALL(mk_cancel_free)(NULL));
        EXPECT(MK_BAD_ARGUMENT, CALL(mk_cancel_new)(NULL, error));
    }
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_error_code)(NULL, error));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_error_message)(NULL, error));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_error_json)(NULL, error));
    EXPECT(MK_OK, CALL(mk_error_free)(error));
    EXPECT(MK_OK, CALL(mk_error_free)(NULL));
    text.length = 7;
    EXPECT(MK_BAD_HANDLE, CALL(mk_error_free)(error));
    EXPECT(MK_BAD_HANDLE, CALL(mk_error_status)(error));
    EXPECT(MK_BAD_HANDLE, CALL(mk_error_status)(NULL));
    EXPECT(MK_BAD_HANDLE, CALL(mk_error_code)(&text, error));
    EXPECT(MK_BAD_HANDLE, CALL(mk_error_message)(&text, NULL));
    EXPECT(MK_BAD_HANDLE, CALL(mk_error_json)(&text, error));
    CHECK(text.length == 7);
    /* A call with a freed error object does its work. */
    EXPECT(MK_BAD_HANDLE, CALL(mk_session_free)((mk_session *)error));
    EXPECT(MK_BUG, CALL(mk_library_panic)(error));
}

static void test_ids(void) {
    char printed[32] = "untouched";
    size_t needed = 0;
    mk_message_id id = 0;
    EXPECT(MK_OK, CALL(mk_message_id_print)(printed, sizeof printed, &needed, ((mk_message_id)1 << 32) + 42, NULL));
    CHECK(strcmp(printed, "1:42") == 0 && needed == 5);
    strcpy(printed, "untouched");
    needed = 0;
    EXPECT(MK_BUFFER_TOO_SMALL, CALL(mk_message_id_print)(printed, 4, &needed, ((mk_message_id)1 << 32) + 42, NULL));
    CHECK(strcmp(printed, "untouched") == 0 && needed == 5);
    EXPECT(MK_BUFFER_TOO_SMALL, CALL(mk_message_id_print)(NULL, 0, &needed, UINT64_MAX, NULL));
    CHECK(needed == strlen("4294967295:4294967295") + 1);
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_message_id_print)(NULL, 32, NULL, 1, NULL));
    EXPECT(MK_OK, CALL(mk_message_id_read)(&id, TEXT("1:42"), NULL));
    CHECK(id == ((mk_message_id)1 << 32) + 42);
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_message_id_read)(&id, TEXT("forty-two"), NULL));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_message_id_read)(&id, NULL, 0, NULL));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_message_id_read)(&id, NULL, 4, NULL));
    EXPECT(MK_INVALID_UTF8, CALL(mk_message_id_read)(&id, TEXT("1:\xff"), NULL));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_message_id_read)(NULL, TEXT("1:42"), NULL));
    CHECK(id == ((mk_message_id)1 << 32) + 42);
}

void test_library(void) {
    uint64_t handles = 7;
    mk_buffer *buffer = NULL;
    mk_text text = {NULL, 0};
    int status, named = 0;
    group("the library, errors, ids");
    CHECK(CALL(mk_library_abi)() == MK_ABI_VERSION);
    CHECK(strchr(CALL(mk_library_version)(), '.') != NULL);
    CHECK(CALL(mk_library_has)(TEXT("search")) == 1);
    CHECK(CALL(mk_library_has)(TEXT("coffee")) == 0);
    CHECK(CALL(mk_library_has)(TEXT("\xff")) == 0);
    CHECK(CALL(mk_library_has)(NULL, 0) == 0 && CALL(mk_library_has)(NULL, 3) == 0);
    EXPECT(MK_OK, CALL(mk_library_handles)(&handles, NULL));
    CHECK(handles == 0);
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_library_handles)(NULL, NULL));
    CHECK(strcmp(CALL(mk_status_name)(MK_WRONG_KEY), "wrong_key") == 0);
    CHECK(strcmp(mk_status_name(-12345), "other") == 0 && strcmp(mk_status_name(INT32_MIN), "other") == 0);
    for (status = -128; status <= 1; status++) {
        named += strcmp(mk_status_name(status), "other") != 0;
    }
    /* All but MK_OTHER, which is called what it is. */
    CHECK(named == 61);
    test_errors();
    test_ids();

    EXPECT(MK_OK, CALL(mk_criteria_read)(&buffer, TEXT("{\"query\":\"from:anna invoice\"}"), NULL));
    EXPECT(MK_OK, CALL(mk_buffer_get)(&text, buffer, NULL));
    CHECK(text.length > 0 && text.data[0] == '{');
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_buffer_get)(NULL, buffer, NULL));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_BAD_HANDLE, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_BAD_HANDLE, CALL(mk_buffer_get)(&text, buffer, NULL));
    EXPECT(MK_BAD_HANDLE, CALL(mk_buffer_get)(&text, NULL, NULL));
    EXPECT(MK_OK, CALL(mk_buffer_free)(NULL));
    EXPECT(MK_QUERY, CALL(mk_criteria_read)(&buffer, TEXT("{\"query\":\"before:never\"}"), NULL));
    EXPECT(MK_INVALID_UTF8, CALL(mk_criteria_read)(&buffer, TEXT("{\"query\":\"\xc3\"}"), NULL));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_criteria_read)(NULL, TEXT("{\"query\":\"a\"}"), NULL));
    EXPECT(MK_OK, CALL(mk_folder_names)(&buffer, TEXT("anna/a%2Fb"), NULL));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_MISUSE, CALL(mk_folder_names)(&buffer, TEXT("/"), NULL));
    EXPECT(MK_INVALID_UTF8, CALL(mk_folder_names)(&buffer, TEXT("anna/\xff"), NULL));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_folder_names)(NULL, TEXT("anna"), NULL));
    EXPECT(MK_OK, CALL(mk_library_handles)(&handles, NULL));
    CHECK(handles == 0);
}

static void count_log(void *payload, uint32_t level, const mk_text *message) {
    CHECK(level == MK_LOG_NOTICE || level == MK_LOG_WARNING);
    CHECK(message->length > 0);
    ++*(int *)payload;
}

static int32_t give_passphrase(void *payload, const mk_text *needed, mk_answer *answer) {
    CHECK(needed->length > 0 && answer->size == sizeof(mk_answer));
    ++*(int *)payload;
    answer->kind = MK_KEY_PASSPHRASE;
    answer->data = "correct horse";
    answer->length = strlen(answer->data);
    return 0;
}

static int32_t give_prompt(void *payload, const mk_text *needed, mk_answer *answer) {
    (void)payload;
    (void)needed;
    answer->kind = MK_KEY_PROMPT;
    return 0;
}

/* A prompt is a callback as well: nothing can be closed in it. */
static int32_t close_instead(void *payload, const mk_text *needed, mk_answer *answer) {
    (void)needed;
    (void)answer;
    EXPECT(MK_MISUSE, CALL(mk_archive_close)(payload, NULL, NULL));
    return 1;
}

static int32_t give_nothing(void *payload, const mk_text *needed, mk_answer *answer) {
    (void)payload;
    (void)needed;
    (void)answer;
    return 1;
}

/* Keys: kinds, prompts, passphrases added and removed. */
/* Sees what was committed at its open and after a refresh, and changes nothing. */
static void test_reader(struct sample *sample, const mk_key *key) {
    mk_open_options options = {0};
    mk_archive *archive = NULL;
    mk_frozen *frozen = NULL;
    mk_session *session = NULL;
    mk_buffer *buffer = NULL;
    const char *mail = "Subject: of a reader\n\nText.\n";
    options.size = sizeof options;
    options.flags = MK_OPEN_READ_ONLY;
    EXPECT(MK_OK, CALL(mk_archive_open)(&archive, sample->folder, strlen(sample->folder), key, &options, failure));
    EXPECT(MK_OK, CALL(mk_archive_info)(&buffer, archive, failure));
    CHECK(buffer_has(buffer, "\"read_only\":true"));
    EXPECT(MK_OK, CALL(mk_session_begin)(&session, archive, NULL, 0, failure));
    EXPECT(MK_READ_ONLY, CALL(mk_session_import_one)(NULL, session, mail, strlen(mail), TEXT("anna"), failure));
    EXPECT(MK_OK, CALL(mk_archive_refresh)(archive, failure));
    EXPECT(MK_READ_ONLY, CALL(mk_archive_freeze)(&frozen, archive, 1, failure));
    EXPECT(MK_OK, CALL(mk_session_free)(session));
    EXPECT(MK_OK, CALL(mk_archive_close)(archive, NULL, failure));
}

static void test_keys(struct sample *sample) {
    mk_buffer *buffer = NULL;
    mk_key key = key_of(sample), prompt = MK_INIT(mk_key), recovery = MK_INIT(mk_key), other = MK_INIT(mk_key);
    mk_archive *archive = NULL;
    char json[4096], slot[16] = "";
    const char *at;
    size_t folder = strlen(sample->folder);
    int asked = 0;
    EXPECT(MK_OK, CALL(mk_key_status)(&buffer, sample->archive, failure));
    CHECK(buffer_has(buffer, "\"slots\""));
    EXPECT(MK_OK, CALL(mk_key_test)(&buffer, sample->folder, folder, &key, failure));
    CHECK(buffer_has(buffer, "\"version\":1"));
    recovery.kind = MK_KEY_RECOVERY;
    recovery.data = sample->recovery;
    recovery.length = strlen(sample->recovery);
    EXPECT(MK_OK, CALL(mk_key_confirm_recovery)(sample->archive, &recovery, failure));
    EXPECT(MK_MISUSE, CALL(mk_key_confirm_recovery)(sample->archive, &key, failure));
    EXPECT(MK_OK, CALL(mk_key_add_passphrase)(&buffer, sample->archive, TEXT("correct horse"), failure));
    take_text(json, sizeof json, buffer);
    at = strstr(json, "\"slot\":\"");
    if (at != NULL) {
        memcpy(slot, at + 8, 8);
    }
    prompt.kind = MK_KEY_PROMPT;
    prompt.payload = &asked;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_key_test)(&buffer, sample->folder, folder, &prompt, failure));
    prompt.prompt = give_passphrase;
    EXPECT(MK_OK, CALL(mk_key_test)(&buffer, sample->folder, folder, &prompt, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    CHECK(asked == 1);
    prompt.prompt = give_nothing;
    EXPECT(MK_CALLBACK, CALL(mk_key_test)(&buffer, sample->folder, folder, &prompt, failure));
    prompt.prompt = close_instead;
    prompt.payload = sample->archive;
    EXPECT(MK_CALLBACK, CALL(mk_key_confirm_recovery)(sample->archive, &prompt, failure));
    prompt.prompt = give_prompt;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_open)(&archive, sample->folder, folder, &prompt, NULL, failure));
    other.kind = MK_KEY_PASSPHRASE;
    other.data = "wrong";
    other.length = 5;
    EXPECT(MK_WRONG_KEY, CALL(mk_key_test)(&buffer, sample->folder, folder, &other, failure));
    other.kind = MK_KEY_FILE;
    EXPECT(MK_BAD_KEY, CALL(mk_key_test)(&buffer, sample->folder, folder, &other, failure));
    other.kind = 99;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_key_test)(&buffer, sample->folder, folder, &other, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_key_test)(&buffer, sample->folder, folder, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_key_test)(NULL, sample->folder, folder, &key, failure));
    EXPECT(MK_OK, CALL(mk_key_remove_passphrase)(sample->archive, slot, strlen(slot), failure));
    CHECK(CALL(mk_key_remove_passphrase)(sample->archive, slot, strlen(slot), failure) < 0);
    EXPECT(MK_INVALID_UTF8, CALL(mk_key_remove_passphrase)(sample->archive, TEXT("\xff"), failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_key_add_passphrase)(&buffer, sample->archive, TEXT("\xff"), failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_key_add_passphrase)(NULL, sample->archive, TEXT("abc"), failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_key_status)(&buffer, NULL, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_key_confirm_recovery)(NULL, &recovery, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_key_add_passphrase)(&buffer, NULL, TEXT("abc"), failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_key_remove_passphrase)((mk_archive *)sample->session, slot, strlen(slot), failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_key_status)(NULL, sample->archive, failure));
}

/* Whether the message of the last failure has a text. */
static int message_has(const char *part) {
    mk_text message = {0};
    char text[1024];
    EXPECT(MK_OK, mk_error_message(&message, failure));
    snprintf(text, sizeof text, "%.*s", (int)message.length, message.data);
    return strstr(text, part) != NULL;
}

/* Archives that are begun and not committed, or cannot be. */
static void test_new(void) {
    mk_new_archive *made = NULL;
    mk_create_options options = MK_INIT(mk_create_options);
    mk_open_options open = MK_INIT(mk_open_options);
    mk_archive *archive = NULL, *second = NULL;
    mk_buffer *buffer = NULL;
    mk_key key = MK_INIT(mk_key);
    char folder[512];
    size_t length;
    int logged = 0;
    path_in_work(folder, sizeof folder, "second");
    length = strlen(folder);
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_new_archive_begin)(NULL, folder, length, TEXT("ben"), NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_new_archive_begin)(&made, NULL, 0, TEXT("ben"), NULL, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_new_archive_begin)(&made, folder, length, TEXT("\xff"), NULL, failure));
    options.flags = 8;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_new_archive_begin)(&made, folder, length, TEXT("ben"), &options, failure));
    options.flags = MK_CREATE_WITHOUT_KEY_FILE;
    options.passphrase = "\xff";
    options.passphrase_length = 1;
    EXPECT(MK_INVALID_UTF8, CALL(mk_new_archive_begin)(&made, folder, length, TEXT("ben"), &options, failure));
    options.passphrase = "staple";
    options.passphrase_length = 6;
    options.open = &open;
    open.flags = 64;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_new_archive_begin)(&made, folder, length, TEXT("ben"), &options, failure));
    open.flags = MK_OPEN_MAPPED;
    open.log = count_log;
    open.log_payload = &logged;
    open.memory = UINT64_MAX;
    open.container_limit = UINT64_MAX;
    EXPECT(MK_OK, CALL(mk_new_archive_begin)(&made, folder, length, TEXT("ben"), &options, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_id)(&buffer, made, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_new_archive_id)(NULL, made, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_new_archive_recovery_key)(NULL, made, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_new_archive_key_file)(NULL, made, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_new_archive_commit)(NULL, made, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_recovery_key)(&buffer, made, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_new_archive_key_file)(&buffer, made, failure));
    CHECK(buffer_has(buffer, ""));
    EXPECT(MK_OK, CALL(mk_new_archive_commit)(&archive, made, failure));
    EXPECT(MK_MISUSE, CALL(mk_new_archive_commit)(&second, made, failure));
    CHECK(message_has("used up by mk_new_archive_commit"));
    EXPECT(MK_MISUSE, CALL(mk_new_archive_id)(&buffer, made, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_free)(made));
    EXPECT(MK_OK, CALL(mk_new_archive_free)(NULL));
    EXPECT(MK_BAD_HANDLE, CALL(mk_new_archive_free)(made));
    EXPECT(MK_BAD_HANDLE, CALL(mk_new_archive_id)(&buffer, made, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_new_archive_key_file)(&buffer, NULL, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_new_archive_recovery_key)(&buffer, (mk_new_archive *)archive, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_new_archive_commit)(&archive, made, failure));
    EXPECT(MK_OK, CALL(mk_archive_close)(archive, NULL, failure));
    key.kind = MK_KEY_PASSPHRASE;
    key.data = "staple";
    key.length = 6;
    EXPECT(MK_OK, CALL(mk_archive_open)(&archive, folder, length, &key, &open, failure));
    EXPECT(MK_OK, CALL(mk_archive_close)(archive, NULL, failure));

    /* Where there is an archive, or its keys were not asked for, or it is freed, none is made. */
    CHECK(CALL(mk_new_archive_begin)(&made, folder, length, TEXT("ben"), NULL, failure) == MK_EXISTS);
    path_in_work(folder, sizeof folder, "third");
    length = strlen(folder);
    EXPECT(MK_OK, CALL(mk_new_archive_begin)(&made, folder, length, TEXT("ben"), NULL, failure));
    EXPECT(MK_MISUSE, CALL(mk_new_archive_commit)(&archive, made, failure));
    EXPECT(MK_NOT_AN_ARCHIVE, CALL(mk_archive_id_of)(&buffer, folder, length, failure));
    /* That did not spend it. */
    EXPECT(MK_OK, CALL(mk_new_archive_recovery_key)(&buffer, made, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_new_archive_commit)(&archive, made, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_free)(made));
    EXPECT(MK_OK, CALL(mk_archive_close)(archive, NULL, failure));
    path_in_work(folder, sizeof folder, "fourth");
    length = strlen(folder);
    EXPECT(MK_OK, CALL(mk_new_archive_begin)(&made, folder, length, TEXT("ben"), NULL, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_free)(made));
    EXPECT(MK_NOT_AN_ARCHIVE, CALL(mk_archive_id_of)(&buffer, folder, length, failure));
}

static void test_freeze(const struct sample *sample) {
    mk_frozen *frozen = NULL, *second = NULL;
    mk_archive *archive = NULL;
    mk_new_archive *made = NULL;
    mk_session *session = NULL;
    mk_buffer *buffer = NULL;
    mk_receipt receipt = MK_INIT(mk_receipt);
    char path[512];
    int32_t held = 7;
    path_in_work(path, sizeof path, "frozen");
    EXPECT(MK_OK, CALL(mk_new_archive_begin)(&made, path, strlen(path), TEXT("f"), NULL, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_recovery_key)(&buffer, made, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_new_archive_key_file)(&buffer, made, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_OK, CALL(mk_new_archive_commit)(&archive, made, failure));
    EXPECT(MK_OK, CALL(mk_new_archive_free)(made));
    EXPECT(MK_OK, CALL(mk_session_begin)(&session, archive, NULL, 0, failure));
    EXPECT(MK_OK, CALL(mk_session_import_one)(&receipt, session, TEXT("Subject: Before\n\nText.\n"), TEXT("f/in"), failure));

    EXPECT(MK_OK, CALL(mk_archive_freeze)(&frozen, archive, UINT64_MAX, failure));
    EXPECT(MK_MISUSE, CALL(mk_archive_freeze)(&second, archive, 1, failure));
    EXPECT(MK_OK, CALL(mk_session_raw)(&buffer, session, receipt.id, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_frozen_thaw)(NULL, frozen, failure));
    EXPECT(MK_OK, CALL(mk_frozen_thaw)(&held, frozen, failure));
    CHECK(held == 1);
    EXPECT(MK_MISUSE, CALL(mk_frozen_thaw)(&held, frozen, failure));
    CHECK(message_has("used up by mk_frozen_thaw"));
    EXPECT(MK_OK, CALL(mk_frozen_free)(frozen));
    EXPECT(MK_BAD_HANDLE, CALL(mk_frozen_free)(frozen));
    EXPECT(MK_BAD_HANDLE, CALL(mk_frozen_thaw)(&held, frozen, failure));
    EXPECT(MK_OK, CALL(mk_frozen_free)(NULL));

    /* A time that is over, and one that is not waited for. */
    EXPECT(MK_OK, CALL(mk_archive_freeze)(&frozen, archive, 0, failure));
    EXPECT(MK_OK, CALL(mk_session_import_one)(NULL, session, TEXT("Subject: Late\n\nText.\n"), TEXT("f/in"), failure));
    EXPECT(MK_OK, CALL(mk_frozen_thaw)(&held, frozen, failure));
    CHECK(held == 0);
    EXPECT(MK_OK, CALL(mk_frozen_free)(frozen));
    EXPECT(MK_OK, CALL(mk_archive_freeze)(&frozen, archive, UINT64_MAX, failure));
    EXPECT(MK_OK, CALL(mk_frozen_free)(frozen));
    EXPECT(MK_OK, CALL(mk_session_import_one)(NULL, session, TEXT("Subject: After\n\nText.\n"), TEXT("f/in"), failure));

    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_freeze)(NULL, archive, 1, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_archive_freeze)(&second, NULL, 1, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_archive_freeze)(&second, (mk_archive *)sample->session, 1, failure));
    CHECK(second == NULL);

    /* Closing does not wait for it. */
    EXPECT(MK_OK, CALL(mk_archive_freeze)(&frozen, archive, UINT64_MAX, failure));
    EXPECT(MK_OK, CALL(mk_archive_close)(archive, NULL, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_frozen_thaw)(&held, frozen, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_frozen_free)(frozen));
}

void test_archives(struct sample *sample) {
    mk_buffer *buffer = NULL;
    mk_archive *archive = NULL;
    mk_key key = key_of(sample);
    mk_open_options options = MK_INIT(mk_open_options);
    char inside[600];
    size_t folder = strlen(sample->folder);
    int32_t lies_in = 7;
    group("archives and keys");
    EXPECT(MK_OK, CALL(mk_archive_id_of)(&buffer, sample->folder, folder, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_NOT_AN_ARCHIVE, CALL(mk_archive_id_of)(&buffer, work, strlen(work), failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_id_of)(NULL, sample->folder, folder, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_id_of)(&buffer, "a\0b", 3, failure));
    EXPECT(MK_OK, CALL(mk_archive_opens_with)(&buffer, sample->folder, folder, failure));
    CHECK(buffer_has(buffer, "key"));
    EXPECT(MK_NOT_AN_ARCHIVE, CALL(mk_archive_opens_with)(&buffer, work, strlen(work), failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_opens_with)(NULL, sample->folder, folder, failure));
    snprintf(inside, sizeof inside, "%s/not/there", sample->folder);
    EXPECT(MK_OK, CALL(mk_archive_lies_in)(&lies_in, sample->folder, folder, inside, strlen(inside), failure));
    CHECK(lies_in == 1);
    EXPECT(MK_OK, CALL(mk_archive_lies_in)(&lies_in, sample->folder, folder, work, strlen(work), failure));
    CHECK(lies_in == 0);
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_lies_in)(NULL, sample->folder, folder, work, strlen(work), failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_lies_in)(&lies_in, sample->folder, folder, NULL, 0, failure));
    EXPECT(MK_OK, CALL(mk_archive_info)(&buffer, sample->archive, failure));
    CHECK(buffer_has(buffer, "\"owner\":\"anna\""));
    EXPECT(MK_OK, CALL(mk_archive_mark)(sample->archive, failure));

    EXPECT(MK_OK, CALL(mk_archive_refresh)(sample->archive, failure));

    test_freeze(sample);

    /* A reader beside the writer. */
    test_reader(sample, &key);

    /* Two handles on one archive. */
    EXPECT(MK_IN_USE, CALL(mk_archive_open)(&archive, sample->folder, folder, &key, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_open)(NULL, sample->folder, folder, &key, NULL, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_open)(&archive, sample->folder, folder, NULL, NULL, failure));
    EXPECT(MK_NOT_AN_ARCHIVE, CALL(mk_archive_open)(&archive, work, strlen(work), &key, NULL, failure));
    options.flags = 1u << 31;
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_open)(&archive, sample->folder, folder, &key, &options, failure));
    CHECK(archive == NULL);
    EXPECT(MK_BAD_HANDLE, CALL(mk_archive_info)(&buffer, NULL, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_archive_info)(&buffer, (mk_archive *)sample->session, failure));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_archive_info)(NULL, sample->archive, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_archive_mark)((mk_archive *)failure, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_archive_refresh)((mk_archive *)failure, failure));
    EXPECT(MK_OK, CALL(mk_archive_close)(NULL, NULL, failure));
    EXPECT(MK_BAD_HANDLE, CALL(mk_archive_close)((mk_archive *)sample->session, NULL, failure));

    test_keys(sample);
    test_new();
}
