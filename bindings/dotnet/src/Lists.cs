// What lists show: messages, folders, pages of them.
using System;
using System.Collections.Generic;
using System.Globalization;

namespace Mailkeep
{
    /// <summary>Where the date of a message is from. Later versions may add origins.</summary>
    public enum DateOrigin
    {
        /// <summary>That is not known.</summary>
        Unknown = 0,

        /// <summary>The mail itself.</summary>
        Mail = 1,

        /// <summary>The From_ line of an mbox.</summary>
        MboxLine = 2,

        /// <summary>The name of a file in a Maildir.</summary>
        MaildirName = 3,

        /// <summary>None: its record has the time of archiving.</summary>
        Archiving = 4,

        /// <summary>What Apple Mail noted as received.</summary>
        Received = 5,

        /// <summary>The first Received field that has a date.</summary>
        ReceivedField = 6,
    }

    /// <summary>Whether the owner of a user archive received or sent a message.</summary>
    public enum Direction
    {
        /// <summary>That is not known.</summary>
        Unknown = 0,

        /// <summary>Received.</summary>
        Received = 1,

        /// <summary>Sent.</summary>
        Sent = 2,
    }

    /// <summary>A message in a list. <see cref="Session.Record"/> has everything else.</summary>
    public class MessageInfo
    {
        // Milliseconds, as the library has them: few programs read both.
        private readonly long date, archived;

        // Names and addresses of first sender and receiver as the library has them, and where each ends: few programs read all.
        private readonly byte[] people;
        private readonly int fromName, fromAddress, toName;

        internal unsafe MessageInfo(mk_message* row, string folder)
        {
            Id = new MessageId(row->id);
            date = row->date;
            DateOrigin = (DateOrigin)row->date_origin;
            archived = row->archived;
            Bytes = (long)row->bytes;
            Attachments = (int)row->attachments;
            Direction = (Direction)row->direction;
            Importance = row->importance;
            NumberInFolder = row->number_in_folder;
            Subject = Text.Of(row->subject);
            Folder = folder;
            fromName = Text.Length(row->from_name);
            fromAddress = fromName + Text.Length(row->from_address);
            toName = fromAddress + Text.Length(row->to_name);
            people = new byte[toName + Text.Length(row->to_address)];
            Text.Copy(row->from_name, people, 0);
            Text.Copy(row->from_address, people, fromName);
            Text.Copy(row->to_name, people, fromAddress);
            Text.Copy(row->to_address, people, toName);
        }

        internal MessageInfo(Json json)
        {
            Id = MessageId.Parse(json["id"].String);
            date = json["date"].Time?.ToUnixTimeMilliseconds() ?? Native.MK_NO_DATE;
            DateOrigin = Named(json["date_source"].String);
            archived = json["archived"].Time?.ToUnixTimeMilliseconds() ?? Native.MK_NO_DATE;
            Bytes = json["size"].Long;
            Attachments = (int)json["attachments"].Long;
            Direction = json["direction"].String == "received" ? Direction.Received
                : json["direction"].String == "sent" ? Direction.Sent : Direction.Unknown;
            Importance = (int)json["importance"].Long;
            NumberInFolder = json["number_in_folder"].Long;
            Subject = json["subject"].String ?? "";
            Folder = json["folder"].String ?? "";
            string from = json["from"][0]["name"].String, to = json["to"][0]["name"].String;
            string fromAt = json["from"][0]["address"].String, toAt = json["to"][0]["address"].String;
            people = Text.Utf8.GetBytes(from + fromAt + to + toAt);
            fromName = Text.Utf8.GetByteCount(from ?? "");
            fromAddress = fromName + Text.Utf8.GetByteCount(fromAt ?? "");
            toName = fromAddress + Text.Utf8.GetByteCount(to ?? "");
        }

        /// <summary>Its permanent id.</summary>
        public MessageId Id { get; }

        /// <summary>Its date in UTC; null if it has none, or one that .NET has no value for.</summary>
        public DateTimeOffset? Date => Times.OfMilliseconds(date);

        /// <summary>Where its date is from.</summary>
        public DateOrigin DateOrigin { get; }

        /// <summary>When it was archived, in UTC, in milliseconds.</summary>
        public DateTimeOffset Archived => Times.OfMilliseconds(archived) ?? DateTimeOffset.MinValue;

        /// <summary>Its length in bytes.</summary>
        public long Bytes { get; }

        /// <summary>How many attachments it has.</summary>
        public int Attachments { get; }

        /// <summary>Whether it was received or sent.</summary>
        public Direction Direction { get; }

        /// <summary>How important its sender called it: -1 low, 0 normal or not said, 1 high.</summary>
        public int Importance { get; }

        /// <summary>Its number in the folder, which no other message ever gets.</summary>
        public long NumberInFolder { get; }

        /// <summary>Its subject, decoded.</summary>
        public string Subject { get; }

        /// <summary>The path of its folder.</summary>
        public string Folder { get; }

        /// <summary>The name of its first sender; may be empty.</summary>
        public string FromName => Text.Utf8.GetString(people, 0, fromName);

        /// <summary>The address of its first sender; may be empty.</summary>
        public string FromAddress => Text.Utf8.GetString(people, fromName, fromAddress - fromName);

        /// <summary>The name of its first receiver; may be empty.</summary>
        public string ToName => Text.Utf8.GetString(people, fromAddress, toName - fromAddress);

        /// <summary>The address of its first receiver; may be empty.</summary>
        public string ToAddress => Text.Utf8.GetString(people, toName, people.Length - toName);

        /// <summary>Its id and its subject.</summary>
        public override string ToString() => Id + " " + Subject;

