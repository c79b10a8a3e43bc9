// What calls report: small objects that never change. Each has the JSON object that it was read from, which may have more.
using System;
using System.Collections.Generic;

namespace Mailkeep
{
    /// <summary>What a call reports, with its JSON form.</summary>
    public abstract class Report
    {
        internal Report(string json)
        {
            Json = json;
            Fields = Mailkeep.Json.Parse(json);
        }

        /// <summary>All of it as a JSON object, as the command prints it with <c>--json</c>.</summary>
        public string Json { get; }

        internal Json Fields { get; }
    }

    /// <summary>What an import did. Read mails are stored, duplicate or failed.</summary>
    public sealed class ImportReport : Report
    {
        internal ImportReport(string json) : base(json)
        {
            Read = Fields["read"].Long;
            Stored = Fields["stored"].Long;
            Duplicate = Fields["duplicate"].Long;
            Restated = Fields["restated"].Long;
            Failed = Fields["failed"].Long;
            Deleted = Fields["deleted"].Long;
            Incomplete = Fields["incomplete"].Long;
            SkippedFiles = Fields["skipped_files"].Long;
            UnsupportedFiles = Fields["unsupported_files"].Long;
            BytesIn = Fields["bytes_in"].Long;
            Folder = Fields["folder"].String;
            IsStopped = Fields["stopped"].Bool;
        }

        /// <summary>Mails found in the source.</summary>
        public long Read { get; }

        /// <summary>New messages.</summary>
        public long Stored { get; }

        /// <summary>Mails that the archive already had.</summary>
        public long Duplicate { get; }

        /// <summary>Duplicates whose bytes differ in headers that mail programs change.</summary>
        public long Restated { get; }

        /// <summary>Mails or pieces of the source that could not be read.</summary>
        public long Failed { get; }

        /// <summary>Mails skipped because their program had marked them as deleted.</summary>
        public long Deleted { get; }

        /// <summary>Mails of which the source itself has only a part; they are archived as they are.</summary>
        public long Incomplete { get; }

        /// <summary>Files that are not mail.</summary>
        public long SkippedFiles { get; }

        /// <summary>Files of kinds that are not supported.</summary>
        public long UnsupportedFiles { get; }

        /// <summary>Bytes of the mails read.</summary>
        public long BytesIn { get; }

        /// <summary>The destination folder; folders of the source are below it. Null if nothing was read.</summary>
        public string Folder { get; }

        /// <summary>The import was ended before its end.</summary>
        public bool IsStopped { get; }
    }

    /// <summary>A folder of a plan.</summary>
    public sealed class PlannedFolder
    {
        internal PlannedFolder(Json json)
        {
            Folder = json["folder"].String;
            Messages = json["messages"].Long;
            Bytes = json["bytes"].Long;
        }

        /// <summary>Its path.</summary>
        public string Folder { get; }

        /// <summary>Mails that would go there, duplicates too.</summary>
        public long Messages { get; }

        /// <summary>Their bytes; of a mail above 16 MiB only those that were examined.</summary>
        public long Bytes { get; }
    }

    /// <summary>What the reading of a source found.</summary>
    public sealed class SourceSummary
    {
        internal SourceSummary(Json json)
        {
            Mails = json["mails"].Long;
            Empty = json["empty"].Long;
            Deleted = json["deleted"].Long;
            Incomplete = json["incomplete"].Long;
            SkippedFiles = json["skipped_files"].Long;
            UnsupportedFiles = json["unsupported_files"].Long;
            Losses = json["losses"].Long;
            Bytes = json["bytes"].Long;
            IsStopped = json["stopped"].Bool;
        }

        /// <summary>Mails.</summary>
        public long Mails { get; }

        /// <summary>From_ lines without a mail.</summary>
        public long Empty { get; }

        /// <summary>Mails skipped because they were marked as deleted.</summary>
        public long Deleted { get; }

        /// <summary>Mails of which the source itself has only a part.</summary>
        public long Incomplete { get; }

        /// <summary>Files that are not mail.</summary>
        public long SkippedFiles { get; }

        /// <summary>Files of kinds that are not supported.</summary>
        public long UnsupportedFiles { get; }

        /// <summary>Files, folders and pieces that could not be read.</summary>
        public long Losses { get; }

