// A session: what deletes messages, brings them back, and erases them.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;

namespace Mailkeep
{
    public sealed unsafe partial class Session
    {
        /// <summary>
        /// Deletes messages, all of them or none; durable when the call returns. They leave lists, counts, searches and exports at
        /// once, and <see cref="Undelete"/> brings them back.
        /// </summary>
        /// <param name="messages">The messages.</param>
        /// <param name="reason">Why, at most 1 KiB; it is recorded.</param>
        /// <param name="isDryRun">Nothing is done; the report says what would be.</param>
        /// <exception cref="ArgumentNullException">The list or the reason is null.</exception>
        /// <exception cref="NotFoundException">A message is not there; nothing was changed.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: the reason is empty or too long.</exception>
        public DeleteReport Delete(IEnumerable<MessageId> messages, string reason, bool isDryRun = false)
        {
            if (messages == null) throw new ArgumentNullException(nameof(messages));
            if (reason == null) throw new ArgumentNullException(nameof(reason));
            using (var frame = new Frame())
            {
                UIntPtr count, length;
                var ids = frame.Ids(messages, out count);
                var text = frame.String(reason, out length);
                BufferHandle buffer;
                uint flags = isDryRun ? Native.MK_DELETE_DRY_RUN : 0;
                int status = Native.mk_session_delete(out buffer, handle, ids, count, text, length, flags, Errors.Own);
                return new DeleteReport(frame.Take(status, buffer));
            }
        }

        /// <summary>Brings deleted messages back, all of them or none. They keep their ids.</summary>
        /// <param name="messages">The messages.</param>
        /// <param name="reason">Why, at most 1 KiB; it is recorded.</param>
        /// <exception cref="ArgumentNullException">The list or the reason is null.</exception>
        /// <exception cref="NotFoundException">A message is not there; nothing was changed.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: the reason is empty or too long.</exception>
        public UndeleteReport Undelete(IEnumerable<MessageId> messages, string reason)
        {
            if (messages == null) throw new ArgumentNullException(nameof(messages));
            if (reason == null) throw new ArgumentNullException(nameof(reason));
            using (var frame = new Frame())
            {
                UIntPtr count, length;
                var ids = frame.Ids(messages, out count);
                var text = frame.String(reason, out length);
                BufferHandle buffer;
                int status = Native.mk_session_undelete(out buffer, handle, ids, count, text, length, Errors.Own);
                return new UndeleteReport(frame.Take(status, buffer));
            }
        }

        /// <summary>All deleted messages in the order of their numbers; read page by page as they are asked for.</summary>
        public IEnumerable<DeletedMessage> Deleted() => Pages.All(cursor => DeletedPage(cursor, PageSize));

        /// <summary>A page of the deleted messages.</summary>
        /// <param name="cursor">The cursor of the page before; null for the first page.</param>
        /// <param name="most">The most messages of the page.</param>
        /// <exception cref="MailkeepException"><c>misuse</c>: the cursor is not one of this list.</exception>
        public Page<DeletedMessage> DeletedPage(string cursor = null, int most = PageSize)
        {
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle buffer;
                var at = frame.String(cursor, out length);
                int status = Native.mk_session_deleted(out buffer, handle, at, length, Size(most), Errors.Own);
                var page = Json.Parse(frame.Take(status, buffer));
                return new Page<DeletedMessage>(page["items"].List(message => new DeletedMessage(message)), page["cursor"].String);
            }
        }

        /// <summary>
        /// Erases what was deleted from every file of the archive, and removes what is in <c>lost+found</c>. What is erased
        /// cannot be brought back. Everything else keeps its id, and can be read and archived meanwhile.
        /// </summary>
        /// <param name="isDryRun">Nothing is done; the report says what would be.</param>
        /// <param name="progress">Receives how far the compaction is.</param>
        /// <param name="token">Ends the compaction; the next one goes on with it.</param>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: another compaction, or a rebuild of the index, is under way;
        /// <c>disk_full</c>: what was done stays, and the next compaction goes on with it.</exception>
        public CompactReport Compact(bool isDryRun = false, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            using (var frame = new Frame(progress, token))
            {
                BufferHandle buffer;
                uint flags = isDryRun ? Native.MK_COMPACT_DRY_RUN : 0;
                int status = Native.mk_session_compact(out buffer, handle, flags, frame.Progress, Errors.Own);
                return new CompactReport(frame.Take(status, buffer));
            }
        }

