/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Mailkeep: an embeddable e-mail archive. The C interface, version 1. Made from the library; do not edit.
 *
 * Calls return a status: MK_OK, MK_END, or a negative number. Results come first, and are written only with MK_OK. The
 * last argument is an error object of the caller, or NULL; after a failure it has the message, and a JSON object that
 * says where and what to do.
 *
 * Handles are opaque, and are never dereferenced: NULL, one that was freed, and one of another kind are
 * MK_BAD_HANDLE. Every handle is freed by the function of its type; freeing NULL does nothing. Any thread may use any
 * handle. One search or stream serves one call at a time; a second one gets MK_BUSY. In a forked child every call gets
 * MK_FORKED.
 *
 * Strings are UTF-8 with a length and need no zero at the end. Paths are bytes on Unix. Times are milliseconds since
 * 1970, UTC. Structs begin with their size: set it with MK_INIT. Pointers in results live as long as the object that
 * gave them.
 *
 * Callbacks are called while the library holds no lock, and may use the library. A number other than 0 ends the call.
 * They must return: no exception, no longjmp. Documents: docs/EMBEDDING.md, docs/ABI.md. */

#ifndef MAILKEEP_H
#define MAILKEEP_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && !defined(MAILKEEP_STATIC)
#define MK_API __declspec(dllimport)
#else
#define MK_API
#endif

/* A struct of this interface with its size set and everything else at its default. */
#ifdef __cplusplus
extern "C++" {
namespace mailkeep {
template <class T> inline T init() {
    T made = T();
    made.size = (uint32_t)sizeof(T);
    return made;
}
}
}
#define MK_INIT(type) ::mailkeep::init<type>()
#else
#define MK_INIT(type) { .size = (uint32_t)sizeof(type) }
#endif

/**
 * Mail is not indexed.
 */
#define MK_OPEN_WITHOUT_INDEX 1

/**
 * Closed files are read through memory maps. If the medium fails, the system then ends the process.
 */
#define MK_OPEN_MAPPED 2

/**
 * The archive is only read: beside a process that writes it, and on read-only media. No byte of it is changed; calls that
 * would change it give `MK_READ_ONLY`.
 */
#define MK_OPEN_READ_ONLY 4

/**
 * Something that people should know.
 */
#define MK_LOG_NOTICE 1

/**
 * Something is wrong.
 */
#define MK_LOG_WARNING 2

/**
 * Without a key file: the archive opens with the recovery key, and with a passphrase if one is given.
 */
#define MK_CREATE_WITHOUT_KEY_FILE 1

/**
 * Nothing is done; the report says what would be.
 */
#define MK_DELETE_DRY_RUN 1

/**
 * Nothing is done; the report says what would be.
 */
#define MK_COMPACT_DRY_RUN 1

/**
 * It is a new message.
 */
#define MK_OUTCOME_STORED 1

/**
 * The archive had it already.
 */
#define MK_OUTCOME_DUPLICATE 2

/**
 * The archive had it already, with other status headers.
 */
#define MK_OUTCOME_RESTATED 3

/**
 * A file for each mail, with exactly its bytes.
 */
#define MK_EXPORT_EML 0

/**
 * An mbox for each folder.
 */
#define MK_EXPORT_MBOX 1

/**
 * A Maildir for each folder.
 */
#define MK_EXPORT_MAILDIR 2

/**
 * `SHA256SUMS` and `MANIFEST.jsonl` are written.
 */
#define MK_EXPORT_MANIFEST 1

/**
 * The destination may contain files; only what is missing is written.
 */
#define MK_EXPORT_UPDATE 2

/**
 * Fields that say where a mail is from are written before all others (EML only).
 */
#define MK_EXPORT_ORIGIN 4

/**
 * Nothing is done; the report says what would be, and the call fails as the change would.
 */
#define MK_FOLDER_DRY_RUN 1

/**
 * Mails are read that their program had marked as deleted.
 */
#define MK_IMPORT_WITH_DELETED 1

/**
 * Each mail is committed separately: slower, but each is durable as soon as possible.
 */
#define MK_IMPORT_COMMIT_EACH 2

/**
 * A mail also goes into the folder that its labels name.
 */
#define MK_IMPORT_LABEL_FOLDERS 4

/**
 * A duplicate is what its folder has, apart from headers that mail programs change.
 */
#define MK_DUPLICATES_FOLDER 0

/**
 * A duplicate is what its folder has with exactly the same bytes.
 */
#define MK_DUPLICATES_EXACT 1

/**
 * A duplicate is what its user archive has, as a person would say.
 */
#define MK_DUPLICATES_ARCHIVE 2

/**
 * Names and contents say what a source is.
 */
#define MK_FORMAT_AUTO 0

/**
 * Any mbox.
 */
#define MK_FORMAT_MBOX 1

/**
 * An mbox without lengths, in which `From ` is quoted.
 */
#define MK_FORMAT_MBOXO 2

/**
 * The same; quoted lines are quoted again.
 */
#define MK_FORMAT_MBOXRD 3

/**
 * An mbox with lengths, in which `From ` is quoted.
 */
#define MK_FORMAT_MBOXCL 4

/**
 * An mbox with lengths, in which nothing is quoted.
 */
#define MK_FORMAT_MBOXCL2 5

/**
 * Mails between lines of four ^A.
 */
#define MK_FORMAT_MMDF 6

/**
 * A LISTSERV notebook.
 */
#define MK_FORMAT_LISTSERV 7

/**
 * A Maildir, or one file of it.
 */
#define MK_FORMAT_MAILDIR 8

/**
 * A folder of MH.
 */
#define MK_FORMAT_MH 9

/**
 * One file, one mail.
 */
#define MK_FORMAT_EML 10

/**
 * One mail of Apple Mail.
 */
#define MK_FORMAT_EMLX 11

/**
 * The text of a key file.
 */
#define MK_KEY_FILE 1

/**
 * The recovery key as it was printed.
 */
#define MK_KEY_RECOVERY 2

/**
 * A passphrase.
 */
#define MK_KEY_PASSPHRASE 3

/**
 * A callback gives the key.
 */
#define MK_KEY_PROMPT 4

/**
 * The version of this interface, which the name of the shared library has too. It grows if something that a program may
 * use is removed or changed.
 */
#define MK_ABI_VERSION 1

/**
 * A message has no date.
 */
#define MK_NO_DATE (-9223372036854775807 - 1)

/**
 * Whether it was received or sent is not known.
 */
#define MK_DIRECTION_UNKNOWN 0

/**
 * Received.
 */
#define MK_DIRECTION_RECEIVED 1

/**
 * Sent.
 */
#define MK_DIRECTION_SENT 2

/**
 * Where a date is from is not known.
 */
#define MK_DATE_UNKNOWN 0

/**
 * The mail itself.
 */
#define MK_DATE_MAIL 1

/**
 * The From_ line of an mbox.
 */
#define MK_DATE_MBOX_LINE 2

/**
 * The name of a file in a Maildir.
 */
#define MK_DATE_MAILDIR_NAME 3

/**
 * None: its record has the time of archiving.
 */
#define MK_DATE_ARCHIVING 4

/**
 * What Apple Mail noted as received.
 */
#define MK_DATE_RECEIVED 5

/**
 * The first Received field that has a date.
 */
#define MK_DATE_RECEIVED_FIELD 6

/**
 * Bytes.
 */
#define MK_UNIT_BYTES 1

/**
 * Messages.
 */
#define MK_UNIT_MESSAGES 2

/**
 * Contents: different mails.
 */
#define MK_UNIT_CONTENTS 3

/**
 * Commits of the records.
 */
#define MK_UNIT_COMMITS 4

/**
 * Steps of a call whose parts cannot be compared.
 */
#define MK_UNIT_STEPS 5

/**
 * The store takes new mail; the one that did becomes `MK_STORE_NORMAL`.
 */
#define MK_STORE_CURRENT 1

/**
 * It is read and searched, and its messages and folders can be changed.
 */
#define MK_STORE_NORMAL 2