        /// <summary>Bytes of the files read.</summary>
        public long Bytes { get; }

        /// <summary>The reading was ended before its end.</summary>
        public bool IsStopped { get; }
    }

    /// <summary>Where the mails of a source would go.</summary>
    public sealed class ImportPlan : Report
    {
        internal ImportPlan(string json) : base(json)
        {
            Folders = Fields["folders"].List(folder => new PlannedFolder(folder));
            Source = new SourceSummary(Fields["source"]);
        }

        /// <summary>The folders, by path.</summary>
        public IReadOnlyList<PlannedFolder> Folders { get; }

        /// <summary>What the reading found.</summary>
        public SourceSummary Source { get; }
    }

    /// <summary>Whether the mails of a source are in the archive. Read mails are present or missing.</summary>
    public sealed class CheckReport : Report
    {
        internal CheckReport(string json) : base(json)
        {
            Read = Fields["read"].Long;
            Present = Fields["present"].Long;
            Missing = Fields["missing"].Long;
            Failed = Fields["failed"].Long;
            SkippedFiles = Fields["skipped_files"].Long;
            Deleted = Fields["deleted"].Long;
            Incomplete = Fields["incomplete"].Long;
        }

        /// <summary>Mails found in the source.</summary>
        public long Read { get; }

        /// <summary>Mails whose bytes were read from the archive and are the same.</summary>
        public long Present { get; }

        /// <summary>Mails that are not there, or are damaged; <see cref="ImportEvents.Missing"/> names each.</summary>
        public long Missing { get; }

        /// <summary>Pieces of the source that could not be read.</summary>
        public long Failed { get; }

        /// <summary>Files that are not mail.</summary>
        public long SkippedFiles { get; }

        /// <summary>Mails skipped because their program had marked them as deleted.</summary>
        public long Deleted { get; }

        /// <summary>Mails of which the source itself has only a part; they count as read too.</summary>
        public long Incomplete { get; }
    }

    /// <summary>What an export wrote.</summary>
    public sealed class ExportReport : Report
    {
        internal ExportReport(string json) : base(json)
        {
            Exported = Fields["exported"].Long;
            Present = Fields["present"].Long;
            WithoutRecord = Fields["without_record"].Long;
            Failed = Fields["failed"].Long;
            Bytes = Fields["bytes"].Long;
            IsStopped = Fields["stopped"].Bool;
        }

        /// <summary>Messages written.</summary>
        public long Exported { get; }

        /// <summary>Messages that were there already.</summary>
        public long Present { get; }

        /// <summary>
        /// Messages among those written whose record is damaged: they lack the From_ line and flags of their source.
        /// </summary>
        public long WithoutRecord { get; }

        /// <summary>Messages that could not be read, or whose names are too long for the file system.</summary>
        public long Failed { get; }

        /// <summary>Bytes of the messages written.</summary>
        public long Bytes { get; }

        /// <summary>The export was ended before its end.</summary>
        public bool IsStopped { get; }
    }

    /// <summary>Bytes on disk that are not what was written.</summary>
    public sealed class Damage
    {
        internal Damage(Json json)
        {
            File = json["file"].String ?? "";
            Offset = json["offset"].Long;
            Length = json["length"].Long;
            Kind = json["kind"].String ?? "";
        }

        /// <summary>The file.</summary>
        public string File { get; }

        /// <summary>Where the damage begins, in bytes.</summary>
        public long Offset { get; }

        /// <summary>How many bytes cannot be trusted; 0 if the whole file is meant.</summary>
        public long Length { get; }

        /// <summary>What is wrong: a few English words.</summary>
        public string Kind { get; }

        internal static Damage Of(Json json) => json.IsNull ? null : new Damage(json);
    }

    /// <summary>Something that a verification found.</summary>
    public sealed class Finding
    {
        internal Finding(Json json)
        {
            File = json["file"].String ?? "";
            Offset = json["offset"].Long;
            Length = json["length"].Long;
            Kind = json["kind"].String ?? "";
            Messages = json["messages"].List(id => MessageId.Parse(id.String));
            Records = json["records"].List(id => MessageId.Parse(id.String));
            Remedy = json["remedy"].String;
        }

        /// <summary>The file.</summary>
        public string File { get; }

