// The C interface, version 1, as it is in bindings/c/include/mailkeep.h: every constant, struct and function under its
// C name, and nothing else. The tests compare all three with the header.
//
// Handles that C takes are SafeHandles, so that none is freed during a call that uses it; for the rows of a page they are
// numbers, because counting who uses a handle costs as much as a row. Functions of the caller are pointers: Callbacks has
// the delegates.
using System;
using System.Runtime.InteropServices;

namespace Mailkeep
{
    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_text
    {
        internal byte* data;
        internal UIntPtr length;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_answer
    {
        internal uint size;
        internal uint kind;
        internal byte* data;
        internal UIntPtr length;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_key
    {
        internal uint size;
        internal uint kind;
        internal byte* data;
        internal UIntPtr length;
        internal IntPtr prompt;
        internal IntPtr payload;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_step
    {
        internal uint size;
        internal uint unit;
        internal ulong done;
        internal ulong total;
        internal mk_text activity;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_progress
    {
        internal uint size;
        internal uint reserved;
        internal IntPtr cancel;
        internal IntPtr report;
        internal IntPtr payload;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_open_options
    {
        internal uint size;
        internal uint flags;
        internal ulong memory;
        internal ulong container_limit;
        internal IntPtr log;
        internal IntPtr log_payload;
        internal mk_progress* progress;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_create_options
    {
        internal uint size;
        internal uint flags;
        internal byte* passphrase;
        internal UIntPtr passphrase_length;
        internal mk_open_options* open;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_export_options
    {
        internal uint size;
        internal uint flags;
        internal uint format;
        internal uint reserved;
        internal byte* folder;
        internal UIntPtr folder_length;
        internal byte* query;
        internal UIntPtr query_length;
        internal mk_progress* progress;
        internal IntPtr failed;
        internal IntPtr failed_payload;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_store_dirs
    {
        internal uint size;
        internal uint reserved;
        internal byte* dir;
        internal UIntPtr dir_length;
        internal byte* content_dir;
        internal UIntPtr content_dir_length;
        internal byte* index_dir;
        internal UIntPtr index_dir_length;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_source
    {
        internal uint size;
        internal uint reserved;
        internal byte* path;
        internal UIntPtr path_length;
        internal IntPtr read;
        internal IntPtr payload;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_receipt
    {
        internal uint size;
        internal uint outcome;
        internal ulong id;
        internal fixed byte digest[32];
        internal ulong offset;
        internal mk_text source;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_trouble
    {
        internal uint size;
        internal uint is_loss;
        internal ulong offset;
        internal mk_text source;
        internal mk_text message;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_import_events
    {
        internal uint size;
        internal uint reserved;
        internal IntPtr payload;
        internal IntPtr receipt;
        internal IntPtr trouble;
        internal IntPtr missing;
        internal IntPtr lost;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_import_options
    {
        internal uint size;
        internal uint flags;
        internal uint duplicates;
        internal uint format;
        internal byte* into;
        internal UIntPtr into_length;
        internal mk_progress* progress;
        internal mk_import_events* events;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_page_info
    {
        internal uint size;
        internal uint count;
        internal mk_text cursor;
        internal ulong total;
        internal ulong contents;
        internal ulong not_indexed;
        internal ulong undecided;
        internal uint more;
        internal uint reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_message
    {
        internal uint size;
        internal uint attachments;
        internal ulong id;
        internal long date;
        internal long archived;
        internal ulong bytes;
        internal uint date_origin;
        internal uint direction;
        internal int importance;
        internal uint number_in_folder;
        internal mk_text subject;
        internal mk_text folder;
        internal mk_text from_name;
        internal mk_text from_address;
        internal mk_text to_name;
        internal mk_text to_address;
        internal mk_text snippet;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal unsafe struct mk_folder
    {
        internal uint size;
        internal uint epoch;
        internal mk_text path;
        internal ulong messages;
        internal ulong bytes;
        internal ulong total_messages;
        internal ulong total_bytes;
        internal ulong folders_below;
        internal uint last_number;
        internal uint reserved;
    }

    internal static unsafe class Native
    {
        /// <summary>libmailkeep.so, libmailkeep.dylib or mailkeep.dll.</summary>
        private const string Library = "mailkeep";

        private const CallingConvention Cdecl = CallingConvention.Cdecl;

        internal const uint MK_OPEN_WITHOUT_INDEX = 1;
        internal const uint MK_OPEN_MAPPED = 2;
        internal const uint MK_OPEN_READ_ONLY = 4;
        internal const uint MK_LOG_NOTICE = 1;
        internal const uint MK_LOG_WARNING = 2;
        internal const uint MK_CREATE_WITHOUT_KEY_FILE = 1;
        internal const uint MK_OUTCOME_STORED = 1;
        internal const uint MK_OUTCOME_DUPLICATE = 2;
        internal const uint MK_OUTCOME_RESTATED = 3;
        internal const uint MK_EXPORT_EML = 0;
        internal const uint MK_EXPORT_MBOX = 1;
        internal const uint MK_EXPORT_MAILDIR = 2;
        internal const uint MK_EXPORT_MANIFEST = 1;
        internal const uint MK_EXPORT_UPDATE = 2;
        internal const uint MK_EXPORT_ORIGIN = 4;
        internal const uint MK_IMPORT_WITH_DELETED = 1;
        internal const uint MK_IMPORT_COMMIT_EACH = 2;
        internal const uint MK_IMPORT_LABEL_FOLDERS = 4;
        internal const uint MK_DUPLICATES_FOLDER = 0;
        internal const uint MK_DUPLICATES_EXACT = 1;
        internal const uint MK_DUPLICATES_ARCHIVE = 2;
        internal const uint MK_FORMAT_AUTO = 0;
        internal const uint MK_FORMAT_MBOX = 1;
        internal const uint MK_FORMAT_MBOXO = 2;
        internal const uint MK_FORMAT_MBOXRD = 3;
        internal const uint MK_FORMAT_MBOXCL = 4;
        internal const uint MK_FORMAT_MBOXCL2 = 5;
        internal const uint MK_FORMAT_MMDF = 6;
        internal const uint MK_FORMAT_LISTSERV = 7;
        internal const uint MK_FORMAT_MAILDIR = 8;
        internal const uint MK_FORMAT_MH = 9;
        internal const uint MK_FORMAT_EML = 10;
        internal const uint MK_FORMAT_EMLX = 11;
        internal const uint MK_KEY_FILE = 1;
        internal const uint MK_KEY_RECOVERY = 2;
        internal const uint MK_KEY_PASSPHRASE = 3;
        internal const uint MK_KEY_PROMPT = 4;
        internal const uint MK_ABI_VERSION = 1;
        internal const long MK_NO_DATE = long.MinValue;
        internal const uint MK_DIRECTION_UNKNOWN = 0;
        internal const uint MK_DIRECTION_RECEIVED = 1;
        internal const uint MK_DIRECTION_SENT = 2;
        internal const uint MK_DATE_UNKNOWN = 0;
        internal const uint MK_DATE_MAIL = 1;
        internal const uint MK_DATE_MBOX_LINE = 2;
        internal const uint MK_DATE_MAILDIR_NAME = 3;
        internal const uint MK_DATE_ARCHIVING = 4;
        internal const uint MK_DATE_RECEIVED = 5;
        internal const uint MK_DATE_RECEIVED_FIELD = 6;
        internal const uint MK_UNIT_BYTES = 1;
        internal const uint MK_UNIT_MESSAGES = 2;
        internal const uint MK_UNIT_CONTENTS = 3;
        internal const uint MK_UNIT_COMMITS = 4;
        internal const uint MK_UNIT_STEPS = 5;
        internal const uint MK_WHOLE_MAIL = 4294967295;
        internal const uint MK_VERIFY_EVERYTHING = 0;
        internal const uint MK_VERIFY_STRUCTURE = 1;
        internal const uint MK_VERIFY_PART = 2;
        internal const uint MK_VERIFY_ACCEPT = 256;
        internal const uint MK_FOLDER_DRY_RUN = 1;
        internal const uint MK_DELETE_DRY_RUN = 1;
        internal const uint MK_COMPACT_DRY_RUN = 1;
        internal const uint MK_STORE_CURRENT = 1;
        internal const uint MK_STORE_NORMAL = 2;
        internal const uint MK_STORE_WRITE_PROTECTED = 3;
        internal const uint MK_STORE_DISABLED = 4;
        internal const uint MK_STORES_STATS = 1;
        internal const uint MK_REPAIR_ACCEPT_STATE = 1;
        internal const uint MK_REPAIR_DRY_RUN = 2;
        internal const int MK_OK = 0;
        internal const int MK_END = 1;
        internal const int MK_BUG = -1;
        internal const int MK_BAD_HANDLE = -2;
        internal const int MK_BAD_ARGUMENT = -3;
        internal const int MK_BAD_SIZE = -4;
        internal const int MK_INVALID_UTF8 = -5;
        internal const int MK_BUFFER_TOO_SMALL = -6;
        internal const int MK_BUSY = -7;
        internal const int MK_FORKED = -8;
        internal const int MK_CALLBACK = -9;
        internal const int MK_CLOSED = -10;
        internal const int MK_STOPPED = -11;
        internal const int MK_MISUSE = -12;
        internal const int MK_OTHER = -13;
        internal const int MK_IO = -20;
        internal const int MK_DISK_FULL = -21;
        internal const int MK_TOO_MANY_OPEN_FILES = -22;
        internal const int MK_NO_THREAD = -23;
        internal const int MK_IN_USE = -24;
        internal const int MK_LOCK_LOST = -25;
        internal const int MK_LATCHED = -26;
        internal const int MK_CACHES_LAG = -27;
        internal const int MK_READ_ONLY = -28;
        internal const int MK_SNAPSHOT_GONE = -29;
        internal const int MK_DAMAGE = -40;
        internal const int MK_NOT_AN_ARCHIVE = -41;
        internal const int MK_BROKEN_IDENTITY = -42;
        internal const int MK_IDENTITY_OLDER = -43;
        internal const int MK_IDENTITY_CHANGED = -44;
        internal const int MK_FORMAT_TOO_NEW = -45;
        internal const int MK_FORMAT_TOO_OLD = -46;
        internal const int MK_TOO_NEW_TO_WRITE = -47;
        internal const int MK_UNKNOWN_FEATURE = -48;
        internal const int MK_UNFINISHED_CREATION = -49;
        internal const int MK_EXISTS = -50;
        internal const int MK_STORE_MISSING = -51;
        internal const int MK_NEEDS_REPAIR = -52;
        internal const int MK_ROLLED_BACK = -53;
        internal const int MK_INDEX = -54;
        internal const int MK_INDEX_OLDER = -55;
        internal const int MK_NO_CURRENT_STORE = -56;
        internal const int MK_STORE_NOT_OPEN = -57;
        internal const int MK_STORE_IS_DISABLED = -58;
        internal const int MK_STORE_IS_WRITE_PROTECTED = -59;
        internal const int MK_STORE_BUSY = -60;
        internal const int MK_STORE_EXISTS = -61;
        internal const int MK_NOT_A_STORE = -62;
        internal const int MK_WRONG_KEY = -70;
        internal const int MK_BAD_KEY = -71;
        internal const int MK_DENIED = -72;
        internal const int MK_NO_SUCH_MESSAGE = -80;
        internal const int MK_NO_SUCH_PART = -81;
        internal const int MK_NO_SUCH_FOLDER = -82;
        internal const int MK_NO_SUCH_STORE = -83;
        internal const int MK_AMBIGUOUS_FOLDER = -84;
        internal const int MK_NOT_A_MAIL = -85;
        internal const int MK_SOURCE = -86;
        internal const int MK_QUERY = -87;
        internal const int MK_FOLDER_EXISTS = -89;
        internal const int MK_FOLDER_NOT_EMPTY = -90;
        internal const int MK_DELETED = -88;

        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_archive_open(out ArchiveHandle archive, byte* folder, UIntPtr folder_length,
            mk_key* given, mk_open_options* given_options, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_new_archive_begin(out NewArchiveHandle new_archive, byte* folder,
            UIntPtr folder_length, byte* owner, UIntPtr owner_length, mk_create_options* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_new_archive_recovery_key(out BufferHandle key, NewArchiveHandle new_archive,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_new_archive_key_file(out BufferHandle key, NewArchiveHandle new_archive,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_new_archive_id(out BufferHandle id, NewArchiveHandle new_archive,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_new_archive_commit(out ArchiveHandle archive, NewArchiveHandle new_archive,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_new_archive_free(IntPtr new_archive);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_archive_id_of(out BufferHandle id, byte* folder, UIntPtr folder_length,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_archive_opens_with(out BufferHandle text, byte* folder, UIntPtr folder_length,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_archive_lies_in(out int is_inside, byte* folder, UIntPtr folder_length,
            byte* other, UIntPtr other_length, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_archive_info(out BufferHandle info, ArchiveHandle archive, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_archive_mark(ArchiveHandle archive, ErrorHandle error);

        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_archive_refresh(ArchiveHandle archive, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_archive_freeze(out FrozenHandle frozen, ArchiveHandle archive, ulong max_ms,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_frozen_thaw(out int held, FrozenHandle frozen, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_frozen_free(IntPtr frozen);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_archive_close(IntPtr archive, mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_buffer_get(out mk_text bytes, BufferHandle buffer, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_buffer_free(IntPtr buffer);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_error_new(out ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_error_status(ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_error_code(out mk_text code, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_error_message(out mk_text message, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_error_json(out mk_text json, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_error_free(IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_export(out BufferHandle report, SessionHandle of, byte* destination,
            UIntPtr destination_length, mk_export_options* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_export_mbox(out BufferHandle report, SessionHandle of, IntPtr write,
            IntPtr payload, mk_export_options* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_import(out BufferHandle report, SessionHandle of, mk_source* source,
            mk_import_options* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_import_one(mk_receipt* receipt, SessionHandle of, byte* mail,
            UIntPtr mail_length, byte* into, UIntPtr into_length, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_import_target(out BufferHandle folder, SessionHandle of,
            mk_source* source, mk_import_options* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_import_plan(out BufferHandle plan, SessionHandle of, mk_source* source,
            mk_import_options* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_check(out BufferHandle report, SessionHandle of, mk_source* source,
            mk_import_options* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_lost_files(out BufferHandle json, SessionHandle of, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_lost_mails(out BufferHandle report, SessionHandle of, IntPtr visit,
            IntPtr payload, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_import_lost(out BufferHandle report, SessionHandle of,
            mk_import_events* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_key_status(out BufferHandle json, ArchiveHandle archive, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_key_test(out BufferHandle json, byte* folder, UIntPtr folder_length,
            mk_key* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_key_confirm_recovery(ArchiveHandle archive, mk_key* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_key_add_passphrase(out BufferHandle json, ArchiveHandle archive, byte* passphrase,
            UIntPtr passphrase_length, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_key_remove_passphrase(ArchiveHandle archive, byte* slot, UIntPtr slot_length,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern uint mk_library_abi();
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern IntPtr mk_library_version();
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_library_has(byte* name, UIntPtr length);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_library_handles(out ulong count, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_library_panic(ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern IntPtr mk_status_name(int status);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_message_id_print(byte* buffer, UIntPtr size, UIntPtr* needed, ulong id,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_message_id_read(out ulong id, byte* data, UIntPtr length, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_folders(out PageHandle page, SessionHandle of, byte* cursor,
            UIntPtr cursor_length, UIntPtr most, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_folders_in(out PageHandle page, SessionHandle of, byte* path,
            UIntPtr path_length, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_messages(out PageHandle page, SessionHandle of, byte* path,
            UIntPtr path_length, byte* cursor, UIntPtr cursor_length, UIntPtr most, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_message(out PageHandle page, SessionHandle of, ulong id,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_thread(out PageHandle page, SessionHandle of, ulong id,
            mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_folder_names(out BufferHandle json, byte* path, UIntPtr path_length,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_page_get_info(mk_page_info* info, PageHandle page, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_page_message(mk_message* message, IntPtr page, UIntPtr row, IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_page_folder(mk_folder* folder, IntPtr page, UIntPtr row, IntPtr error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_page_json(out BufferHandle json, PageHandle page, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_page_free(IntPtr page);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_cancel_new(out CancelHandle cancel, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_cancel_now(CancelHandle cancel, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_cancel_free(IntPtr cancel);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_raw(out BufferHandle bytes, SessionHandle of, ulong id,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_read(SessionHandle of, ulong id, IntPtr write, IntPtr payload,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_read_range(SessionHandle of, ulong id, ulong from, ulong to, IntPtr write,
            IntPtr payload, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_read_header(SessionHandle of, ulong id, IntPtr write, IntPtr payload,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_parts(out BufferHandle json, SessionHandle of, ulong id,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_read_part(SessionHandle of, ulong id, uint part, ulong from, IntPtr write,
            IntPtr payload, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_read_parts(SessionHandle of, ulong id, uint* parts, UIntPtr count,
            IntPtr write, IntPtr payload, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_record(out BufferHandle json, SessionHandle of, ulong id,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_search(out PageHandle page, SessionHandle of, byte* json,
            UIntPtr json_length, mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_search_begin(out SearchHandle search, SessionHandle of, byte* json,
            UIntPtr json_length, mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_search_next(out PageHandle page, SearchHandle search, UIntPtr most,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_search_free(IntPtr search);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_explain(out BufferHandle clauses, SessionHandle of, byte* json,
            UIntPtr json_length, mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_why(out BufferHandle verdicts, SessionHandle of, ulong id, byte* json,
            UIntPtr json_length, mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_undecided(out BufferHandle parts, SessionHandle of, byte* json,
            UIntPtr json_length, UIntPtr most, mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_criteria_read(out BufferHandle criteria, byte* json, UIntPtr json_length,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_begin(out SessionHandle new_session, ArchiveHandle archive, byte* user,
            UIntPtr user_length, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_free(IntPtr session);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_stream_open(out StreamHandle stream, SessionHandle of, ulong id, uint part,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_stream_read(out UIntPtr read, StreamHandle of, byte* data, UIntPtr length,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_stream_free(IntPtr stream);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_delete(out BufferHandle report, SessionHandle of, ulong* ids,
            UIntPtr count, byte* reason, UIntPtr reason_length, uint flags, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_undelete(out BufferHandle report, SessionHandle of, ulong* ids,
            UIntPtr count, byte* reason, UIntPtr reason_length, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_deleted(out BufferHandle json, SessionHandle of, byte* cursor,
            UIntPtr cursor_length, UIntPtr most, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_compact(out BufferHandle report, SessionHandle of, uint flags,
            mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_compact_store(out BufferHandle report, SessionHandle of, uint store, uint flags,
            mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_stores(out BufferHandle json, SessionHandle of, uint flags, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_create_store(out uint store, SessionHandle of, byte* name, UIntPtr name_length,
            uint requested_state, mk_store_dirs* where_to, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_attach_store(out uint store, SessionHandle of, byte* name, UIntPtr name_length,
            uint requested_state, mk_store_dirs* where_from, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_detach_store(SessionHandle of, uint store, mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_rename_store(SessionHandle of, uint store, byte* name, UIntPtr name_length,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_set_store_state(SessionHandle of, uint store, uint requested_state,
            mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_set_store_dirs(SessionHandle of, uint store, mk_store_dirs* new_dirs,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_store_rule(out BufferHandle rule, SessionHandle of, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_set_store_rule(SessionHandle of, byte* rule, UIntPtr rule_length,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_retry_open_stores(out BufferHandle errors, SessionHandle of, mk_progress* given,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_stats(out BufferHandle json, SessionHandle of, mk_progress* given,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_types_not_read(out BufferHandle json, SessionHandle of,
            mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_not_searchable(out BufferHandle json, SessionHandle of, byte* cursor,
            UIntPtr cursor_length, UIntPtr most, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_make_folder(out BufferHandle report, SessionHandle of, byte* path,
            UIntPtr path_length, uint flags, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_rename_folder(out BufferHandle report, SessionHandle of, byte* path,
            UIntPtr path_length, byte* name, UIntPtr name_length, uint flags, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_move_folder(out BufferHandle report, SessionHandle of, byte* from,
            UIntPtr from_length, byte* to, UIntPtr to_length, uint flags, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_remove_folder(out BufferHandle report, SessionHandle of, byte* path,
            UIntPtr path_length, uint flags, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_prune_folders(out BufferHandle report, SessionHandle of, byte* path,
            UIntPtr path_length, uint flags, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_verify(out BufferHandle report, SessionHandle of, uint depth, uint part,
            uint parts, mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_repair(out BufferHandle report, SessionHandle of, uint flags,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_store_indexes(out BufferHandle json, SessionHandle of, uint store,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_rebuild_store_index(SessionHandle of, uint store, mk_progress* given,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_select_all_store_indexes(SessionHandle of, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_rebuild_selected_store_indexes(out ulong rebuilt, SessionHandle of,
            mk_progress* given, ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_index_configuration(out BufferHandle json, SessionHandle of,
            ErrorHandle error);
        [DllImport(Library, CallingConvention = Cdecl)]
        internal static extern int mk_session_set_index_configuration(SessionHandle of, byte* json, UIntPtr json_length,
            ErrorHandle error);
    }
}