/**
 * It is read and searched, and nothing in it changes.
 */
#define MK_STORE_WRITE_PROTECTED 3

/**
 * It is closed: its messages are in no list and no search.
 */
#define MK_STORE_DISABLED 4

/**
 * The list also has the sizes of each store, which takes a look at every file.
 */
#define MK_STORES_STATS 1

/**
 * The bytes of the mail itself, not of a part.
 */
#define MK_WHOLE_MAIL 4294967295

/**
 * Every frame of every file, and every mail against its digest.
 */
#define MK_VERIFY_EVERYTHING 0

/**
 * Every frame of every file.
 */
#define MK_VERIFY_STRUCTURE 1

/**
 * A part of the mails and containers, and all other files.
 */
#define MK_VERIFY_PART 2

/**
 * Added to these: what was found is recorded as known, except what can be rebuilt.
 */
#define MK_VERIFY_ACCEPT 256

/**
 * A state that is not what was recorded is accepted.
 */
#define MK_REPAIR_ACCEPT_STATE 1

/**
 * Nothing is done; the report says what would be.
 */
#define MK_REPAIR_DRY_RUN 2

/**
 * An open archive. Opaque.
 */
typedef struct mk_archive mk_archive;

/**
 * Bytes, text or a JSON object that a call returned. Opaque.
 */
typedef struct mk_buffer mk_buffer;

/**
 * Ends calls from another thread. Opaque.
 */
typedef struct mk_cancel mk_cancel;

/**
 * Keeps the error of the last call that failed with it. One serves any number of calls, one after the other; each thread
 * uses its own. Opaque.
 */
typedef struct mk_error mk_error;

/**
 * An archive that does not change. Opaque.
 */
typedef struct mk_frozen mk_frozen;

/**
 * An archive that is about to be created. Opaque.
 */
typedef struct mk_new_archive mk_new_archive;

/**
 * Some of a list or of the hits of a search. Opaque.
 */
typedef struct mk_page mk_page;

/**
 * A search that is read page by page. Opaque.
 */
typedef struct mk_search mk_search;

/**
 * An archive, used on behalf of an actor. Opaque.
 */
typedef struct mk_session mk_session;

/**
 * The bytes of a mail or part, read piece by piece. Opaque.
 */
typedef struct mk_stream mk_stream;

/**
 * What a call returns: `MK_OK`, `MK_END`, or a negative number of an error. Programs must expect numbers that they do not
 * know: later versions add some.
 */
typedef int32_t mk_status;

/**
 * Text in UTF-8, not ended by a zero byte. Its bytes belong to the object that gave it.
 */
typedef struct {
    /**
     * Its first byte; NULL where there is no text.
     */
    const char *data;
    /**
     * Its length in bytes.
     */
    size_t length;
} mk_text;

/**
 * What a prompt answers. Its bytes must live until the call that asked returns.
 */
typedef struct {
    /**
     * The size of the struct, set by the library.
     */
    uint32_t size;
    /**
     * `MK_KEY_FILE`, `MK_KEY_RECOVERY` or `MK_KEY_PASSPHRASE`.
     */
    uint32_t kind;
    /**
     * The text.
     */
    const char *data;
    /**
     * Its length.
     */
    size_t length;
} mk_answer;

/**
 * Gives a key when an archive is opened: fills in `answer`. `needed` says which keys open it. Another number than 0 ends the call
 * that asked with `MK_CALLBACK`.
 */
typedef int32_t (*mk_key_fn)(void *payload, const mk_text *needed, mk_answer *answer);

/**
 * A key.
 */
typedef struct {
    /**
     * `sizeof(mk_key)`.
     */
    uint32_t size;
    /**
     * `MK_KEY_FILE`, `MK_KEY_RECOVERY`, `MK_KEY_PASSPHRASE` or `MK_KEY_PROMPT`.
     */
    uint32_t kind;
    /**
     * Its text. The library wipes its own copies.
     */
    const char *data;
    /**
     * The length of the text.
     */
    size_t length;
    /**
     * With `MK_KEY_PROMPT`: gives the key.
     */
    mk_key_fn prompt;
    /**
     * The first argument of `prompt`.
     */
    void *payload;
} mk_key;

/**
 * Receives what an open found and did: notices, damage, recovery after a crash. Called before the open returns.
 */
typedef void (*mk_log_fn)(void *payload, uint32_t level, const mk_text *message);

/**
 * How far a call is. Lives during the callback.
 */
typedef struct {
    /**
     * The size of the struct.
     */
    uint32_t size;
    /**
     * What is counted: `MK_UNIT_…`. Later versions may add numbers.
     */
    uint32_t unit;
    /**
     * What is done, in this unit.
     */
    uint64_t done;
    /**
     * What there is to do; 0 if that is not known.
     */
    uint64_t total;
    /**
     * What the call is doing, in a few English words.
     */
    mk_text activity;
} mk_step;

/**
 * Receives how far a call is, from any thread, one call at a time. Another number than 0 ends this call with `MK_STOPPED`, and no
 * other that uses the same `mk_cancel`.
 */
typedef int32_t (*mk_progress_fn)(void *payload, const mk_step *step);

/**
 * How a long call is followed and ended. NULL where one is expected means: not at all.
 */
typedef struct {
    /**
     * `sizeof(mk_progress)`.
     */
    uint32_t size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Ends the call when it is cancelled; may be NULL.
     */
    const mk_cancel *cancel;
    /**
     * Receives the progress; may be NULL.
     */
    mk_progress_fn report;
    /**
     * The first argument of `report`.
     */
    void *payload;
} mk_progress;

/**
 * How an archive is opened. NULL is the default.
 */
typedef struct {
    /**
     * `sizeof(mk_open_options)`.
     */
    uint32_t size;
    /**
     * `MK_OPEN_…`, added up.
     */
    uint32_t flags;
    /**
     * About how many bytes of memory the archive may take; 0 is the default, 144 MiB.
     */
    uint64_t memory;
    /**
     * Containers are closed when they are larger than this many bytes; 0 is the default, 256 MiB.
     */
    uint64_t container_limit;
    /**
     * Receives what the open found and did; may be NULL.
     */
    mk_log_fn log;
    /**
     * The first argument of `log`.
     */
    void *log_payload;
    /**
     * Follows the open, which may have to read records and to index mails; may be NULL.
     */
    const mk_progress *progress;
} mk_open_options;

/**
 * How an archive is created.
 */
typedef struct {
    /**
     * `sizeof(mk_create_options)`.
     */
    uint32_t size;
    /**
     * `MK_CREATE_…`, added up.
     */
    uint32_t flags;
    /**
     * A passphrase that also opens it; may be NULL.
     */
    const char *passphrase;
    /**
     * The length of the passphrase.
     */
    size_t passphrase_length;
    /**
     * How it is opened after its creation; may be NULL. It must live until `mk_new_archive_commit` returns.
     */
    const mk_open_options *open;
} mk_create_options;

/**
 * A message's permanent id: the number of its store in the upper 32 bits, its number there in the lower ones.
 */
typedef uint64_t mk_message_id;

/**
 * Receives a message that could not be written, and why. The export continues.
 */
typedef void (*mk_failed_fn)(void *payload, mk_message_id id, const mk_text *message);

/**
 * What is exported, and how. NULL is the default: everything, as single files.
 */
typedef struct {
    /**
     * `sizeof(mk_export_options)`.
     */
    uint32_t size;
    /**
     * `MK_EXPORT_MANIFEST`, `MK_EXPORT_UPDATE`, `MK_EXPORT_ORIGIN`, added up.
     */
    uint32_t flags;
    /**
     * `MK_EXPORT_EML`, `MK_EXPORT_MBOX` or `MK_EXPORT_MAILDIR`.
     */
    uint32_t format;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Only this folder and those below it; may be NULL.
     */
    const char *folder;
    /**
     * The length of the folder.
     */
    size_t folder_length;
    /**
     * Only messages that meet this query; may be NULL.
     */
    const char *query;
    /**
     * The length of the query.
     */
    size_t query_length;
    /**
     * Follows and ends it; may be NULL.
     */
    const mk_progress *progress;
    /**
     * Receives what could not be written; may be NULL.
     */
    mk_failed_fn failed;
    /**
     * The first argument of `failed`.
     */
    void *failed_payload;
} mk_export_options;

