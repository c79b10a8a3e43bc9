// A session: what deletes messages, and brings them back.
using System;
using System.Collections.Generic;
using System.Linq;

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