        private static DateOrigin Named(string name)
        {
            switch (name)
            {
                case "mail": return DateOrigin.Mail;
                case "mbox_line": return DateOrigin.MboxLine;
                case "maildir_name": return DateOrigin.MaildirName;
                case "archiving": return DateOrigin.Archiving;
                case "received": return DateOrigin.Received;
                case "received_field": return DateOrigin.ReceivedField;
                default: return DateOrigin.Unknown;
            }
        }
    }

    /// <summary>A folder with its counts.</summary>
    public sealed class FolderInfo
    {
        internal FolderInfo(mk_folder row)
        {
            Path = Text.Of(row.path);
            Messages = (long)row.messages;
            Bytes = (long)row.bytes;
            TotalMessages = (long)row.total_messages;
            TotalBytes = (long)row.total_bytes;
            FoldersBelow = (long)row.folders_below;
            Created = Times.OfMilliseconds(row.epoch * 1000L) ?? DateTimeOffset.MinValue;
            LastNumber = row.last_number;
        }

        /// <summary>Its path, such as <c>anna/inbox</c>.</summary>
        public string Path { get; }

        /// <summary>Messages in the folder itself.</summary>
        public long Messages { get; }

        /// <summary>Bytes of these messages.</summary>
        public long Bytes { get; }

        /// <summary>Messages in it and in all folders below it.</summary>
        public long TotalMessages { get; }

        /// <summary>Bytes of these messages.</summary>
        public long TotalBytes { get; }

        /// <summary>Folders below it, at any depth.</summary>
        public long FoldersBelow { get; }

        /// <summary>When it was created, in UTC, in seconds.</summary>
        public DateTimeOffset Created { get; }

        /// <summary>The number of the last message that was added here.</summary>
        public long LastNumber { get; }

        /// <summary>Its path.</summary>
        public override string ToString() => Path;
    }

    /// <summary>Some of a list.</summary>
    /// <typeparam name="T">What is listed.</typeparam>
    public sealed class Page<T>
    {
        internal Page(IReadOnlyList<T> items, string cursor)
        {
            Items = items;
            Cursor = cursor;
        }

        /// <summary>The rows.</summary>
        public IReadOnlyList<T> Items { get; }

        /// <summary>Where the next page begins; null if there is none. It may be kept, and is good for the same list.</summary>
        public string Cursor { get; }
    }

    internal static class Times
    {
        internal static DateTimeOffset? OfMilliseconds(long milliseconds)
        {
            // The years 1 to 9999: what the calendar of .NET has.
            const long first = -62135596800000, last = 253402300799999;
            return milliseconds < first || milliseconds > last
                ? (DateTimeOffset?)null : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        }

        internal static string Milliseconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Pages of the library, read.</summary>
    internal static unsafe class Pages
    {
        internal static mk_page_info Info(PageHandle page)
        {
            var info = new mk_page_info { size = (uint)sizeof(mk_page_info) };
            Errors.Check(Native.mk_page_get_info(&info, page, Errors.Own));
            return info;
        }

        internal static string JsonOf(PageHandle page)
        {
            using (var frame = new Frame())
            {
                BufferHandle buffer;
                int status = Native.mk_page_json(out buffer, page, Errors.Own);
                return frame.Take(status, buffer);
            }
        }

        /// <summary>What is made of a row, and of the path of its folder.</summary>
        internal delegate T Made<T>(mk_message* row, string folder, int index);

        /// <summary>The rows of a page, which the caller keeps alive.</summary>
        internal static IReadOnlyList<T> Rows<T>(PageHandle page, int count, Made<T> of)
        {
            var rows = new T[count];
            var row = new mk_message { size = (uint)sizeof(mk_message) };
            IntPtr number = page.Number, error = Errors.Own.Number;
            var last = new mk_text();
            string folder = "";
            for (int i = 0; i < count; i++)
            {
                Errors.Check(Native.mk_page_message(&row, number, (UIntPtr)(uint)i, error));
                // Many rows in turn are of one folder.
                if (!Text.Same(row.folder, last)) folder = Text.Of(last = row.folder);
                rows[i] = of(&row, folder, i);
            }
            return rows;
        }

        internal static Page<MessageInfo> Messages(int status, PageHandle page)
        {
            using (page)
            {
                Errors.Check(status);
                var info = Info(page);
                var rows = Rows(page, (int)info.count, (row, folder, i) => new MessageInfo(row, folder));
                string cursor = Text.OrNull(info.cursor);
                return new Page<MessageInfo>(rows, cursor);
            }
        }

        internal static Page<FolderInfo> Folders(int status, PageHandle page)
        {
            using (page)
            {
                Errors.Check(status);
                var info = Info(page);
                var rows = new FolderInfo[info.count];
                var row = new mk_folder { size = (uint)sizeof(mk_folder) };
                IntPtr number = page.Number, error = Errors.Own.Number;
                for (int i = 0; i < rows.Length; i++)
                {
                    Errors.Check(Native.mk_page_folder(&row, number, (UIntPtr)(uint)i, error));
                    rows[i] = new FolderInfo(row);
                }
                string cursor = Text.OrNull(info.cursor);
                return new Page<FolderInfo>(rows, cursor);
            }
        }

        /// <summary>All items of a list, page by page, as they are asked for.</summary>
        internal static IEnumerable<T> All<T>(Func<string, Page<T>> next)
        {
            string cursor = null;
            do
            {
                var page = next(cursor);
                foreach (var item in page.Items) yield return item;
                cursor = page.Cursor;
            }
            while (cursor != null);
        }
    }
}