/**
 * Bytes, in pieces. Another number than 0 ends the call with `MK_CALLBACK`.
 */
typedef int32_t (*mk_write_fn)(void *payload, const void *data, size_t length);

/**
 * Reads the next bytes of a source into `data`, at most `length`, and returns how many; 0 at the end, a negative number if
 * the source cannot be read.
 */
typedef int64_t (*mk_read_fn)(void *payload, void *data, size_t length);

/**
 * What is imported or checked: a path, or a stream.
 */
typedef struct {
    /**
     * `sizeof(mk_source)`.
     */
    uint32_t size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * A file or folder; with a stream, a name that hints at its format, or NULL.
     */
    const char *path;
    /**
     * The length of the path.
     */
    size_t path_length;
    /**
     * Reads a stream; NULL for a path.
     */
    mk_read_fn read;
    /**
     * The first argument of `read`.
     */
    void *payload;
} mk_source;

/**
 * Says that a mail is durable: power may fail at any later moment.
 */
typedef struct {
    /**
     * `sizeof(mk_receipt)`.
     */
    uint32_t size;
    /**
     * `MK_OUTCOME_…`.
     */
    uint32_t outcome;
    /**
     * The message: the new one, or the one that is there.
     */
    mk_message_id id;
    /**
     * SHA-256 of the bytes that were given.
     */
    uint8_t digest[32];
    /**
     * Offset of the mail's first byte in its file.
     */
    uint64_t offset;
    /**
     * The path of the file within the source; empty where the source is one file. Lives during the callback.
     */
    mk_text source;
} mk_receipt;

/**
 * A mail is durable.
 */
typedef int32_t (*mk_receipt_fn)(void *payload, const mk_receipt *receipt);

/**
 * Something in a source that is not a mail, or could not be read. Lives during the callback.
 */
typedef struct {
    /**
     * The size of the struct.
     */
    uint32_t size;
    /**
     * 1 if something that may be mail was not returned, else 0.
     */
    uint32_t is_loss;
    /**
     * Where in the file.
     */
    uint64_t offset;
    /**
     * The path of the file within the source.
     */
    mk_text source;
    /**
     * What it is: a sentence in English.
     */
    mk_text message;
} mk_trouble;

/**
 * Something in the source is not a mail, or cannot be read.
 */
typedef int32_t (*mk_trouble_fn)(void *payload, const mk_trouble *trouble);

/**
 * A mail that a check does not find in the archive.
 */
typedef int32_t (*mk_missing_fn)(void *payload, const mk_text *source, uint64_t offset);

/**
 * What is called during an import or a check, one call at a time. Each may be NULL; another number than 0 ends the import
 * at the next safe point with `MK_CALLBACK`.
 */
typedef struct {
    /**
     * `sizeof(mk_import_events)`.
     */
    uint32_t size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * The first argument of each.
     */
    void *payload;
    /**
     * A mail is durable. Receipts come in the order of the source.
     */
    mk_receipt_fn receipt;
    /**
     * Something in the source is not a mail, or cannot be read.
     */
    mk_trouble_fn trouble;
    /**
     * A check does not find a mail, or finds it damaged: its path in the source and its offset.
     */
    mk_missing_fn missing;
    /**
     * Bytes of the source that belong to no mail and are not archived; the trouble that gives the reason follows.
     */
    mk_write_fn lost;
} mk_import_events;

/**
 * How mail is imported. NULL is the default.
 */
typedef struct {
    /**
     * `sizeof(mk_import_options)`.
     */
    uint32_t size;
    /**
     * `MK_IMPORT_…`, added up.
     */
    uint32_t flags;
    /**
     * `MK_DUPLICATES_…`.
     */
    uint32_t duplicates;
    /**
     * `MK_FORMAT_…`.
     */
    uint32_t format;
    /**
     * The destination, such as `anna/inbox`. NULL: a folder named after the source, below the owner's.
     */
    const char *into;
    /**
     * The length of the destination.
     */
    size_t into_length;
    /**
     * Follows and ends it; may be NULL.
     */
    const mk_progress *progress;
    /**
     * What is called during it; may be NULL.
     */
    const mk_import_events *events;
} mk_import_options;

/**
 * Receives a mail of `lost+found`: what is known of it as JSON, and its bytes.
 */
typedef int32_t (*mk_lost_mail_fn)(void *payload, const mk_text *json, const void *data, size_t length);

/**
 * What a page has.
 */
typedef struct {
    /**
     * `sizeof(mk_page_info)`.
     */
    uint32_t size;
    /**
     * Rows.
     */
    uint32_t count;
    /**
     * Where the next page begins; no text if there is none. It lives as long as the page.
     */
    mk_text cursor;
    /**
     * Of a search: how many messages meet it, exactly.
     */
    uint64_t total;
    /**
     * Of a search: how many different mails these are.
     */
    uint64_t contents;
    /**
     * Of a search: messages that the index does not have.
     */
    uint64_t not_indexed;
    /**
     * Of a search: messages for which text that could not be read would decide.
     */
    uint64_t undecided;
    /**
     * Of a search: 1 if `mk_page_json` has more than the rows and these numbers (counts, snippets, subject words, other messages
     * with the same mail, suggestions, notices, stores that could not be opened), else 0.
     */
    uint32_t more;
    /**
     * 0.
     */
    uint32_t reserved;
} mk_page_info;

/**
 * A message in a list. Its texts live as long as the page. `mk_session_record` has everything else.
 */
typedef struct {
    /**
     * `sizeof(mk_message)`.
     */
    uint32_t size;
    /**
     * Attachments.
     */
    uint32_t attachments;
    /**
     * Its permanent id.
     */
    mk_message_id id;
    /**
     * Its date, or `MK_NO_DATE`.
     */
    int64_t date;
    /**
     * When it was archived.
     */
    int64_t archived;
    /**
     * Its bytes.
     */
    uint64_t bytes;
    /**
     * `MK_DATE_…`.
     */
    uint32_t date_origin;
    /**
     * `MK_DIRECTION_…`.
     */
    uint32_t direction;
    /**
     * -1 low, 0 normal or not said, 1 high.
     */
    int32_t importance;
    /**
     * Its number in the folder, which no other message ever gets.
     */
    uint32_t number_in_folder;
    /**
     * Its subject.
     */
    mk_text subject;
    /**
     * Its folder.
     */
    mk_text folder;
    /**
     * The name of its first sender; may be empty.
     */
    mk_text from_name;
    /**
     * The address of its first sender.
     */
    mk_text from_address;
    /**
     * The name of its first receiver; may be empty.
     */
    mk_text to_name;
    /**
     * The address of its first receiver.
     */
    mk_text to_address;
    /**
     * With `snippets` in a request: the place with the most words of the query.
     */
    mk_text snippet;
} mk_message;

/**
 * A folder with its counts. Its path lives as long as the page.
 */
typedef struct {
    /**
     * `sizeof(mk_folder)`.
     */
    uint32_t size;
    /**
     * When it was created, in seconds since 1970.
     */
    uint32_t epoch;
    /**
     * Its path.
     */
    mk_text path;
    /**
     * Messages in the folder itself.
     */
    uint64_t messages;
    /**
     * Bytes of these messages.
     */
    uint64_t bytes;
    /**
     * Messages in it and in all folders below it.
     */
    uint64_t total_messages;
    /**
     * Bytes of these messages.
     */
    uint64_t total_bytes;
    /**
     * Folders below it, at any depth.
     */
    uint64_t folders_below;
    /**
     * The number of the last message that was added here.
     */
    uint32_t last_number;
    /**
     * 0.
     */
    uint32_t reserved;
} mk_folder;

/**
 * Receives bytes of parts, each with the number of its part.
 */
typedef int32_t (*mk_write_part_fn)(void *payload, uint32_t part, const void *data, size_t length);

