// What brings mail in and writes it out: options, receipts, events.
using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Mailkeep
{
    /// <summary>What became of a mail.</summary>
    public enum Outcome
    {
        /// <summary>It is a new message.</summary>
        Stored = 1,

        /// <summary>The archive had it already.</summary>
        Duplicate = 2,

        /// <summary>The archive had it already, with other status headers.</summary>
        Restated = 3,
    }

    /// <summary>What counts as a duplicate.</summary>
    public enum DuplicateRule
    {
        /// <summary>What its folder has, apart from headers that mail programs change.</summary>
        Folder = 0,

        /// <summary>What its folder has with exactly the same bytes.</summary>
        Exact = 1,

        /// <summary>What its user archive has, as a person would say.</summary>
        Archive = 2,
    }

    /// <summary>What a source is.</summary>
    public enum SourceFormat
    {
        /// <summary>Names and contents say it.</summary>
        Auto = 0,

        /// <summary>Any mbox.</summary>
        Mbox = 1,

        /// <summary>An mbox without lengths, in which <c>From </c> is quoted.</summary>
        Mboxo = 2,

        /// <summary>The same; quoted lines are quoted again.</summary>
        Mboxrd = 3,

        /// <summary>An mbox with lengths, in which <c>From </c> is quoted.</summary>
        Mboxcl = 4,

        /// <summary>An mbox with lengths, in which nothing is quoted.</summary>
        Mboxcl2 = 5,

        /// <summary>Mails between lines of four ^A.</summary>
        Mmdf = 6,

        /// <summary>A LISTSERV notebook.</summary>
        Listserv = 7,

        /// <summary>A Maildir, or one file of it.</summary>
        Maildir = 8,

        /// <summary>A folder of MH.</summary>
        Mh = 9,

        /// <summary>One file, one mail.</summary>
        Eml = 10,

        /// <summary>One mail of Apple Mail.</summary>
        Emlx = 11,
    }

    /// <summary>Says that a mail is durable: power may fail at any later moment.</summary>
    public sealed class Receipt
    {
        private readonly byte[] digest;

        internal unsafe Receipt(mk_receipt* receipt)
        {
            Id = new MessageId(receipt->id);
            Outcome = (Outcome)receipt->outcome;
            digest = new byte[32];
            Marshal.Copy((IntPtr)receipt->digest, digest, 0, digest.Length);
            Offset = (long)receipt->offset;
            Source = Text.Of(receipt->source);
        }

        /// <summary>The message: the new one, or the one that is there.</summary>
        public MessageId Id { get; }

        /// <summary>What became of the mail.</summary>
        public Outcome Outcome { get; }

        /// <summary>SHA-256 of the bytes that were given, in hex, as reports have it.</summary>
        public string Digest
        {
            get
            {
                var hex = new StringBuilder(2 * digest.Length);
                foreach (byte b in digest) hex.Append(b.ToString("x2"));
                return hex.ToString();
            }
        }

        /// <summary>The 32 bytes of the digest.</summary>
        public byte[] DigestBytes() => (byte[])digest.Clone();

        /// <summary>Offset of the mail's first byte in its file.</summary>
        public long Offset { get; }

        /// <summary>The path of the file within the source; empty where the source is one file.</summary>
        public string Source { get; }
    }

    /// <summary>Something in a source that is not a mail, or could not be read.</summary>
    public sealed class Trouble
    {
        internal Trouble(mk_trouble trouble)
        {
            IsLoss = trouble.is_loss != 0;
            Offset = (long)trouble.offset;
            Source = Text.Of(trouble.source);
            Message = Text.Of(trouble.message);
        }

        /// <summary>Whether something that may be mail was not returned.</summary>
        public bool IsLoss { get; }

        /// <summary>Where in the file, in bytes.</summary>
        public long Offset { get; }

        /// <summary>The path of the file within the source.</summary>
        public string Source { get; }

        /// <summary>What it is: a sentence in English.</summary>
        public string Message { get; }
    }

    /// <summary>A mail of a source that a check did not find in the archive, or found damaged.</summary>
    public sealed class MissingMail
    {
        internal MissingMail(string source, long offset)
        {
            Source = source;
            Offset = offset;
        }

        /// <summary>The path of the file within the source.</summary>
        public string Source { get; }

        /// <summary>Offset of the mail's first byte in that file.</summary>
        public long Offset { get; }
    }

    /// <summary>A mail of <c>lost+found</c>.</summary>
    public sealed class LostMail
    {
        internal LostMail(string json, byte[] bytes)
        {
            Json = json;
            Bytes = bytes;
            var fields = Mailkeep.Json.Parse(json);
            File = fields["file"].String ?? "";
            Number = fields["number"].Long;
            Folder = fields["folder"].String;
            Digest = fields["digest"].String ?? "";
            Archived = fields["archived"].IsNull ? (MessageId?)null : MessageId.Parse(fields["archived"].String);
        }

        /// <summary>The file that it is in.</summary>
        public string File { get; }

        /// <summary>Its number among those that are passed, from 1.</summary>
        public long Number { get; }

        /// <summary>The folder that it was meant for; null if that is not known.</summary>
        public string Folder { get; }

        /// <summary>SHA-256 of its bytes, in hex.</summary>
        public string Digest { get; }

        /// <summary>The message that has exactly these bytes; null if none has.</summary>
        public MessageId? Archived { get; }

        /// <summary>Its bytes.</summary>
        public byte[] Bytes { get; }

        /// <summary>What is known of it, as a JSON object.</summary>
        public string Json { get; }
    }

    /// <summary>What is called during an import or a check.</summary>
    /// <remarks>
    /// Each may be null. They are called one at a time, from any thread, while the library holds no lock: they may use the
    /// archive, and must not close it. What one throws ends the import at the next safe point, which throws it on.
    /// </remarks>
    public sealed class ImportEvents
    {
        /// <summary>A mail is durable. Receipts come in the order of the source.</summary>
        public Action<Receipt> Receipt { get; set; }

        /// <summary>Something in the source is not a mail, or cannot be read.</summary>
        public Action<Trouble> Trouble { get; set; }

        /// <summary>A check does not find a mail, or finds it damaged.</summary>
        public Action<MissingMail> Missing { get; set; }

        /// <summary>
        /// Bytes of the source that belong to no mail and are not archived; the trouble that gives the reason follows.
        /// </summary>
        public Action<byte[]> Lost { get; set; }

        internal unsafe mk_import_events* OfC(Frame frame)
        {
            frame.Events = this;
            var of = (mk_import_events*)frame.Zeroed(sizeof(mk_import_events));
            of->size = (uint)sizeof(mk_import_events);
            of->payload = frame.Payload;
            if (Receipt != null) of->receipt = Callbacks.Receipt;
            if (Trouble != null) of->trouble = Callbacks.Trouble;
            if (Missing != null) of->missing = Callbacks.Missing;
            if (Lost != null) of->lost = Callbacks.Lost;
            return of;
        }
    }

    /// <summary>How mail is imported.</summary>
    public sealed class ImportOptions
    {
        /// <summary>
        /// The destination, such as <c>anna/inbox</c>. Null: a folder named after the source, below the owner's.
        /// </summary>
        public string Into { get; set; }

        /// <summary>What counts as a duplicate.</summary>
        public DuplicateRule Duplicates { get; set; }

        /// <summary>What the source is.</summary>
        public SourceFormat Format { get; set; }

        /// <summary>Mails are read that their program had marked as deleted.</summary>
        public bool WithDeleted { get; set; }

        /// <summary>Each mail is committed separately: slower, but each is durable as soon as possible.</summary>
        public bool CommitEach { get; set; }

        /// <summary>A mail also goes into the folder that its labels name.</summary>
        public bool LabelFolders { get; set; }

        internal unsafe mk_import_options* OfC(Frame frame, ImportEvents events)
        {
            var of = (mk_import_options*)frame.Zeroed(sizeof(mk_import_options));
            of->size = (uint)sizeof(mk_import_options);
            of->flags = (WithDeleted ? Native.MK_IMPORT_WITH_DELETED : 0) | (CommitEach ? Native.MK_IMPORT_COMMIT_EACH : 0)
                | (LabelFolders ? Native.MK_IMPORT_LABEL_FOLDERS : 0);
            of->duplicates = (uint)Duplicates;
            of->format = (uint)Format;
            of->into = frame.String(Into, out of->into_length);
            of->progress = frame.Progress;
            if (events != null) of->events = events.OfC(frame);
            return of;
        }
    }

    /// <summary>What an export writes.</summary>
    public enum ExportFormat
    {
        /// <summary>A file for each mail, with exactly its bytes.</summary>
        Eml = 0,

        /// <summary>An mbox for each folder.</summary>
        Mbox = 1,

        /// <summary>A Maildir for each folder.</summary>
        Maildir = 2,
    }

    /// <summary>What is exported, and how.</summary>
    public sealed class ExportOptions
    {
        /// <summary>What is written.</summary>
        public ExportFormat Format { get; set; }

        /// <summary>Only this folder and those below it; null for all.</summary>
        public string Folder { get; set; }

        /// <summary>Only messages that meet this query; null for all.</summary>
        public string Query { get; set; }

        /// <summary><c>SHA256SUMS</c> and <c>MANIFEST.jsonl</c> are written.</summary>
        public bool Manifest { get; set; }

        /// <summary>The destination may contain files; only what is missing is written.</summary>
        public bool Update { get; set; }

        /// <summary>
        /// Fields that say where a mail is from are written before all others. Only with <see cref="ExportFormat.Eml"/>.
        /// </summary>
        public bool Origin { get; set; }

        /// <summary>
        /// Receives messages that could not be written, and why; the export goes on. What it throws comes out of the export,
        /// at its end.
        /// </summary>
        public Action<MessageId, string> Failed { get; set; }

        internal unsafe mk_export_options* OfC(Frame frame)
        {
            var of = (mk_export_options*)frame.Zeroed(sizeof(mk_export_options));
            of->size = (uint)sizeof(mk_export_options);
            of->flags = (Manifest ? Native.MK_EXPORT_MANIFEST : 0) | (Update ? Native.MK_EXPORT_UPDATE : 0)
                | (Origin ? Native.MK_EXPORT_ORIGIN : 0);
            of->format = (uint)Format;
            of->folder = frame.String(Folder, out of->folder_length);
            of->query = frame.String(Query, out of->query_length);
            of->progress = frame.Progress;
            if (Failed == null) return of;
            frame.Failed = Failed;
            of->failed = Callbacks.Failed;
            of->failed_payload = frame.Payload;
            return of;
        }
    }

    /// <summary>How deep a verification looks.</summary>
    public enum VerifyDepth
    {
        /// <summary>Every frame of every file, and every mail against its digest.</summary>
        Everything = 0,

        /// <summary>Every frame of every file.</summary>
        Structure = 1,
    }

    /// <summary>What a verification reads.</summary>
    public sealed class VerifyOptions
    {
        /// <summary>How deep it looks; <see cref="VerifyDepth.Everything"/> with <see cref="Part"/>.</summary>
        public VerifyDepth Depth { get; set; }

        /// <summary>
        /// Only this part of the mails and containers, counted from 1, and all other files; 0 for everything. A program that
        /// verifies part 1 of 30 today and part 2 tomorrow has read everything within a month.
        /// </summary>
        public int Part { get; set; }

        /// <summary>How many parts there are, with <see cref="Part"/>.</summary>
        public int Parts { get; set; }

        /// <summary>What was found is recorded as known, except what can be rebuilt.</summary>
        public bool Accept { get; set; }
    }

    /// <summary>How an archive is repaired.</summary>
    [Flags]
    public enum RepairOptions
    {
        /// <summary>What can be repaired without a decision.</summary>
        None = 0,

        /// <summary>A state that is not what was recorded is accepted.</summary>
        AcceptState = 1,

        /// <summary>Nothing is done; the report says what would be.</summary>
        DryRun = 2,
    }
}