        /// <summary>Where the damage begins, in bytes.</summary>
        public long Offset { get; }

        /// <summary>How many bytes cannot be trusted; 0 if the whole file is meant.</summary>
        public long Length { get; }

        /// <summary>What is wrong: a few English words.</summary>
        public string Kind { get; }

        /// <summary>Messages whose bytes are hit.</summary>
        public IReadOnlyList<MessageId> Messages { get; }

        /// <summary>Messages whose bytes are whole and whose record is hit: where they came from.</summary>
        public IReadOnlyList<MessageId> Records { get; }

        /// <summary>
        /// How it is fixed, if it can be made again: <c>rebuild_index</c> or <c>repair</c>. Else null.
        /// </summary>
        public string Remedy { get; }
    }

    /// <summary>What a verification read and found.</summary>
    public sealed class VerifyReport : Report
    {
        internal VerifyReport(string json) : base(json)
        {
            Files = Fields["files"].Long;
            Bytes = Fields["bytes"].Long;
            Messages = Fields["messages"].Long;
            LostMessages = Fields["lost_messages"].Long;
            ContentBytes = Fields["content_bytes"].Long;
            Findings = Fields["findings"].List(finding => new Finding(finding));
            Healed = Fields["healed"].List(finding => new Finding(finding));
            Accepted = Fields["accepted"].List(finding => new Finding(finding));
            Foreign = Fields["foreign"].Strings;
        }

        /// <summary>Files read.</summary>
        public long Files { get; }

        /// <summary>Bytes of these files.</summary>
        public long Bytes { get; }

        /// <summary>Messages in the archive.</summary>
        public long Messages { get; }

        /// <summary>Messages that were archived and of which damage left nothing: no list shows them.</summary>
        public long LostMessages { get; }

        /// <summary>Bytes of mails whose digest was checked.</summary>
        public long ContentBytes { get; }

        /// <summary>What is damaged.</summary>
        public IReadOnlyList<Finding> Findings { get; }

        /// <summary>Damage that costs no mail: all mails that it hit were imported again.</summary>
        public IReadOnlyList<Finding> Healed { get; }

        /// <summary>Damage that was accepted.</summary>
        public IReadOnlyList<Finding> Accepted { get; }

        /// <summary>What is in the archive's folder and does not belong there. It is not damage.</summary>
        public IReadOnlyList<string> Foreign { get; }

        /// <summary>Nothing is damaged but what was healed or accepted.</summary>
        public bool IsClean => Findings.Count == 0;
    }

    /// <summary>What a repair did, or would do.</summary>
    public sealed class RepairReport : Report
    {
        internal RepairReport(string json) : base(json)
        {
            Reason = Fields["reason"].String;
            NeedsAcceptance = Fields["needs_acceptance"].Bool;
            RecordedAgain = Fields["recorded_again"].Long;
            LostMessages = Fields["lost_messages"].Long;
            HasNewTree = Fields["new_tree"].Bool;
            SkipsNumbers = Fields["left_out"].Bool;
        }

        /// <summary>
        /// Why the archive refused mail, or its keys could not be changed. Null if there was nothing to repair.
        /// </summary>
        public string Reason { get; }

        /// <summary>The repair is done only if the state is accepted.</summary>
        public bool NeedsAcceptance { get; }

        /// <summary>Messages of lost commits that are recorded again.</summary>
        public long RecordedAgain { get; }

        /// <summary>Messages that had a number and of which nothing is left.</summary>
        public long LostMessages { get; }

        /// <summary>The Merkle tree could not be continued: a new one begins.</summary>
        public bool HasNewTree { get; }

        /// <summary>
        /// The highest assigned number could not be proven, so numbers were skipped, to assign none twice.
        /// </summary>
        public bool SkipsNumbers { get; }
    }

    /// <summary>Bytes on disk.</summary>
    public sealed class DiskUsage
    {
        internal DiskUsage(Json json)
        {
            Containers = json["containers"].Long;
            Records = json["records"].Long;
            Catalog = json["catalog"].Long;
            Index = json["index"].Long;
            LostFound = json["lost_found"].Long;
            Other = json["other"].Long;
        }

        /// <summary>Bytes of containers: the mails.</summary>
        public long Containers { get; }

        /// <summary>Bytes of records.</summary>
        public long Records { get; }