/**
 * Where the files of a store are. NULL is the default.
 */
typedef struct {
    /**
     * `sizeof(mk_store_dirs)`.
     */
    uint32_t size;
    /**
     * 0.
     */
    uint32_t reserved;
    /**
     * Records and catalog, and everything else unless it is named; NULL is a folder within the archive.
     */
    const char *dir;
    /**
     * Its length.
     */
    size_t dir_length;
    /**
     * Containers; NULL is `content` in `dir`.
     */
    const char *content_dir;
    /**
     * Its length.
     */
    size_t content_dir_length;
    /**
     * The index; NULL is `index` in `dir`.
     */
    const char *index_dir;
    /**
     * Its length.
     */
    size_t index_dir_length;
} mk_store_dirs;

/**
 * It is done.
 */
#define MK_OK 0

/**
 * There is no more. Nothing was written.
 */
#define MK_END 1

/**
 * A bug of the library, such as a panic, which was caught. Please report it.
 */
#define MK_BUG -1

/**
 * A handle is NULL, was freed, or is of another kind.
 */
#define MK_BAD_HANDLE -2

/**
 * An argument cannot be used: NULL where a value is needed, an unknown flag or number, not aligned.
 */
#define MK_BAD_ARGUMENT -3

/**
 * The size at the beginning of a struct is not one of any version, or a later version's field is set.
 */
#define MK_BAD_SIZE -4

/**
 * A string is not UTF-8.
 */
#define MK_INVALID_UTF8 -5

/**
 * The caller's buffer is too small. The needed length was written.
 */
#define MK_BUFFER_TOO_SMALL -6

/**
 * Another call uses this search or stream.
 */
#define MK_BUSY -7

/**
 * The process is a fork of the one that opened the archive.
 */
#define MK_FORKED -8

/**
 * A callback returned a number other than 0. Its code is `caller`.
 */
#define MK_CALLBACK -9

/**
 * The archive was closed.
 */
#define MK_CLOSED -10

/**
 * The call was cancelled. What has a receipt stays.
 */
#define MK_STOPPED -11

/**
 * The caller asked for something impossible.
 */
#define MK_MISUSE -12

/**
 * An error that this version of the interface has no number for; `mk_error_code` names it.
 */
#define MK_OTHER -13

/**
 * A file operation failed.
 */
#define MK_IO -20

/**
 * The disk is full. Free some space and try again.
 */
#define MK_DISK_FULL -21

/**
 * The limit of open files is reached.
 */
#define MK_TOO_MANY_OPEN_FILES -22

/**
 * The system provided no thread.
 */
#define MK_NO_THREAD -23

/**
 * Another process has the archive open.
 */
#define MK_IN_USE -24

/**
 * The archive's folder was moved or replaced while it was open.
 */
#define MK_LOCK_LOST -25

/**
 * An earlier write failed; open the archive again.
 */
#define MK_LATCHED -26

/**
 * Catalog or index could not be written. All mail is archived.
 */
#define MK_CACHES_LAG -27

/**
 * The archive is open for reading only.
 */
#define MK_READ_ONLY -28

/**
 * A compaction by another process has removed a file that an archive opened for reading knew. Refresh it, and call again.
 */
#define MK_SNAPSHOT_GONE -29

/**
 * Bytes on disk are not what was written.
 */
#define MK_DAMAGE -40

/**
 * There is no archive in this folder.
 */
#define MK_NOT_AN_ARCHIVE -41

/**
 * Both copies of an identity file are damaged.
 */
#define MK_BROKEN_IDENTITY -42

/**
 * An identity file was replaced by an older state.
 */
#define MK_IDENTITY_OLDER -43

/**
 * An identity file is not the one that was recorded.
 */
#define MK_IDENTITY_CHANGED -44

/**
 * Written in a newer format.
 */
#define MK_FORMAT_TOO_NEW -45

/**
 * Written in a format that is no longer read.
 */
#define MK_FORMAT_TOO_OLD -46

/**
 * Written by a newer version in a way that allows reading alone.
 */
#define MK_TOO_NEW_TO_WRITE -47

/**
 * Something that must be understood is unknown.
 */
#define MK_UNKNOWN_FEATURE -48

/**
 * The creation of an archive was cut short in this folder.
 */
#define MK_UNFINISHED_CREATION -49

/**
 * A name that was to be created exists.
 */
#define MK_EXISTS -50

/**
 * The folder of a store is missing.
 */
#define MK_STORE_MISSING -51

/**
 * The store takes no mail until it is repaired.
 */
#define MK_NEEDS_REPAIR -52

/**
 * The store is an older state of itself, or another store.
 */
#define MK_ROLLED_BACK -53

/**
 * The index failed; rebuild it.
 */
#define MK_INDEX -54

/**
 * The index was written by an earlier version.
 */
#define MK_INDEX_OLDER -55

/**
 * No store takes new mail; make one current, or create one.
 */
#define MK_NO_CURRENT_STORE -56

/**
 * A store is not open, and what was asked for needs all of them.
 */
#define MK_STORE_NOT_OPEN -57

/**
 * A store is disabled: the reason for which it is not open.
 */
#define MK_STORE_IS_DISABLED -58

/**
 * Messages and folders of a store must not change.
 */
#define MK_STORE_IS_WRITE_PROTECTED -59

/**
 * A store could not be closed, since calls still use it.
 */
#define MK_STORE_BUSY -60

/**
 * Another store has this name.
 */
#define MK_STORE_EXISTS -61

/**
 * The folder has no store of this archive.
 */
#define MK_NOT_A_STORE -62

/**
 * The key opens no slot of the archive.
 */
#define MK_WRONG_KEY -70

/**
 * The key is malformed.
 */
#define MK_BAD_KEY -71

/**
 * The actor may not do this.
 */
#define MK_DENIED -72

/**
 * No such message.
 */
#define MK_NO_SUCH_MESSAGE -80

/**
 * No such part.
 */
#define MK_NO_SUCH_PART -81

/**
 * No such folder.
 */
#define MK_NO_SUCH_FOLDER -82

/**
 * No such store.
 */
#define MK_NO_SUCH_STORE -83

/**
 * The path names several folders.
 */
#define MK_AMBIGUOUS_FOLDER -84

/**
 * The bytes are never a mail.
 */
#define MK_NOT_A_MAIL -85

/**
 * The source could not be read at all.
 */
#define MK_SOURCE -86

/**
 * The query cannot be understood.
 */
#define MK_QUERY -87

/**
 * The message was deleted; `mk_session_undelete` brings it back.
 */
#define MK_DELETED -88

/**
 * There is a folder of this path.
 */
#define MK_FOLDER_EXISTS -89

/**
 * The folder, or one below it, has messages.
 */
#define MK_FOLDER_NOT_EMPTY -90

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Opens the archive in a folder.
 */
MK_API
mk_status mk_archive_open(mk_archive **archive,
                          const char *folder,
                          size_t folder_length,
                          const mk_key *given,
                          const mk_open_options *given_options,
                          mk_error *error);

/**
 * Begins an archive in a folder, whose first user archive is called `owner`. Nothing is on disk before
 * `mk_new_archive_commit`: keep its keys first.
 */
MK_API
mk_status mk_new_archive_begin(mk_new_archive **new_archive,
                               const char *folder,
                               size_t folder_length,
                               const char *owner,
                               size_t owner_length,
                               const mk_create_options *given,
                               mk_error *error);

/**
 * The recovery key, for its owner to write down: it cannot be shown again.
 */
MK_API
mk_status mk_new_archive_recovery_key(mk_buffer **key,
                                      const mk_new_archive *new_archive,
                                      mk_error *error);

/**
 * The text for a key file outside the archive; empty if none was wanted.
 */
MK_API mk_status mk_new_archive_key_file(mk_buffer **key, const mk_new_archive *new_archive, mk_error *error);

/**
 * The id that the archive will have: 32 hex digits.
 */
MK_API mk_status mk_new_archive_id(mk_buffer **id, const mk_new_archive *new_archive, mk_error *error);

