/* Every function that takes a session, with arguments that are good but for the session `h` and the place `out`. */

#ifndef SESSION_CALLS_H
#define SESSION_CALLS_H

#include "check.h"

#define QUERY TEXT("{\"query\":\"word\"}")

/* Those that give an object. */
#define OBJECT_CALLS(X)                                                                                      \
    X(mk_session_folders, mk_page, (out, h, NULL, 0, 10, failure))                                           \
    X(mk_session_folders_in, mk_page, (out, h, NULL, 0, failure))                                            \
    X(mk_session_messages, mk_page, (out, h, NULL, 0, NULL, 0, 10, failure))                                 \
    X(mk_session_message, mk_page, (out, h, given->first, failure))                                          \
    X(mk_session_thread, mk_page, (out, h, given->first, NULL, failure))                                     \
    X(mk_session_search, mk_page, (out, h, QUERY, NULL, failure))                                            \
    X(mk_search_begin, mk_search, (out, h, QUERY, NULL, failure))                                            \
    X(mk_stream_open, mk_stream, (out, h, given->first, MK_WHOLE_MAIL, failure))                             \
    X(mk_session_raw, mk_buffer, (out, h, given->first, failure))                                            \
    X(mk_session_parts, mk_buffer, (out, h, given->first, failure))                                          \
    X(mk_session_record, mk_buffer, (out, h, given->first, failure))                                         \
    X(mk_session_delete, mk_buffer, (out, h, &given->first, 1, TEXT("a test"), MK_DELETE_DRY_RUN, failure))  \
    X(mk_session_undelete, mk_buffer, (out, h, &given->first, 1, TEXT("a test"), failure))                   \
    X(mk_session_deleted, mk_buffer, (out, h, NULL, 0, 10, failure))                                         \
    X(mk_session_compact, mk_buffer, (out, h, MK_COMPACT_DRY_RUN, NULL, failure))                            \
    X(mk_session_compact_store, mk_buffer, (out, h, 1, MK_COMPACT_DRY_RUN, NULL, failure))                   \
    X(mk_session_stores, mk_buffer, (out, h, 0, failure))                                                    \
    X(mk_session_store_rule, mk_buffer, (out, h, failure))                                                   \
    X(mk_session_retry_open_stores, mk_buffer, (out, h, NULL, failure))                                      \
    X(mk_session_explain, mk_buffer, (out, h, QUERY, NULL, failure))                                         \
    X(mk_session_why, mk_buffer, (out, h, given->first, QUERY, NULL, failure))                               \
    X(mk_session_undecided, mk_buffer, (out, h, QUERY, 10, NULL, failure))                                   \
    X(mk_session_export, mk_buffer, (out, h, given->place, given->place_length, &given->update, failure))    \
    X(mk_session_export_mbox, mk_buffer, (out, h, ignore_bytes, NULL, NULL, failure))                        \
    X(mk_session_import, mk_buffer, (out, h, &given->source, NULL, failure))                                 \
    X(mk_session_import_target, mk_buffer, (out, h, &given->source, NULL, failure))                          \
    X(mk_session_import_plan, mk_buffer, (out, h, &given->source, NULL, failure))                            \
    X(mk_session_check, mk_buffer, (out, h, &given->source, NULL, failure))                                  \
    X(mk_session_lost_files, mk_buffer, (out, h, failure))                                                   \
    X(mk_session_lost_mails, mk_buffer, (out, h, ignore_mail, NULL, failure))                                \
    X(mk_session_import_lost, mk_buffer, (out, h, NULL, failure))                                            \
    X(mk_session_make_folder, mk_buffer, (out, h, TEXT("anna/a/new one"), MK_FOLDER_DRY_RUN, failure))       \
    X(mk_session_rename_folder, mk_buffer, (out, h, TEXT("anna"), TEXT("ann"), MK_FOLDER_DRY_RUN, failure))  \
    X(mk_session_move_folder, mk_buffer, (out, h, TEXT("anna"), TEXT("a/b"), MK_FOLDER_DRY_RUN, failure))    \
    X(mk_session_remove_folder, mk_buffer, (out, h, TEXT("bob"), MK_FOLDER_DRY_RUN, failure))                \
    X(mk_session_prune_folders, mk_buffer, (out, h, NULL, 0, MK_FOLDER_DRY_RUN, failure))                    \
    X(mk_session_stats, mk_buffer, (out, h, NULL, failure))                                                  \
    X(mk_session_types_not_read, mk_buffer, (out, h, NULL, failure))                                         \
    X(mk_session_not_searchable, mk_buffer, (out, h, NULL, 0, 10, failure))                                  \
    X(mk_session_verify, mk_buffer, (out, h, MK_VERIFY_STRUCTURE, 0, 0, NULL, failure))                      \
    X(mk_session_repair, mk_buffer, (out, h, MK_REPAIR_DRY_RUN, failure))                                    \
    X(mk_session_store_indexes, mk_buffer, (out, h, 0, failure))                                             \
    X(mk_session_index_configuration, mk_buffer, (out, h, failure))

/* The others. */
#define PLAIN_CALLS(X)                                                                                       \
    X(mk_session_import_one, (NULL, h, given->mail, given->mail_length, TEXT("anna/single"), failure))       \
    X(mk_session_read, (h, given->first, ignore_bytes, NULL, failure))                                       \
    X(mk_session_read_range, (h, given->first, 0, 9, ignore_bytes, NULL, failure))                           \
    X(mk_session_read_header, (h, given->first, ignore_bytes, NULL, failure))                                \
    X(mk_session_read_part, (h, given->with_parts, 2, 0, ignore_bytes, NULL, failure))                       \
    X(mk_session_read_parts, (h, given->with_parts, &given->part, 1, ignore_part, NULL, failure))            \
    X(mk_session_rebuild_store_index, (h, 1, NULL, failure))                                                 \
    X(mk_session_select_all_store_indexes, (h, failure))                                                     \
    X(mk_session_rebuild_selected_store_indexes, (&given->count, h, NULL, failure))                          \
    X(mk_session_rename_store, (h, 1, TEXT("first"), failure))                                               \
    X(mk_session_set_store_state, (h, 1, MK_STORE_CURRENT, NULL, failure))                                   \
    X(mk_session_set_store_rule, (h, TEXT("never"), failure))                                                \
    X(mk_session_set_index_configuration, (h, TEXT("{\"types\":[]}"), failure))

/* What these calls need. */
struct given {
    mk_message_id first, with_parts;
    mk_source source;
    mk_export_options update;
    char mbox[512], place[512];
    size_t place_length;
    const char *mail;
    size_t mail_length;
    uint32_t part;
    uint64_t count;
};

typedef mk_status (*session_call)(struct given *given, const mk_session *h, void *out);

struct named_call {
    const char *name;
    session_call call;
    /* Frees what it gave; NULL of one that gives nothing. */
    mk_status (*release)(void *made);
};

extern const struct named_call session_calls[];
extern const size_t session_call_count;

void make_given(struct given *given, const struct sample *sample);

#endif