        /// <summary>Bytes of the catalog.</summary>
        public long Catalog { get; }

        /// <summary>Bytes of the index.</summary>
        public long Index { get; }

        /// <summary>Bytes in <c>lost+found</c>.</summary>
        public long LostFound { get; }

        /// <summary>Bytes of files outside the stores; 0 for a store.</summary>
        public long Other { get; }
    }

    /// <summary>A store.</summary>
    public sealed class StoreStats
    {
        internal StoreStats(Json json)
        {
            Number = (int)json["number"].Long;
            Name = json["name"].String ?? "";
            Messages = json["messages"].Long;
            LostMessages = json["lost_messages"].Long;
            OnDisk = new DiskUsage(json["bytes_on_disk"]);
            Sequence = json["sequence"].Long;
            Head = json["head"].String ?? "";
            Damage = json["damage"].String;
        }

        /// <summary>Its number.</summary>
        public int Number { get; }

        /// <summary>Its name.</summary>
        public string Name { get; }

        /// <summary>Messages.</summary>
        public long Messages { get; }

        /// <summary>Messages that were archived and then lost completely to damage.</summary>
        public long LostMessages { get; }

        /// <summary>What it takes on disk.</summary>
        public DiskUsage OnDisk { get; }

        /// <summary>Sequence of the last commit.</summary>
        public long Sequence { get; }

        /// <summary>The chain value after the last commit.</summary>
        public string Head { get; }

        /// <summary>Damage found at opening, if the store accepts no mail because of it. Else null.</summary>
        public string Damage { get; }
    }

    /// <summary>A user archive: a folder of the first level.</summary>
    public sealed class UserArchiveStats
    {
        internal UserArchiveStats(Json json)
        {
            Name = json["name"].String ?? "";
            Messages = json["messages"].Long;
            Bytes = json["bytes"].Long;
            Folders = json["folders"].Long;
        }

        /// <summary>Its name.</summary>
        public string Name { get; }

        /// <summary>Messages in it and in all folders below it.</summary>
        public long Messages { get; }

        /// <summary>Bytes of these messages.</summary>
        public long Bytes { get; }

        /// <summary>Folders, itself included.</summary>
        public long Folders { get; }
    }

    /// <summary>Totals and disk usage.</summary>
    public sealed class StatsReport : Report
    {
        internal StatsReport(string json) : base(json)
        {
            Messages = Fields["messages"].Long;
            LostMessages = Fields["lost_messages"].Long;
            Contents = Fields["contents"].Long;
            Parts = Fields["parts"].Long;
            BytesRaw = Fields["bytes_raw"].Long;
            OnDisk = new DiskUsage(Fields["bytes_on_disk"]);
            Stores = Fields["stores"].List(store => new StoreStats(store));
            UserArchives = Fields["user_archives"].List(one => new UserArchiveStats(one));
            LastArchived = Fields["last_archived"].Time;
            Undecided = Fields["undecided"].Long;
            NotIndexed = Fields["not_indexed"].Long;
            DeletedMessages = Fields["deleted_messages"].Long;
            UnreferencedContents = Fields["unreferenced_contents"].Long;
            UnreferencedBytes = Fields["unreferenced_bytes"].Long;
        }

        /// <summary>Messages that are deleted, and can be brought back.</summary>
        public long DeletedMessages { get; }

        /// <summary>
        /// Mails that no message refers to any more since theirs were deleted; <see cref="Contents"/> counts them too.
        /// </summary>
        public long UnreferencedContents { get; }

        /// <summary>Bytes of these mails; <see cref="BytesRaw"/> counts them too.</summary>
        public long UnreferencedBytes { get; }

        /// <summary>Messages.</summary>
        public long Messages { get; }

        /// <summary>Messages that were archived and then lost completely to damage.</summary>
        public long LostMessages { get; }

        /// <summary>Different mails.</summary>
        public long Contents { get; }

        /// <summary>Different parts.</summary>
        public long Parts { get; }

        /// <summary>Bytes of the mails.</summary>
        public long BytesRaw { get; }

        /// <summary>What the archive takes on disk.</summary>
        public DiskUsage OnDisk { get; }

        /// <summary>The stores.</summary>
        public IReadOnlyList<StoreStats> Stores { get; }