/**
 * Creates the archive and opens it. `MK_MISUSE` if none of its keys was asked for: ask, and commit again. Otherwise `new_archive`
 * is spent, whatever this returns: each further call with it is `MK_MISUSE`, but for `mk_new_archive_free`, which is still needed.
 */
MK_API
mk_status mk_new_archive_commit(mk_archive **archive,
                                const mk_new_archive *new_archive,
                                mk_error *error);

/**
 * Frees it. If it was not committed, nothing is created.
 */
MK_API mk_status mk_new_archive_free(mk_new_archive *new_archive);

/**
 * The id of the archive in a folder, without a key: 32 hex digits.
 */
MK_API mk_status mk_archive_id_of(mk_buffer **id, const char *folder, size_t folder_length, mk_error *error);

/**
 * What opens the archive in a folder, for people who look for the right key.
 */
MK_API
mk_status mk_archive_opens_with(mk_buffer **text,
                                const char *folder,
                                size_t folder_length,
                                mk_error *error);

/**
 * Whether a path, which need not exist, is or leads into a folder with an archive, also by links: 1 or 0.
 */
MK_API
mk_status mk_archive_lies_in(int32_t *is_inside,
                             const char *folder,
                             size_t folder_length,
                             const char *other,
                             size_t other_length,
                             mk_error *error);

/**
 * An archive as JSON: `id`, `folder`, `owner`, what its open found (`damage`, `barred`, `notices`, `recovered`), whether it
 * is only read (`read_only`), and whether catalog or index then lack more than is applied in memory (`lags`).
 */
MK_API
mk_status mk_archive_info(mk_buffer **info,
                          const mk_archive *archive,
                          mk_error *error);

/**
 * Notes on disk that everything up to the last commit is synced. An archive does this by itself within a second.
 */
MK_API
mk_status mk_archive_mark(const mk_archive *archive,
                          mk_error *error);

/**
 * Shows what was committed since an archive was opened with `MK_OPEN_READ_ONLY`, or refreshed last. Calls under way and
 * streams that were begun go on with what they saw; lists and searches go on in the new state. Does nothing to an archive
 * that is open for writing.
 */
MK_API
mk_status mk_archive_refresh(const mk_archive *archive,
                             mk_error *error);

/**
 * Closes an archive and frees its handle, and those of its sessions, searches and streams. A frozen one is thawed. It waits for
 * calls under way; cancel them first if they are long. Threads have ended and locks are free when it returns, whatever it returns.
 * `MK_MISUSE` in a callback: then nothing is closed.
 */
MK_API
mk_status mk_archive_close(mk_archive *archive,
                           const mk_progress *given,
                           mk_error *error);

/**
 * The bytes of a buffer, which live until it is freed.
 */
MK_API mk_status mk_buffer_get(mk_text *bytes, const mk_buffer *buffer, mk_error *error);

/**
 * Frees a buffer.
 */
MK_API mk_status mk_buffer_free(mk_buffer *buffer);

/**
 * Deletes messages, all of them or none: durable when this returns. They leave lists, counts and searches at once;
 * `mk_session_undelete` brings them back. `reason`, which must not be empty and has at most 1 KiB, is recorded. `report` gets JSON:
 * `deleted`, `already_deleted`. `MK_NO_SUCH_MESSAGE` if an id is not there; then nothing was changed.
 */
MK_API
mk_status mk_session_delete(mk_buffer **report,
                            const mk_session *of,
                            const mk_message_id *ids,
                            size_t count,
                            const char *reason,
                            size_t reason_length,
                            uint32_t flags,
                            mk_error *error);

/**
 * Brings deleted messages back, all of them or none, as `mk_session_delete` deletes them; `reason` is needed too. They keep their
 * ids, and get the next numbers of their folders. `report` gets JSON: `undeleted`, `not_deleted`.
 */
MK_API
mk_status mk_session_undelete(mk_buffer **report,
                              const mk_session *of,
                              const mk_message_id *ids,
                              size_t count,
                              const char *reason,
                              size_t reason_length,
                              mk_error *error);

/**
 * A page of at most `most` deleted messages, in the order of their numbers, as JSON: `items`, `cursor`. An item is a
 * message with `deleted`, `deleted_by` and `reason`. `cursor` is NULL for the first page.
 */
MK_API
mk_status mk_session_deleted(mk_buffer **json,
                             const mk_session *of,
                             const char *cursor,
                             size_t cursor_length,
                             size_t most,
                             mk_error *error);

/**
 * Erases what was deleted from every file of the archive, but for stores that are not open or write-protected, and removes what is in `lost+found`. What is erased cannot be
 * brought back; everything else keeps its id, and can be read and archived meanwhile. If it is ended or the process dies,
 * the next call goes on with it. `report` gets JSON: `erased`, `resumed`, `containers`, `records`, `lost_found`,
 * `bytes_before`, `bytes_after`, `left`: files that could not be rewritten, which is no failure of the call; the next one
 * tries again. `MK_DENIED` for a user; `MK_MISUSE` while another compaction, or a rebuild of the index, is under way.
 */
MK_API
mk_status mk_session_compact(mk_buffer **report,
                             const mk_session *of,
                             uint32_t flags,
                             const mk_progress *given,
                             mk_error *error);

/**
 * Makes an error object.
 */
MK_API mk_status mk_error_new(mk_error **error);

/**
 * The status of the last call that failed with this object; `MK_OK` if none did.
 */
MK_API mk_status mk_error_status(const mk_error *error);

/**
 * A stable name of that error, such as `wrong_key`; empty if there is none. It lives until the next call that fails with this
 * object, as do the other texts of it.
 */
MK_API
mk_status mk_error_code(mk_text *code,
                        const mk_error *error);

/**
 * What went wrong, where, and what to do: one sentence in English.
 */
MK_API mk_status mk_error_message(mk_text *message, const mk_error *error);

/**
 * The same as a JSON object: `code`, `message`, `retryable`, and fields of the error, such as `file`, or `start` and `end` of
 * the bytes of a query.
 */
MK_API
mk_status mk_error_json(mk_text *json,
                        const mk_error *error);

/**
 * Frees an error object.
 */
MK_API mk_status mk_error_free(mk_error *error);

/**
 * Writes messages into a folder, which is created if missing. `report` gets the totals as JSON.
 */
MK_API
mk_status mk_session_export(mk_buffer **report,
                            const mk_session *of,
                            const char *destination,
                            size_t destination_length,
                            const mk_export_options *given,
                            mk_error *error);

/**
 * Writes one mbox of the messages to a function, folder by folder. Of the options, `format` and `flags` have no effect.
 */
MK_API
mk_status mk_session_export_mbox(mk_buffer **report,
                                 const mk_session *of,
                                 mk_write_fn write,
                                 void *payload,
                                 const mk_export_options *given,
                                 mk_error *error);

/**
 * Makes a folder, and the folders above it that do not exist. `report` gets what was done, as JSON: `made`, `moved`,
 * `removed`.
 */
MK_API
mk_status mk_session_make_folder(mk_buffer **report,
                                 const mk_session *of,
                                 const char *path,
                                 size_t path_length,
                                 uint32_t flags,
                                 mk_error *error);

/**
 * Gives a folder another name. `report` gets what was done, as JSON.
 */
MK_API
mk_status mk_session_rename_folder(mk_buffer **report,
                                   const mk_session *of,
                                   const char *path,
                                   size_t path_length,
                                   const char *name,
                                   size_t name_length,
                                   uint32_t flags,
                                   mk_error *error);

/**
 * Makes `to` the path of the folder `from`, with everything in it. Folders above `to` that do not exist are made. Nothing
 * that names a folder by its path follows. `report` gets what was done, as JSON.
 */
MK_API
mk_status mk_session_move_folder(mk_buffer **report,
                                 const mk_session *of,
                                 const char *from,
                                 size_t from_length,
                                 const char *to,
                                 size_t to_length,
                                 uint32_t flags,
                                 mk_error *error);

/**
 * Removes a folder and all folders below it, if none of them has a message. `report` gets what was done, as JSON.
 */