        /// <summary>Compacts on a thread of its own, which is taken until the compaction ends.</summary>
        /// <param name="isDryRun">Nothing is done; the report says what would be.</param>
        /// <param name="progress">Receives how far the compaction is.</param>
        /// <param name="token">Ends the compaction; the next one goes on with it.</param>
        /// <exception cref="MailkeepException">As for <see cref="Compact"/>.</exception>
        public Task<CompactReport> CompactAsync(bool isDryRun = false, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken)) =>
            Background.Run(() => Compact(isDryRun, progress, token), token);
    }

    /// <summary>What a deletion did, or would do.</summary>
    public sealed class DeleteReport : Report
    {
        internal DeleteReport(string json) : base(json)
        {
            Deleted = Fields["deleted"].Strings.Select(MessageId.Parse).ToList();
            AlreadyDeleted = Fields["already_deleted"].Strings.Select(MessageId.Parse).ToList();
        }

        /// <summary>Messages that were deleted, each once.</summary>
        public IReadOnlyList<MessageId> Deleted { get; }

        /// <summary>Messages that were deleted already.</summary>
        public IReadOnlyList<MessageId> AlreadyDeleted { get; }
    }

    /// <summary>What a compaction did, or would do.</summary>
    public sealed class CompactReport : Report
    {
        internal CompactReport(string json) : base(json)
        {
            Erased = new Erased(Fields["erased"]);
            IsResumed = Fields["resumed"].Bool;
            Containers = Fields["containers"].Long;
            Records = Fields["records"].Long;
            LostFound = Fields["lost_found"].Long;
            BytesBefore = Fields["bytes_before"].Long;
            BytesAfter = Fields["bytes_after"].Long;
            Left = Fields["left"].List(file => new NotRewritten(file));
        }

        /// <summary>What this call erased.</summary>
        public Erased Erased { get; }

        /// <summary>It went on with an earlier compaction that was stopped.</summary>
        public bool IsResumed { get; }

        /// <summary>Containers that were rewritten.</summary>
        public long Containers { get; }

        /// <summary>Records files that were rewritten; 0 of a dry run.</summary>
        public long Records { get; }

        /// <summary>Files in <c>lost+found</c> that were removed.</summary>
        public long LostFound { get; }

        /// <summary>Bytes of all files before; of a dry run, those of the containers that would be rewritten.</summary>
        public long BytesBefore { get; }

        /// <summary>Bytes of all files after; of a dry run 0.</summary>
        public long BytesAfter { get; }

        /// <summary>
        /// What could not be rewritten, so that something erased may still be in it. The next compaction tries again.
        /// </summary>
        public IReadOnlyList<NotRewritten> Left { get; }

        /// <summary>Nothing is left of what was erased.</summary>
        public bool IsDone => Left.Count == 0;
    }

    /// <summary>What a compaction erases.</summary>
    public sealed class Erased
    {
        internal Erased(Json form)
        {
            Messages = form["messages"].Long;
            Mails = form["mails"].Long;
            Bytes = form["bytes"].Long;
            Needed = form["needed"].Long;
        }

        /// <summary>Deleted messages.</summary>
        public long Messages { get; }

        /// <summary>Different mails that only these messages had.</summary>
        public long Mails { get; }

        /// <summary>Bytes of these mails.</summary>
        public long Bytes { get; }

        /// <summary>Deleted messages that stay, since damaged mails are read from their bytes.</summary>
        public long Needed { get; }
    }

    /// <summary>A file that a compaction could not rewrite.</summary>
    public sealed class NotRewritten
    {
        internal NotRewritten(Json form)
        {
            Path = form["path"].String;
            Why = form["why"].String;
        }

        /// <summary>The file, or the folder of the index.</summary>
        public string Path { get; }

        /// <summary>Why, and what to do.</summary>
        public string Why { get; }
    }

    /// <summary>What was brought back.</summary>
    public sealed class UndeleteReport : Report
    {
        internal UndeleteReport(string json) : base(json)
        {
            Undeleted = Fields["undeleted"].Strings.Select(MessageId.Parse).ToList();
            NotDeleted = Fields["not_deleted"].Strings.Select(MessageId.Parse).ToList();
        }

        /// <summary>Messages that are back, each once.</summary>
        public IReadOnlyList<MessageId> Undeleted { get; }

        /// <summary>Messages that were not deleted.</summary>
        public IReadOnlyList<MessageId> NotDeleted { get; }
    }

    /// <summary>A deleted message: what lists showed of it, and who deleted it, when and why.</summary>
    public sealed class DeletedMessage : MessageInfo
    {
        internal DeletedMessage(Json json) : base(json)
        {
            DeletedAt = json["deleted"].Time;
            DeletedBy = json["deleted_by"].String;
            Reason = json["reason"].String;
        }

        /// <summary>When it was deleted, in UTC. Null where damage took the record of it, as for the next two.</summary>
        public DateTimeOffset? DeletedAt { get; }

        /// <summary>Who deleted it.</summary>
        public string DeletedBy { get; }

        /// <summary>Why.</summary>
        public string Reason { get; }
    }
}
