// A session: lists, reading, search. Transfer.cs has what brings mail in and out, Upkeep.cs what checks and repairs.
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Mailkeep
{
    /// <summary>An archive, used on behalf of the program or of a person. Any thread may use it.</summary>
    /// <remarks>
    /// Every call throws <see cref="ObjectDisposedException"/> if the session was disposed or the archive closed, and
    /// <see cref="DamageException"/> or another <see cref="MailkeepException"/> if the disk is not as it was written.
    /// </remarks>
    public sealed unsafe partial class Session : IDisposable
    {
        /// <summary>Rows of a page where the caller does not count them.</summary>
        private const int PageSize = 100;

        private readonly SessionHandle handle;

        internal Session(SessionHandle handle) { this.handle = handle; }

        /// <summary>Frees the session. Its searches and streams go on.</summary>
        public void Dispose() => handle.Dispose();

        /// <summary>All folders with their counts, sorted by path; read page by page as they are asked for.</summary>
        public IEnumerable<FolderInfo> Folders() => Pages.All(cursor => FoldersPage(cursor, PageSize));

        /// <summary>A page of the folders, sorted by path.</summary>
        /// <param name="cursor">The cursor of the page before; null for the first page.</param>
        /// <param name="most">The most folders of the page.</param>
        /// <exception cref="QueryException">The cursor is not one of this list.</exception>
        public Page<FolderInfo> FoldersPage(string cursor = null, int most = PageSize)
        {
            using (var frame = new Frame())
            {
                UIntPtr length;
                PageHandle page;
                var at = frame.String(cursor, out length);
                int status = Native.mk_session_folders(out page, handle, at, length, Size(most), Errors.Own);
                return Pages.Folders(status, page);
            }
        }

        /// <summary>The folders directly in a folder.</summary>
        /// <param name="path">The folder; null for the user archives.</param>
        /// <exception cref="NotFoundException">There is no such folder.</exception>
        public IReadOnlyList<FolderInfo> FoldersIn(string path = null)
        {
            using (var frame = new Frame())
            {
                UIntPtr length;
                PageHandle page;
                var at = frame.String(path, out length);
                int status = Native.mk_session_folders_in(out page, handle, at, length, Errors.Own);
                return Pages.Folders(status, page).Items;
            }
        }

        /// <summary>
        /// The messages of a folder, newest first, or all messages in the order of their numbers; read page by page as they
        /// are asked for.
        /// </summary>
        /// <param name="folder">The folder; null for all messages.</param>
        /// <exception cref="NotFoundException">There is no such folder; thrown when the list is read.</exception>
        public IEnumerable<MessageInfo> Messages(string folder = null) =>
            Pages.All(cursor => MessagesPage(folder, cursor, PageSize));

        /// <summary>A page of the messages of a folder, newest first, or of all in the order of their numbers.</summary>
        /// <param name="folder">The folder; null for all messages.</param>
        /// <param name="cursor">The cursor of the page before; null for the first page.</param>
        /// <param name="most">The most messages of the page.</param>
        /// <exception cref="NotFoundException">There is no such folder.</exception>
        /// <exception cref="QueryException">The cursor is not one of this list.</exception>
        public Page<MessageInfo> MessagesPage(string folder = null, string cursor = null, int most = PageSize)
        {
            using (var frame = new Frame())
            {
                UIntPtr length, cursorLength;
                PageHandle page;
                var path = frame.String(folder, out length);
                var at = frame.String(cursor, out cursorLength);
                int status = Native.mk_session_messages(out page, handle, path, length, at, cursorLength, Size(most), Errors.Own);
                return Pages.Messages(status, page);
            }
        }

        /// <summary>What lists show of a message.</summary>
        /// <param name="id">The message.</param>
        /// <exception cref="NotFoundException">There is no such message.</exception>
        public MessageInfo Message(MessageId id)
        {
            PageHandle page;
            int status = Native.mk_session_message(out page, handle, id.Value, Errors.Own);
            return Pages.Messages(status, page).Items[0];
        }

        /// <summary>Everything that the archive knows of a message.</summary>
        /// <param name="id">The message.</param>
        /// <exception cref="NotFoundException">There is no such message.</exception>
        public MessageRecord Record(MessageId id)
        {
            BufferHandle buffer;
            int status = Native.mk_session_record(out buffer, handle, id.Value, Errors.Own);
            return new MessageRecord(Take(status, buffer));
        }

        /// <summary>
        /// The thread of a message, oldest first: the messages that refer to each other, at most 10,000.
        /// </summary>
        /// <param name="id">The message.</param>
        /// <param name="token">Ends the call.</param>
        /// <exception cref="NotFoundException">There is no such message.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public IReadOnlyList<MessageInfo> Thread(MessageId id, CancellationToken token = default(CancellationToken))
        {
            using (var frame = new Frame(null, token))
            {
                PageHandle page;
                int status = Native.mk_session_thread(out page, handle, id.Value, frame.Progress, Errors.Own);
                frame.Check(status);
                return Pages.Messages(status, page).Items;
            }
        }

        /// <summary>The exact bytes of a message, checked against their digest.</summary>
        /// <param name="id">The message.</param>
        /// <exception cref="NotFoundException">There is no such message.</exception>
        /// <exception cref="DamageException">The bytes are damaged.</exception>
        public byte[] Raw(MessageId id)
        {
            BufferHandle buffer;
            int status = Native.mk_session_raw(out buffer, handle, id.Value, Errors.Own);
            using (buffer)
            {
                Errors.Check(status);
                return buffer.Bytes();
            }
        }

        /// <summary>The header of a message as it is, without the empty line after it.</summary>
        /// <param name="id">The message.</param>
        /// <exception cref="NotFoundException">There is no such message.</exception>
        public byte[] Header(MessageId id)
        {
            var header = new MemoryStream();
            using (var frame = new Frame { Stream = header })
            {
                var payload = frame.Payload;
                frame.Check(Native.mk_session_read_header(handle, id.Value, Callbacks.Write, payload, Errors.Own));
            }
            return header.ToArray();
        }

        /// <summary>
        /// Writes the bytes of a message to a stream. A mail of up to 16 MiB is checked before the first byte; if this throws
        /// for a larger one, what was written must not be used.
        /// </summary>
        /// <param name="id">The message.</param>
        /// <param name="to">The stream. What it throws comes out of this call.</param>
        /// <exception cref="ArgumentNullException">The stream is null.</exception>
        /// <exception cref="NotFoundException">There is no such message.</exception>
        /// <exception cref="DamageException">The bytes are damaged.</exception>
        public void CopyMail(MessageId id, Stream to)
        {
            using (var frame = new Frame { Stream = to ?? throw new ArgumentNullException(nameof(to)) })
            {
                var payload = frame.Payload;
                frame.Check(Native.mk_session_read(handle, id.Value, Callbacks.Write, payload, Errors.Own));
            }
        }

        /// <summary>
        /// Writes some bytes of a message to a stream. Of a mail above 16 MiB no more is read than up to there, so that its
        /// digest is not checked.
        /// </summary>
        /// <param name="id">The message.</param>
        /// <param name="from">The offset of the first byte.</param>
        /// <param name="end">The offset after the last byte; what is beyond the mail is left out.</param>
        /// <param name="to">The stream. What it throws comes out of this call.</param>
        /// <exception cref="ArgumentNullException">The stream is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException">An offset is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such message.</exception>
        public void CopyRange(MessageId id, long from, long end, Stream to)
        {
            using (var frame = new Frame { Stream = to ?? throw new ArgumentNullException(nameof(to)) })
            {
                ulong first = Number.OfC(from, nameof(from)), after = Number.OfC(end, nameof(end));
                var payload = frame.Payload;
                frame.Check(Native.mk_session_read_range(handle, id.Value, first, after, Callbacks.Write, payload, Errors.Own));
            }
        }

        /// <summary>Writes the decoded bytes of a part to a stream.</summary>
        /// <param name="id">The message.</param>
        /// <param name="part">The number of the part, as <see cref="Parts"/> has it.</param>
        /// <param name="to">The stream. What it throws comes out of this call.</param>
        /// <param name="from">The offset of the first byte.</param>
        /// <exception cref="ArgumentNullException">The stream is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException">A number is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such message or part.</exception>
        public void CopyPart(MessageId id, int part, Stream to, long from = 0)
        {
            using (var frame = new Frame { Stream = to ?? throw new ArgumentNullException(nameof(to)) })
            {
                uint number = (uint)Number.OfC(part, nameof(part));
                ulong first = Number.OfC(from, nameof(from));
                var payload = frame.Payload;
                frame.Check(Native.mk_session_read_part(handle, id.Value, number, first, Callbacks.Write, payload, Errors.Own));
            }
        }

        /// <summary>Passes the decoded bytes of some parts to a function, in one pass over the message.</summary>
        /// <param name="id">The message.</param>
        /// <param name="parts">The numbers of the parts.</param>
        /// <param name="write">
        /// Receives the number of a part and a piece of its bytes; each part comes at least once, even if it is empty. What it
        /// throws comes out of this call.
        /// </param>
        /// <exception cref="ArgumentNullException">The list or the function is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException">A number is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such message or part.</exception>
        public void ReadParts(MessageId id, IReadOnlyCollection<int> parts, Action<int, byte[]> write)
        {
            if (parts == null) throw new ArgumentNullException(nameof(parts));
            using (var frame = new Frame { WritePart = write ?? throw new ArgumentNullException(nameof(write)) })
            {
                var numbers = (uint*)frame.Zeroed(checked(sizeof(uint) * parts.Count));
                int count = 0;
                foreach (int part in parts) numbers[count++] = (uint)Number.OfC(part, nameof(parts));
                var payload = frame.Payload;
                frame.Check(Native.mk_session_read_parts(handle, id.Value, numbers, (UIntPtr)(uint)count, Callbacks.WritePart,
                    payload, Errors.Own));
            }
        }

        /// <summary>A message as a person reads it: header fields and parts with their texts.</summary>
        /// <param name="id">The message.</param>
        /// <exception cref="NotFoundException">There is no such message.</exception>
        public MessageView Parts(MessageId id)
        {
            BufferHandle buffer;
            int status = Native.mk_session_parts(out buffer, handle, id.Value, Errors.Own);
            return new MessageView(Take(status, buffer));
        }

        /// <summary>Opens the bytes of a mail for reading. Dispose the stream.</summary>
        /// <remarks>
        /// One call at a time reads from a stream. If reading throws, the mail is damaged, and what came before must not be
        /// used.
        /// </remarks>
        /// <param name="id">The message.</param>
        /// <exception cref="NotFoundException">There is no such message.</exception>
        /// <exception cref="DamageException">The bytes are damaged.</exception>
        public Stream OpenMail(MessageId id) => Open(id, Native.MK_WHOLE_MAIL);

        /// <summary>Opens the decoded bytes of a part for reading. Dispose the stream.</summary>
        /// <remarks>As for <see cref="OpenMail"/>.</remarks>
        /// <param name="id">The message.</param>
        /// <param name="part">The number of the part, as <see cref="Parts"/> has it.</param>
        /// <exception cref="ArgumentOutOfRangeException">The number is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such message, or no such part that has bytes.</exception>
        /// <exception cref="DamageException">The bytes are damaged.</exception>
        public Stream OpenPart(MessageId id, int part) => Open(id, (uint)Number.OfC(part, nameof(part)));

        private Stream Open(MessageId id, uint part)
        {
            StreamHandle stream;
            Errors.Check(Native.mk_stream_open(out stream, handle, id.Value, part, Errors.Own));
            stream.Parent = handle.Parent;
            return new MailStream(stream);
        }

        /// <summary>Searches once.</summary>
        /// <param name="request">What is searched for.</param>
        /// <param name="progress">Receives how far the search is.</param>
        /// <param name="token">Ends the search.</param>
        /// <exception cref="ArgumentNullException">The request is null.</exception>
        /// <exception cref="QueryException">The query cannot be understood.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public SearchResult Search(SearchRequest request, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            using (var frame = new Frame(progress, token))
            {
                UIntPtr length;
                PageHandle page;
                var json = Request(frame, request, out length);
                int status = Native.mk_session_search(out page, handle, json, length, frame.Progress, Errors.Own);
                using (page)
                {
                    frame.Check(status);
                    return new SearchResult(page);
                }
            }
        }

        /// <summary>Searches on a thread of its own, which is taken until the search ends.</summary>
        /// <param name="request">What is searched for.</param>
        /// <param name="progress">Receives how far the search is.</param>
        /// <param name="token">Ends the search.</param>
        /// <exception cref="MailkeepException">As for <see cref="Search"/>.</exception>
        public Task<SearchResult> SearchAsync(SearchRequest request, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken)) =>
            Background.Run(() => Search(request, progress, token), token);

        /// <summary>
        /// Searches, and reads the answer page by page as it is asked for. The search runs once, and all pages cost one pass;
        /// what is archived meanwhile is not in them. Each enumeration is a search of its own.
        /// </summary>
        /// <param name="request">What is searched for; its limit is that of a page.</param>
        /// <param name="token">Ends the search.</param>
        /// <exception cref="ArgumentNullException">The request is null.</exception>
        /// <exception cref="QueryException">The query cannot be understood; thrown when the answer is read.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public IEnumerable<SearchResult> SearchPages(SearchRequest request,
            CancellationToken token = default(CancellationToken))
        {
            if (request == null) throw new ArgumentNullException(nameof(request));
            return Running.Pages(handle, request, token, page => new SearchResult(page));
        }

        /// <summary>
        /// Searches, and reads all hits as they are asked for: as <see cref="SearchPages"/>, without what belongs to the whole
        /// answer.
        /// </summary>
        /// <param name="request">What is searched for; its limit is how many hits are read at once.</param>
        /// <param name="token">Ends the search.</param>
        /// <exception cref="ArgumentNullException">The request is null.</exception>
        /// <exception cref="QueryException">The query cannot be understood; thrown when the hits are read.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public IEnumerable<Hit> SearchAll(SearchRequest request, CancellationToken token = default(CancellationToken))
        {
            if (request == null) throw new ArgumentNullException(nameof(request));
            bool needsJson = request.Snippets || request.SubjectWords || request.Once;
            return Running.Hits(Running.Pages(handle, request, token, page =>
            {
                var json = needsJson ? Json.Parse(Mailkeep.Pages.JsonOf(page)) : null;
                return Mailkeep.Pages.Rows(page, (int)Mailkeep.Pages.Info(page).count, (row, folder, i) => new Hit(row, folder, json, i));
            }));
        }

        /// <summary>How a query is read, clause by clause, and what each clause finds alone.</summary>
        /// <param name="request">What is searched for.</param>
        /// <param name="token">Ends the call.</param>
        /// <exception cref="ArgumentNullException">The request is null.</exception>
        /// <exception cref="QueryException">The query cannot be understood.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public IReadOnlyList<ClauseReport> Explain(SearchRequest request, CancellationToken token = default(CancellationToken))
        {
            using (var frame = new Frame(null, token))
            {
                UIntPtr length;
                BufferHandle buffer;
                var json = Request(frame, request, out length);
                int status = Native.mk_session_explain(out buffer, handle, json, length, frame.Progress, Errors.Own);
                return Json.Parse(frame.Take(status, buffer))["items"].List(clause => new ClauseReport(clause));
            }
        }

        /// <summary>Which clauses of a query a message meets, and in which fields their words are.</summary>
        /// <param name="id">The message.</param>
        /// <param name="request">What is searched for.</param>
        /// <param name="token">Ends the call.</param>
        /// <exception cref="ArgumentNullException">The request is null.</exception>
        /// <exception cref="NotFoundException">There is no such message.</exception>
        /// <exception cref="QueryException">The query cannot be understood.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public IReadOnlyList<ClauseVerdict> Why(MessageId id, SearchRequest request,
            CancellationToken token = default(CancellationToken))
        {
            using (var frame = new Frame(null, token))
            {
                UIntPtr length;
                BufferHandle buffer;
                var json = Request(frame, request, out length);
                int status = Native.mk_session_why(out buffer, handle, id.Value, json, length, frame.Progress, Errors.Own);
                return Json.Parse(frame.Take(status, buffer))["items"].List(clause => new ClauseVerdict(clause));
            }
        }

        /// <summary>What could not be read of messages for which it would decide a search.</summary>
        /// <param name="request">What is searched for.</param>
        /// <param name="most">The most messages that are looked at.</param>
        /// <param name="token">Ends the call.</param>
        /// <exception cref="ArgumentNullException">The request is null.</exception>
        /// <exception cref="QueryException">The query cannot be understood.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public IReadOnlyList<NotSearchable> Undecided(SearchRequest request, int most = PageSize,
            CancellationToken token = default(CancellationToken))
        {
            using (var frame = new Frame(null, token))
            {
                UIntPtr length;
                BufferHandle buffer;
                var json = Request(frame, request, out length);
                int status = Native.mk_session_undecided(out buffer, handle, json, length, Size(most), frame.Progress, Errors.Own);
                return Json.Parse(frame.Take(status, buffer))["items"].List(part => new NotSearchable(part));
            }
        }

        private static byte* Request(Frame frame, SearchRequest request, out UIntPtr length) =>
            frame.String((request ?? throw new ArgumentNullException(nameof(request))).ToJson(), out length);

        private static UIntPtr Size(int most) => (UIntPtr)Number.OfC(most, nameof(most));

        private static string Take(int status, BufferHandle buffer)
        {
            using (buffer)
            {
                Errors.Check(status);
                return buffer.String();
            }
        }

        /// <summary>A search that is read page by page.</summary>
        private sealed class Running : IDisposable
        {
            private readonly SearchHandle search;

            /// <summary>Its cancellation lives as long as the search.</summary>
            private readonly Frame frame;

            private readonly int most;

            private Running(SessionHandle session, SearchRequest request, CancellationToken token)
            {
                most = request.Limit ?? PageSize;
                frame = new Frame(token);
                try
                {
                    UIntPtr length;
                    var json = Request(frame, request, out length);
                    frame.Check(Native.mk_search_begin(out search, session, json, length, frame.Progress, Errors.Own));
                    search.Parent = session.Parent;
                }
                catch
                {
                    frame.Dispose();
                    throw;
                }
            }

            internal static IEnumerable<T> Pages<T>(SessionHandle session, SearchRequest request, CancellationToken token,
                Func<PageHandle, T> read)
            {
                using (var search = new Running(session, request, token))
                {
                    while (true)
                    {
                        T page;
                        if (!search.Next(read, out page)) yield break;
                        yield return page;
                    }
                }
            }

            internal static IEnumerable<Hit> Hits(IEnumerable<IReadOnlyList<Hit>> pages)
            {
                foreach (var page in pages)
                    foreach (var hit in page)
                        yield return hit;
            }

            private bool Next<T>(Func<PageHandle, T> read, out T result)
            {
                PageHandle page;
                int status = Native.mk_search_next(out page, search, Size(most), Errors.Own);
                using (page)
                {
                    frame.Check(status);
                    result = status == Native.MK_END ? default(T) : read(page);
                    return status != Native.MK_END;
                }
            }

            public void Dispose()
            {
                search.Dispose();
                frame.Dispose();
            }
        }
    }

    /// <summary>The bytes of a mail or part.</summary>
    internal sealed class MailStream : Stream
    {
        private readonly StreamHandle handle;

        internal MailStream(StreamHandle handle) { this.handle = handle; }

        public override bool CanRead => !handle.IsClosed;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get { throw new NotSupportedException(); }
            set { throw new NotSupportedException(); }
        }

        public override void Flush() { }

        public override unsafe int Read(byte[] buffer, int offset, int count)
        {
            if (buffer == null) throw new ArgumentNullException(nameof(buffer));
            if (offset < 0) throw new ArgumentOutOfRangeException(nameof(offset));
            if (count < 0 || count > buffer.Length - offset) throw new ArgumentOutOfRangeException(nameof(count));
            if (handle.IsClosed) throw new ObjectDisposedException(nameof(MailStream));
            if (count == 0) return 0;
            UIntPtr read;
            int status;
            fixed (byte* at = &buffer[offset])
                status = Native.mk_stream_read(out read, handle, at, (UIntPtr)(uint)count, Errors.Own);
            if (status == Native.MK_END) return 0;
            Errors.Check(status);
            return (int)read.ToUInt32();
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) handle.Dispose();
            base.Dispose(disposing);
        }
    }
}