MK_API
mk_status mk_session_remove_folder(mk_buffer **report,
                                   const mk_session *of,
                                   const char *path,
                                   size_t path_length,
                                   uint32_t flags,
                                   mk_error *error);

/**
 * Removes all folders that have no message in themselves and in the folders below them; with a folder, of that folder and
 * those below it. User archives stay. `report` gets what was done, as JSON.
 */
MK_API
mk_status mk_session_prune_folders(mk_buffer **report,
                                   const mk_session *of,
                                   const char *path,
                                   size_t path_length,
                                   uint32_t flags,
                                   mk_error *error);

/**
 * Holds everything that changes a file of the archive, for at most `max_ms` milliseconds, so that its folder can be copied,
 * or a snapshot of its volume taken: such a copy has all mail that had a receipt before. Reading and searching go on; other
 * calls wait, in this thread too, until `mk_frozen_thaw`, `mk_frozen_free`, or the time is over. `mk_archive_close` thaws
 * at once. `MK_MISUSE` if the archive is frozen already.
 */
MK_API
mk_status mk_archive_freeze(mk_frozen **frozen,
                            const mk_archive *archive,
                            uint64_t max_ms,
                            mk_error *error);

/**
 * Lets the archive change again. `held` gets 1 if nothing had changed until now, and 0 if the time was over: then a copy
 * that was not complete by then must not be used. `frozen` is spent: a second call is `MK_MISUSE`, and `mk_frozen_free` is still needed. If
 * the archive was closed before, the handle was freed with it (`MK_BAD_HANDLE`), and the copy must not be used.
 */
MK_API
mk_status mk_frozen_thaw(int32_t *held,
                         const mk_frozen *frozen,
                         mk_error *error);

/**
 * Frees it, and lets the archive change again if it was not thawed.
 */
MK_API mk_status mk_frozen_free(mk_frozen *frozen);

/**
 * Imports everything in a source. What has a receipt is durable, whatever happens later. `report` gets the totals as JSON:
 * `read` = `stored` + `duplicate` + `failed`; `restated`: duplicates that differ in headers that mail programs change; `deleted`:
 * skipped because their program had marked them; `incomplete`: of which the source has only a part; `skipped_files` and
 * `unsupported_files`; `bytes_in`; `folder`, the destination; `stopped`: the progress or its cancellation ended the import.
 */
MK_API
mk_status mk_session_import(mk_buffer **report,
                            const mk_session *of,
                            const mk_source *source,
                            const mk_import_options *given,
                            mk_error *error);

/**
 * Archives one mail in a folder, which is created if missing. The mail is durable when this returns.
 */
MK_API
mk_status mk_session_import_one(mk_receipt *receipt,
                                const mk_session *of,
                                const void *mail,
                                size_t mail_length,
                                const char *into,
                                size_t into_length,
                                mk_error *error);

/**
 * Where `mk_session_import` would put the mails of a source: the folder, as text. Nothing is read of a stream.
 */
MK_API
mk_status mk_session_import_target(mk_buffer **folder,
                                   const mk_session *of,
                                   const mk_source *source,
                                   const mk_import_options *given,
                                   mk_error *error);

/**
 * Reads a source as an import does, archives nothing, and returns where its mails would go, as JSON: `folders`, `source`.
 */
MK_API
mk_status mk_session_import_plan(mk_buffer **plan,
                                 const mk_session *of,
                                 const mk_source *source,
                                 const mk_import_options *given,
                                 mk_error *error);

/**
 * Checks whether every mail of a source is in the archive with exactly its bytes, apart from headers that mail programs
 * change. `report` gets the totals as JSON; the events name each mail that is missing.
 */
MK_API
mk_status mk_session_check(mk_buffer **report,
                           const mk_session *of,
                           const mk_source *source,
                           const mk_import_options *given,
                           mk_error *error);

/**
 * The files in `lost+found`, as JSON: what opens cut after the last durable commit.
 */
MK_API mk_status mk_session_lost_files(mk_buffer **json, const mk_session *of, mk_error *error);

/**
 * Passes the mails in `lost+found` to a function, one at a time. `report` gets the totals as JSON.
 */
MK_API
mk_status mk_session_lost_mails(mk_buffer **report,
                                const mk_session *of,
                                mk_lost_mail_fn visit,
                                void *payload,
                                mk_error *error);

/**
 * Imports the mails of `lost+found` into the folders that they were meant for. `report` gets the totals as JSON. Of the
 * events, only receipts come, and none ends it.
 */
MK_API
mk_status mk_session_import_lost(mk_buffer **report,
                                 const mk_session *of,
                                 const mk_import_events *given,
                                 mk_error *error);

/**
 * What opens an archive, as JSON: `slots`, `recovery_identifier`, `recovery_key`.
 */
MK_API mk_status mk_key_status(mk_buffer **json, const mk_archive *archive, mk_error *error);

/**
 * Tries a key on the archive in a folder, and returns the slot that it opens, as JSON. Nothing else is opened.
 */
MK_API
mk_status mk_key_test(mk_buffer **json,
                      const char *folder,
                      size_t folder_length,
                      const mk_key *given,
                      mk_error *error);

/**
 * Notes that the recovery key is at hand, if this is it.
 */
MK_API mk_status mk_key_confirm_recovery(const mk_archive *archive, const mk_key *given, mk_error *error);

/**
 * Adds a passphrase that opens the archive. `json` gets its slot.
 */
MK_API
mk_status mk_key_add_passphrase(mk_buffer **json,
                                const mk_archive *archive,
                                const char *passphrase,
                                size_t passphrase_length,
                                mk_error *error);

/**
 * Removes the passphrase with this slot, such as `1f2e3d4c`.
 */
MK_API
mk_status mk_key_remove_passphrase(const mk_archive *archive,
                                   const char *slot,
                                   size_t slot_length,
                                   mk_error *error);

/**
 * The version of the interface of the library that is loaded: compare it with `MK_ABI_VERSION`.
 */
MK_API uint32_t mk_library_abi(void);

/**
 * The version of the library, such as `0.2.0`: text that ends with a zero byte and lives for ever.
 */
MK_API const char *mk_library_version(void);

/**
 * 1 if the library has the feature of this name, else 0.
 */
MK_API int32_t mk_library_has(const char *name, size_t length);

/**
 * How many handles are in use: 0 after everything was freed.
 */
MK_API mk_status mk_library_handles(uint64_t *count, mk_error *error);

/**
 * Panics inside the library, for tests of programs that embed it: the result is `MK_BUG`, and nothing else happens.
 */
MK_API
mk_status mk_library_panic(mk_error *error);

/**
 * The name of a status, such as `wrong_key`: text that ends with a zero byte and lives for ever. `other` for a number that
 * this version does not know.
 */
MK_API
const char *mk_status_name(mk_status status);

/**
 * Writes a message's id as it is printed, such as `1:42`, and a zero byte. `needed`, which may be NULL, gets the length with
 * the zero byte, also with `MK_BUFFER_TOO_SMALL`.
 */
MK_API
mk_status mk_message_id_print(char *buffer,
                              size_t size,
                              size_t *needed,
                              mk_message_id id,
                              mk_error *error);

/**
 * Reads a message's id from text such as `1:42`.
 */
MK_API mk_status mk_message_id_read(mk_message_id *id, const char *data, size_t length, mk_error *error);

/**
 * A page of at most `most` folders with their counts, sorted by path. `cursor` is NULL for the first page.
 */
MK_API
mk_status mk_session_folders(mk_page **page,
                             const mk_session *of,
                             const char *cursor,
                             size_t cursor_length,
                             size_t most,
                             mk_error *error);

/**
 * The folders directly in a folder, on one page; without a folder, the user archives.
 */
MK_API
mk_status mk_session_folders_in(mk_page **page,
                                const mk_session *of,
                                const char *path,
                                size_t path_length,
                                mk_error *error);

/**
 * A page of at most `most` messages of a folder, newest first; with NULL for the folder, of all messages in the order of
 * their numbers. `cursor` is NULL for the first page.
 */