        /// <summary>The user archives.</summary>
        public IReadOnlyList<UserArchiveStats> UserArchives { get; }

        /// <summary>When the last message was archived, in UTC; null if there is none.</summary>
        public DateTimeOffset? LastArchived { get; }

        /// <summary>Different mails whose text is not completely indexed.</summary>
        public long Undecided { get; }

        /// <summary>Different mails that are not indexed yet.</summary>
        public long NotIndexed { get; }
    }

    /// <summary>A media type of attachments that are not searched.</summary>
    public sealed class TypeNotRead
    {
        internal TypeNotRead(Json json)
        {
            Type = json[0].String ?? "";
            Contents = json[1].Long;
        }

        /// <summary>The type, such as <c>image/png</c>.</summary>
        public string Type { get; }

        /// <summary>Different mails that have such an attachment.</summary>
        public long Contents { get; }
    }

    /// <summary>The index of a store, for one user archive.</summary>
    public sealed class StoreIndex
    {
        internal StoreIndex(Json json)
        {
            Store = (int)json["store"].Long;
            Folder = json["folder"].String ?? "";
            Messages = json["messages"].Long;
            Bytes = json["size"].Long;
            Status = json["status"].String ?? "";
            IsSelectedForRebuild = json["selected_for_rebuild"].Bool;
        }

        /// <summary>Number of the store.</summary>
        public int Store { get; }

        /// <summary>The user archive.</summary>
        public string Folder { get; }

        /// <summary>Messages of the user archive in the store.</summary>
        public long Messages { get; }

        /// <summary>Bytes of the store's index on disk, for all its user archives.</summary>
        public long Bytes { get; }

        /// <summary>Its status, as the command prints it.</summary>
        public string Status { get; }

        /// <summary>It waits for <see cref="Session.RebuildSelectedStoreIndexes"/>.</summary>
        public bool IsSelectedForRebuild { get; }
    }

    /// <summary>A file in <c>lost+found</c>: what an open cut after the last durable commit.</summary>
    public sealed class LostFile
    {
        internal LostFile(Json json)
        {
            File = json["file"].String ?? "";
            Store = json["store"].String;
            Bytes = json["bytes"].Long;
            Mails = json["mails"].Long;
            TooLarge = json["too_large"].Long;
            Incomplete = json["incomplete"].Long;
        }

        /// <summary>Its path.</summary>
        public string File { get; }

        /// <summary>Name of the store; null for the master, in which there are no mails.</summary>
        public string Store { get; }

        /// <summary>Its length in bytes.</summary>
        public long Bytes { get; }

        /// <summary>Mails that can be read in it.</summary>
        public long Mails { get; }

        /// <summary>Mails above 16 MiB, which are not read.</summary>
        public long TooLarge { get; }

        /// <summary>Mails that are named there without all of their bytes.</summary>
        public long Incomplete { get; }
    }

    /// <summary>What can be read in <c>lost+found</c>.</summary>
    public sealed class LostReport : Report
    {
        internal LostReport(string json) : base(json)
        {
            Mails = Fields["mails"].Long;
            TooLarge = Fields["too_large"].Long;
            Incomplete = Fields["incomplete"].Long;
        }

        /// <summary>Mails that can be read.</summary>
        public long Mails { get; }

        /// <summary>Mails above 16 MiB, which are not read.</summary>
        public long TooLarge { get; }

        /// <summary>Mails that are named there without all of their bytes.</summary>
        public long Incomplete { get; }
    }

    /// <summary>What one key opens.</summary>
    public sealed class KeySlot
    {
        internal KeySlot(Json json)
        {
            Id = json["slot"].String ?? "";
            Kind = json["kind"].String ?? "";
            Made = json["made"].Time;
        }

        /// <summary>The first eight hex digits of its random id.</summary>
        public string Id { get; }

        /// <summary>What opens it, as the command prints it.</summary>
        public string Kind { get; }

        /// <summary>When it was made, in UTC, in seconds.</summary>
        public DateTimeOffset? Made { get; }
    }

    /// <summary>What opens an archive.</summary>
    public sealed class KeyStatus : Report
    {
        internal KeyStatus(string json) : base(json)
        {
            Slots = Fields["slots"].List(slot => new KeySlot(slot));
            RecoveryIdentifier = Fields["recovery_identifier"].String ?? "";
            IsRecoveryConfirmed = Fields["recovery_key"].String == "confirmed";
        }

