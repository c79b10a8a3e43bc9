/* Folders are made, renamed, moved, removed and pruned. */

#include "check.h"

void test_folders(struct sample *sample) {
    const mk_session *h = sample->session;
    mk_buffer *buffer = NULL;
    mk_session *person = NULL;
    group("folders");
    EXPECT(MK_OK, CALL(mk_session_make_folder)(&buffer, h, TEXT("ann/a/b"), MK_FOLDER_DRY_RUN, failure));
    CHECK(buffer_has(buffer, "\"made\":[\"ann\",\"ann/a\",\"ann/a/b\"]"));
    EXPECT(MK_NO_SUCH_FOLDER, CALL(mk_session_rename_folder)(&buffer, h, TEXT("ann/a"), TEXT("c"), 0, failure));
    EXPECT(MK_OK, CALL(mk_session_make_folder)(&buffer, h, TEXT("ann/a/b"), 0, failure));
    CHECK(buffer_has(buffer, "\"moved\":null"));
    EXPECT(MK_FOLDER_EXISTS, CALL(mk_session_make_folder)(&buffer, h, TEXT("ann/a/b"), 0, failure));
    EXPECT(MK_OK, CALL(mk_session_rename_folder)(&buffer, h, TEXT("ann/a"), TEXT("c"), 0, failure));
    CHECK(buffer_has(buffer, "\"moved\":{\"from\":\"ann/a\",\"to\":\"ann/c\"}"));
    EXPECT(MK_MISUSE, CALL(mk_session_rename_folder)(&buffer, h, TEXT("ann/c"), TEXT("d/e"), 0, failure));
    EXPECT(MK_OK, CALL(mk_session_move_folder)(&buffer, h, TEXT("ann/c/b"), TEXT("bob/x/y"), 0, failure));
    CHECK(buffer_has(buffer, "\"to\":\"bob/x/y\""));
    EXPECT(MK_MISUSE, CALL(mk_session_move_folder)(&buffer, h, TEXT("bob"), TEXT("bob/x/z"), 0, failure));
    EXPECT(MK_FOLDER_NOT_EMPTY, CALL(mk_session_remove_folder)(&buffer, h, TEXT("anna"), 0, failure));
    EXPECT(MK_OK, CALL(mk_session_prune_folders)(&buffer, h, TEXT("bob"), 0, failure));
    CHECK(buffer_has(buffer, "\"removed\":[\"bob/x\",\"bob/x/y\"]"));
    EXPECT(MK_OK, CALL(mk_session_remove_folder)(&buffer, h, TEXT("ann"), 0, failure));
    CHECK(buffer_has(buffer, "\"removed\":[\"ann\",\"ann/c\"]"));
    EXPECT(MK_OK, CALL(mk_session_prune_folders)(&buffer, h, NULL, 0, MK_FOLDER_DRY_RUN, failure));
    EXPECT(MK_OK, CALL(mk_buffer_free)(buffer));
    EXPECT(MK_BAD_ARGUMENT, CALL(mk_session_prune_folders)(&buffer, h, NULL, 0, 64, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_make_folder)(&buffer, h, TEXT("caf\xe9"), 0, failure));
    EXPECT(MK_INVALID_UTF8, CALL(mk_session_rename_folder)(&buffer, h, TEXT("bob"), TEXT("caf\xe9"), 0, failure));
    EXPECT(MK_MISUSE, CALL(mk_session_move_folder)(&buffer, h, TEXT("bob"), TEXT(""), 0, failure));
    EXPECT(MK_OK, CALL(mk_session_begin)(&person, sample->archive, TEXT("{\"name\":\"u\",\"folders\":[]}"), failure));
    EXPECT(MK_DENIED, CALL(mk_session_prune_folders)(&buffer, person, NULL, 0, 0, failure));
    EXPECT(MK_OK, CALL(mk_session_free)(person));
}