MK_API
mk_status mk_session_messages(mk_page **page,
                              const mk_session *of,
                              const char *path,
                              size_t path_length,
                              const char *cursor,
                              size_t cursor_length,
                              size_t most,
                              mk_error *error);

/**
 * What lists show of a message, as a page of one row.
 */
MK_API mk_status mk_session_message(mk_page **page, const mk_session *of, mk_message_id id, mk_error *error);

/**
 * The thread of a message, oldest first, on one page: the messages that refer to each other. At most 10,000.
 */
MK_API
mk_status mk_session_thread(mk_page **page,
                            const mk_session *of,
                            mk_message_id id,
                            const mk_progress *given,
                            mk_error *error);

/**
 * How a folder's path is read: the names of its parts, as JSON. `MK_MISUSE` if it is not one.
 */
MK_API mk_status mk_folder_names(mk_buffer **json, const char *path, size_t path_length, mk_error *error);

/**
 * What a page has.
 */
MK_API mk_status mk_page_get_info(mk_page_info *info, const mk_page *page, mk_error *error);

/**
 * A row of a page of messages. `MK_END` after the last one, and on a page of folders.
 */
MK_API mk_status mk_page_message(mk_message *message, const mk_page *page, size_t row, mk_error *error);

/**
 * A row of a page of folders. `MK_END` after the last one, and on a page of messages.
 */
MK_API mk_status mk_page_folder(mk_folder *folder, const mk_page *page, size_t row, mk_error *error);

/**
 * A page as JSON: all `items` with all of their fields, the `cursor`, and of a search its counts, snippets, notices and
 * what else it found.
 */
MK_API
mk_status mk_page_json(mk_buffer **json,
                       const mk_page *page,
                       mk_error *error);

/**
 * Frees a page.
 */
MK_API mk_status mk_page_free(mk_page *page);

/**
 * Makes an object that ends calls.
 */
MK_API mk_status mk_cancel_new(mk_cancel **cancel, mk_error *error);

/**
 * Ends the calls that use it, soon, and those that begin with it later.
 */
MK_API mk_status mk_cancel_now(const mk_cancel *cancel, mk_error *error);

/**
 * Frees it. Calls that use it go on.
 */
MK_API mk_status mk_cancel_free(mk_cancel *cancel);

/**
 * The exact bytes of a message, checked against their digest.
 */
MK_API mk_status mk_session_raw(mk_buffer **bytes, const mk_session *of, mk_message_id id, mk_error *error);

/**
 * Passes the bytes of a message to a function, in pieces. A mail of up to 16 MiB is checked before the first piece; reading
 * a larger one may end in an error, and then none of it must be used.
 */
MK_API
mk_status mk_session_read(const mk_session *of,
                          mk_message_id id,
                          mk_write_fn write,
                          void *payload,
                          mk_error *error);

/**
 * The same, of the bytes from `from` to before `to`. Of a mail above 16 MiB no more is read than up to there, so that its
 * digest is not checked.
 */
MK_API
mk_status mk_session_read_range(const mk_session *of,
                                mk_message_id id,
                                uint64_t from,
                                uint64_t to,
                                mk_write_fn write,
                                void *payload,
                                mk_error *error);

/**
 * The same, of the header as it is, without the empty line after it.
 */
MK_API
mk_status mk_session_read_header(const mk_session *of,
                                 mk_message_id id,
                                 mk_write_fn write,
                                 void *payload,
                                 mk_error *error);

/**
 * A message as a person reads it, as JSON: `header`, and `parts` with `number`, `type`, `name`, `size`, `attachment`, `text`.
 */
MK_API
mk_status mk_session_parts(mk_buffer **json,
                           const mk_session *of,
                           mk_message_id id,
                           mk_error *error);

/**
 * Passes the decoded bytes of one part, from `from` on, to a function, in pieces.
 */
MK_API
mk_status mk_session_read_part(const mk_session *of,
                               mk_message_id id,
                               uint32_t part,
                               uint64_t from,
                               mk_write_fn write,
                               void *payload,
                               mk_error *error);

/**
 * Passes the decoded bytes of some parts to a function, in one pass over the message. Each part comes at least once, even
 * if it is empty.
 */
MK_API
mk_status mk_session_read_parts(const mk_session *of,
                                mk_message_id id,
                                const uint32_t *parts,
                                size_t count,
                                mk_write_part_fn write,
                                void *payload,
                                mk_error *error);

/**
 * Everything that the archive knows of a message, as JSON.
 */
MK_API mk_status mk_session_record(mk_buffer **json, const mk_session *of, mk_message_id id, mk_error *error);

/**
 * Searches once, and returns a page. A request is JSON: `{"query":"invoice","limit":50}`. Without `limit`, the page has all hits.
 * It may have instead of `query` the `criteria` of docs/SEARCH.md, and `after` (a cursor), `now` (milliseconds), `counts` (such as
 * `["year","from"]`), `snippets`, `subject_words`, `suggestions` and `once` (`true`).
 */
MK_API
mk_status mk_session_search(mk_page **page,
                            const mk_session *of,
                            const char *json,
                            size_t json_length,
                            const mk_progress *given,
                            mk_error *error);

/**
 * Begins a search that is read page by page with `mk_search_next`. It runs once, and all hits cost one pass. What `given`
 * names, its callback and payload, must live until the search is freed.
 */
MK_API
mk_status mk_search_begin(mk_search **search,
                          const mk_session *of,
                          const char *json,
                          size_t json_length,
                          const mk_progress *given,
                          mk_error *error);

/**
 * The next page of a search, of at most `most` hits; 0 is the `limit` of the request, or all that are left if it has none.
 * `MK_END` after the last one; there is always a first one. `MK_BUSY` while another call reads from it.
 */
MK_API
mk_status mk_search_next(mk_page **page,
                         const mk_search *search,
                         size_t most,
                         mk_error *error);

/**
 * Frees a search, read to its end or not.
 */
MK_API mk_status mk_search_free(mk_search *search);

/**
 * How the query of a request is read, clause by clause, and what each clause finds alone, as JSON.
 */
MK_API
mk_status mk_session_explain(mk_buffer **clauses,
                             const mk_session *of,
                             const char *json,
                             size_t json_length,
                             const mk_progress *given,
                             mk_error *error);

/**
 * Which clauses of a request a message meets, and in which fields their words are, as JSON.
 */
MK_API
mk_status mk_session_why(mk_buffer **verdicts,
                         const mk_session *of,
                         mk_message_id id,
                         const char *json,
                         size_t json_length,
                         const mk_progress *given,
                         mk_error *error);

/**
 * Of the first `most` messages for which text that could not be read would decide: what could not be read, and why, as JSON.
 */
MK_API
mk_status mk_session_undecided(mk_buffer **parts,
                               const mk_session *of,
                               const char *json,
                               size_t json_length,
                               size_t most,
                               const mk_progress *given,
                               mk_error *error);

/**
 * Reads a query or criteria and returns them as the versioned JSON form that can be kept, such as for a saved search. `MK_QUERY` with
 * the bytes at fault in the error's JSON if they cannot be understood.
 */
MK_API
mk_status mk_criteria_read(mk_buffer **criteria,
                           const char *json,
                           size_t json_length,
                           mk_error *error);

/**
 * Makes a session. `user` is NULL for the program itself, which sees and does everything; for a person it is JSON such as
 * `{"name":"anna","folders":[{"path":"anna","subfolders":true}]}`: the folders that they see.
 */
MK_API
mk_status mk_session_begin(mk_session **new_session,
                           const mk_archive *archive,
                           const char *user,
                           size_t user_length,
                           mk_error *error);

/**
 * Frees a session. Its searches and streams go on.
 */
MK_API mk_status mk_session_free(mk_session *session);

/**
 * The stores of the archive, by number, as JSON: `items`, each with `number`, `name`, `id`, `state` (`current`, `normal`,
 * `writeProtected`, `disabled`), `open`, `error` and `error_code` (null unless it should be open and is not), `dir`,
 * `content_dir`, `index_dir`, `stats`. `MK_DENIED` for a user.
 */