        /// <summary>Its slots.</summary>
        public IReadOnlyList<KeySlot> Slots { get; }

        /// <summary>The first characters of the recovery key, which identify the right printout.</summary>
        public string RecoveryIdentifier { get; }

        /// <summary>The recovery key was entered once after it was shown.</summary>
        public bool IsRecoveryConfirmed { get; }
    }

    /// <summary>What an open did after a crash. This is not damage: every mail with a receipt is there.</summary>
    public sealed class Recovery
    {
        internal Recovery(Json json)
        {
            BytesPutAside = json["bytes_put_aside"].Long;
            CommitTakenOver = json["commit_taken_over"].Bool;
        }

        /// <summary>Bytes without a receipt that were moved to <c>lost+found</c>.</summary>
        public long BytesPutAside { get; }

        /// <summary>A commit that nothing called durable was whole, and was adopted.</summary>
        public bool CommitTakenOver { get; }
    }

    /// <summary>An archive, and what its open found.</summary>
    public sealed class ArchiveInfo : Report
    {
        internal ArchiveInfo(string json) : base(json)
        {
            Id = Fields["id"].String ?? "";
            Folder = Fields["folder"].String ?? "";
            Owner = Fields["owner"].String ?? "";
            Damage = Damage.Of(Fields["damage"]);
            Barred = Fields["barred"]["message"].String;
            Notices = Fields["notices"].List(notice => notice["message"].String);
            Recovered = Fields["recovered"].IsNull ? null : new Recovery(Fields["recovered"]);
            ReadOnly = Fields["read_only"].Bool;
            Lags = Fields["lags"].Bool;
        }

        /// <summary>Its id: 32 hex digits.</summary>
        public string Id { get; }

        /// <summary>The folder that it is in.</summary>
        public string Folder { get; }

        /// <summary>The first user archive, which receives mail for which no folder was named.</summary>
        public string Owner { get; }

        /// <summary>Damage that the open found, if the archive accepts no mail because of it. Else null.</summary>
        public Damage Damage { get; }

        /// <summary>Why no mail is accepted, if so: an English sentence. Else null.</summary>
        public string Barred { get; }

        /// <summary>Problems that cost no mail: English sentences. What could be fixed has been.</summary>
        public IReadOnlyList<string> Notices { get; }

        /// <summary>What the open did after a crash; null if there was nothing to do.</summary>
        public Recovery Recovered { get; }

        /// <summary>Whether it is open for reading only.</summary>
        public bool ReadOnly { get; }

        /// <summary>
        /// Whether catalog or index lack more than an archive that is only read applies in memory: searches count what is left
        /// out. Opening it for writing once brings both up to date.
        /// </summary>
        public bool Lags { get; }
    }

    /// <summary>A sender or receiver.</summary>
    public sealed class Address
    {
        internal Address(Json json)
        {
            Name = json["name"].String ?? "";
            Email = json["address"].String ?? "";
        }

        /// <summary>The name; may be empty.</summary>
        public string Name { get; }

        /// <summary>The address; may be empty.</summary>
        public string Email { get; }
    }

    /// <summary>Everything that the archive knows of a message. The JSON form has more.</summary>
    public sealed class MessageRecord : Report
    {
        internal MessageRecord(string json) : base(json)
        {
            Info = new MessageInfo(Fields);
            From = Fields["from"].List(one => new Address(one));
            To = Fields["to"].List(one => new Address(one));
            Cc = Fields["cc"].List(one => new Address(one));
            Digest = Fields["digest"].String ?? "";
            Identity = Fields["identity"].String ?? "";
            HeaderMessageId = Fields["header_message_id"].String;
            ListId = Fields["list_id"].String;
            Labels = Fields["labels"].Strings;
            Store = Fields["store"].String ?? "";
            Sequence = Fields["sequence"].Long;
            Source = Fields["source"].String ?? "";
            SourceOffset = Fields["source_offset"].Long;
            FromLine = Fields["from_line"].String;
            Flags = Fields["flags"].String;
        }

        /// <summary>What lists show.</summary>
        public MessageInfo Info { get; }

        /// <summary>All senders, as far as they are kept.</summary>
        public IReadOnlyList<Address> From { get; }

        /// <summary>All receivers, as far as they are kept.</summary>
        public IReadOnlyList<Address> To { get; }

        /// <summary>All receivers of copies, as far as they are kept.</summary>
        public IReadOnlyList<Address> Cc { get; }

        /// <summary>SHA-256 of its bytes, in hex.</summary>
        public string Digest { get; }

        /// <summary>What makes two copies the same mail to a person.</summary>
        public string Identity { get; }

        /// <summary>Text of its Message-ID field; null if it has none.</summary>
        public string HeaderMessageId { get; }

        /// <summary>Its List-Id; null if it has none.</summary>
        public string ListId { get; }

        /// <summary>Labels that it had before it was archived, in their order.</summary>
        public IReadOnlyList<string> Labels { get; }

        /// <summary>Name of the store.</summary>
        public string Store { get; }

        /// <summary>Sequence of the commit that added the mail.</summary>
        public long Sequence { get; }

        /// <summary>Path within the source it was imported from.</summary>
        public string Source { get; }

        /// <summary>Offset in that file, in bytes.</summary>
        public long SourceOffset { get; }

        /// <summary>From_ line of the mbox it was in; null if it was in none.</summary>
        public string FromLine { get; }

        /// <summary>Flags of the Maildir it was in; null if it was in none.</summary>
        public string Flags { get; }
    }

    /// <summary>A field of a header.</summary>
    public sealed class HeaderField
    {
        internal HeaderField(Json json)
        {
            Name = json[0].String ?? "";
            Value = json[1].String ?? "";
        }

        /// <summary>Its name.</summary>
        public string Name { get; }

        /// <summary>Its value, decoded and unfolded.</summary>
        public string Value { get; }
    }

    /// <summary>A part of a mail.</summary>
    public sealed class Part
    {
        internal Part(Json json)
        {
            Number = (int)json["number"].Long;
            Parent = (int?)json["parent"].LongOrNull;
            Within = (int?)json["within"].LongOrNull;
            Kind = json["kind"].String ?? "";
            Type = json["type"].String ?? "";
            Name = json["name"].String;
            Subject = json["subject"].String;
            Size = json["size"].Long;
            IsAttachment = json["attachment"].Bool;
            Text = json["text"].String;
        }

        /// <summary>Its number, for <see cref="Session.OpenPart"/>.</summary>
        public int Number { get; }

        /// <summary>The part that it is in; null for the outermost.</summary>
        public int? Parent { get; }

        /// <summary>The innermost part around it that is a nested mail; null if there is none.</summary>
        public int? Within { get; }

        /// <summary><c>multipart</c>, <c>mail</c> or <c>leaf</c>.</summary>
        public string Kind { get; }

        /// <summary>Its media type in lower case, such as <c>text/plain</c>.</summary>
        public string Type { get; }

        /// <summary>Its file name, decoded; null if it has none.</summary>
        public string Name { get; }

        /// <summary>The subject of the mail in it; null if it is no nested mail with a subject.</summary>
        public string Subject { get; }

        /// <summary>Length of its bytes after transfer decoding; 0 for a multipart.</summary>
        public long Size { get; }

        /// <summary>It is marked as an attachment, has a file name, is a nested mail, or is not text.</summary>
        public bool IsAttachment { get; }

        /// <summary>Its text, if it is to be shown: not for an attachment. Else null.</summary>
        public string Text { get; }
    }

    /// <summary>A message as a person reads it.</summary>
    public sealed class MessageView : Report
    {
        internal MessageView(string json) : base(json)
        {
            Header = Fields["header"].List(field => new HeaderField(field));
            Parts = Fields["parts"].List(part => new Part(part));
            IsCut = Fields["cut"].Bool;
        }

        /// <summary>The fields of the mail's own header, in its order.</summary>
        public IReadOnlyList<HeaderField> Header { get; }

        /// <summary>All parts, in the order of the mail.</summary>
        public IReadOnlyList<Part> Parts { get; }

        /// <summary>
        /// There is more: a header above 256 KiB or more than 10,000 parts. The rest is in the mail's bytes.
        /// </summary>
        public bool IsCut { get; }
    }
}