MK_API
mk_status mk_session_stores(mk_buffer **json,
                            const mk_session *of,
                            uint32_t flags,
                            mk_error *error);

/**
 * Creates a store. `store` gets its number. Folders are created; those that exist must be empty. `MK_STORE_EXISTS` if
 * another store has the name.
 */
MK_API
mk_status mk_session_create_store(uint32_t *store,
                                  const mk_session *of,
                                  const char *name,
                                  size_t name_length,
                                  uint32_t requested_state,
                                  const mk_store_dirs *where_to,
                                  mk_error *error);

/**
 * Makes a store that was detached part of the archive again. `store` gets its number, which is the one that it had. Its
 * folder is `dir` of `where_from`. `MK_NOT_A_STORE` if there is no store of this archive; `MK_STORE_NOT_OPEN` if it was
 * attached and cannot be opened.
 */
MK_API
mk_status mk_session_attach_store(uint32_t *store,
                                  const mk_session *of,
                                  const char *name,
                                  size_t name_length,
                                  uint32_t requested_state,
                                  const mk_store_dirs *where_from,
                                  mk_error *error);

/**
 * Takes a store out of the archive. Its files stay as they are; its messages are in no list and no search until it is
 * attached again. Waits up to 10 s for calls that use it: `MK_STORE_BUSY` if they go on, and nothing was changed.
 * `MK_MISUSE` for the only store.
 */
MK_API
mk_status mk_session_detach_store(const mk_session *of,
                                  uint32_t store,
                                  const mk_progress *given,
                                  mk_error *error);

/**
 * Gives a store another name. Its folders keep theirs.
 */
MK_API
mk_status mk_session_rename_store(const mk_session *of,
                                  uint32_t store,
                                  const char *name,
                                  size_t name_length,
                                  mk_error *error);

/**
 * Puts a store into a state. One that is to be disabled is closed once calls that use it have ended, for which it waits
 * up to 10 s: `MK_STORE_BUSY` if they go on, and nothing was changed. `MK_STORE_NOT_OPEN` if it cannot be opened: the state
 * is recorded, and `mk_session_retry_open_stores` tries again.
 */
MK_API
mk_status mk_session_set_store_state(const mk_session *of,
                                     uint32_t store,
                                     uint32_t requested_state,
                                     const mk_progress *given,
                                     mk_error *error);

/**
 * Records where the files of a disabled store are, after they were moved: this moves nothing. `MK_MISUSE` if it is not
 * disabled.
 */
MK_API
mk_status mk_session_set_store_dirs(const mk_session *of,
                                    uint32_t store,
                                    const mk_store_dirs *new_dirs,
                                    mk_error *error);

/**
 * When a new store is made by itself: text, such as `messages:5000000`.
 */
MK_API mk_status mk_session_store_rule(mk_buffer **rule, const mk_session *of, mk_error *error);

/**
 * Says when a new store is made by itself: `never`, `messages:N` (when the current store has so many), `bytes:N` (when its
 * mails have so many bytes, each counted once), `monthly` or `quarterly`. It is named after the month, such as `2026-12`,
 * lies within the archive, and takes new mail.
 */
MK_API
mk_status mk_session_set_store_rule(const mk_session *of,
                                    const char *rule,
                                    size_t rule_length,
                                    mk_error *error);

/**
 * Tries again to open the stores that could not be opened. `errors` gets why some still cannot, as JSON: `items`, each
 * with `code`, `message`, `store` (its name) and `why` (the code of the reason). None is a failure of the call.
 */
MK_API
mk_status mk_session_retry_open_stores(mk_buffer **errors,
                                       const mk_session *of,
                                       const mk_progress *given,
                                       mk_error *error);

/**
 * The same as `mk_session_compact` for one store, by number. `MK_STORE_IS_WRITE_PROTECTED` if it must not change.
 */
MK_API
mk_status mk_session_compact_store(mk_buffer **report,
                                   const mk_session *of,
                                   uint32_t store,
                                   uint32_t flags,
                                   const mk_progress *given,
                                   mk_error *error);

/**
 * Opens the bytes of a mail, or of one of its parts, as a stream. `part` is `MK_WHOLE_MAIL`, or the number of a part that
 * has bytes, which come decoded.
 */
MK_API
mk_status mk_stream_open(mk_stream **stream,
                         const mk_session *of,
                         mk_message_id id,
                         uint32_t part,
                         mk_error *error);

/**
 * Reads at most `length` bytes into `data`; `read` gets how many. `MK_END` at the end. If it fails, what came before must
 * not be used: the mail is damaged.
 */
MK_API
mk_status mk_stream_read(size_t *read,
                         const mk_stream *of,
                         void *data,
                         size_t length,
                         mk_error *error);

/**
 * Frees a stream, read or not.
 */
MK_API mk_status mk_stream_free(mk_stream *stream);

/**
 * Totals and disk usage, as JSON.
 */
MK_API
mk_status mk_session_stats(mk_buffer **json,
                           const mk_session *of,
                           const mk_progress *given,
                           mk_error *error);

/**
 * Media types of attachments that are not searched, each with the number of contents, as JSON.
 */
MK_API
mk_status mk_session_types_not_read(mk_buffer **json,
                                    const mk_session *of,
                                    const mk_progress *given,
                                    mk_error *error);

/**
 * A page of the parts that searches cannot look into, as JSON: `items`, `cursor`. `cursor` is NULL for the first page.
 */
MK_API
mk_status mk_session_not_searchable(mk_buffer **json,
                                    const mk_session *of,
                                    const char *cursor,
                                    size_t cursor_length,
                                    size_t most,
                                    mk_error *error);

/**
 * Reads everything and checks everything. With `MK_VERIFY_PART`, part `part` of `parts`, counted from 1; else both are 0
 * (`MK_MISUSE`).
 * `report` gets what was read and found, as JSON; damage is no failure of the call.
 */
MK_API
mk_status mk_session_verify(mk_buffer **report,
                            const mk_session *of,
                            uint32_t depth,
                            uint32_t part,
                            uint32_t parts,
                            const mk_progress *given,
                            mk_error *error);

/**
 * Makes an archive that refuses mail accept it again. `report` gets what was done, as JSON. Close the archive afterwards and
 * open it again.
 */
MK_API
mk_status mk_session_repair(mk_buffer **report,
                            const mk_session *of,
                            uint32_t flags,
                            mk_error *error);

/**
 * The indexes of a store, or of all with 0, as JSON.
 */
MK_API
mk_status mk_session_store_indexes(mk_buffer **json,
                                   const mk_session *of,
                                   uint32_t store,
                                   mk_error *error);

/**
 * Rebuilds the index of a store from its mails. Until it is done, searches use the old one, which stays if the call is ended.
 * `MK_MISUSE` while a compaction is under way.
 */
MK_API
mk_status mk_session_rebuild_store_index(const mk_session *of,
                                         uint32_t store,
                                         const mk_progress *given,
                                         mk_error *error);

/**
 * Marks all indexes for `mk_session_rebuild_selected_store_indexes`.
 */
MK_API mk_status mk_session_select_all_store_indexes(const mk_session *of, mk_error *error);

/**
 * Rebuilds the indexes that are marked or need it. `rebuilt` gets how many. `MK_MISUSE` while a compaction is under way.
 */
MK_API
mk_status mk_session_rebuild_selected_store_indexes(uint64_t *rebuilt,
                                                    const mk_session *of,
                                                    const mk_progress *given,
                                                    mk_error *error);

/**
 * What the index covers besides text, as JSON: `types`, the media types of attachments that are to be searched.
 */
MK_API
mk_status mk_session_index_configuration(mk_buffer **json,
                                         const mk_session *of,
                                         mk_error *error);

/**
 * Sets what the index covers from now on: JSON such as `{"types":["application/pdf"]}`.
 */
MK_API
mk_status mk_session_set_index_configuration(const mk_session *of,
                                             const char *json,
                                             size_t json_length,
                                             mk_error *error);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* MAILKEEP_H */
