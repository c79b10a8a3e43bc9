// A session: what checks, repairs and measures an archive, and keeps its index.
using System;
using System.Collections.Generic;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Mailkeep
{
    public sealed unsafe partial class Session
    {
        /// <summary>Reads everything and checks everything. Damage is in the report, and no failure of the call.</summary>
        /// <param name="options">What is read; null is everything.</param>
        /// <param name="progress">Receives how far the verification is.</param>
        /// <param name="token">Ends the verification.</param>
        /// <exception cref="ArgumentOutOfRangeException">A number of the options is below 0.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: there is no such part, or one of the structure is asked for.</exception>
        public VerifyReport Verify(VerifyOptions options = null, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            var given = options ?? new VerifyOptions();
            uint part = (uint)Number.OfC(given.Part, nameof(given.Part)), parts = (uint)Number.OfC(given.Parts, nameof(given.Parts));
            bool isPart = part != 0 && given.Depth == VerifyDepth.Everything;
            uint depth = (isPart ? Native.MK_VERIFY_PART : (uint)given.Depth) | (given.Accept ? Native.MK_VERIFY_ACCEPT : 0);
            using (var frame = new Frame(progress, token))
            {
                BufferHandle buffer;
                int status = Native.mk_session_verify(out buffer, handle, depth, part, parts, frame.Progress, Errors.Own);
                return new VerifyReport(frame.Take(status, buffer));
            }
        }

        /// <summary>Verifies on a thread of its own, which is taken until the verification ends.</summary>
        /// <param name="options">What is read; null is everything.</param>
        /// <param name="progress">Receives how far the verification is.</param>
        /// <param name="token">Ends the verification.</param>
        /// <exception cref="MailkeepException">As for <see cref="Verify"/>.</exception>
        public Task<VerifyReport> VerifyAsync(VerifyOptions options = null, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken)) =>
            Background.Run(() => Verify(options, progress, token), token);

        /// <summary>
        /// Makes an archive that refuses mail accept it again. Close the archive afterwards and open it again.
        /// </summary>
        /// <param name="options">How it is repaired.</param>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public RepairReport Repair(RepairOptions options = RepairOptions.None)
        {
            BufferHandle buffer;
            int status = Native.mk_session_repair(out buffer, handle, (uint)options, Errors.Own);
            return new RepairReport(Take(status, buffer));
        }

        /// <summary>Totals and disk usage.</summary>
        /// <param name="token">Ends the call.</param>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public StatsReport Stats(CancellationToken token = default(CancellationToken))
        {
            using (var frame = new Frame(null, token))
            {
                BufferHandle buffer;
                int status = Native.mk_session_stats(out buffer, handle, frame.Progress, Errors.Own);
                return new StatsReport(frame.Take(status, buffer));
            }
        }

        /// <summary>Media types of attachments that are not searched.</summary>
        /// <param name="token">Ends the call.</param>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public IReadOnlyList<TypeNotRead> TypesNotRead(CancellationToken token = default(CancellationToken))
        {
            using (var frame = new Frame(null, token))
            {
                BufferHandle buffer;
                int status = Native.mk_session_types_not_read(out buffer, handle, frame.Progress, Errors.Own);
                return Json.Parse(frame.Take(status, buffer))["items"].List(type => new TypeNotRead(type));
            }
        }

        /// <summary>All parts that searches cannot look into; read page by page as they are asked for.</summary>
        public IEnumerable<NotSearchable> NotSearchable() => Pages.All(cursor => NotSearchablePage(cursor, PageSize));

        /// <summary>A page of the parts that searches cannot look into.</summary>
        /// <param name="cursor">The cursor of the page before; null for the first page.</param>
        /// <param name="most">The most parts of the page.</param>
        /// <exception cref="QueryException">The cursor is not one of this list.</exception>
        public Page<NotSearchable> NotSearchablePage(string cursor = null, int most = PageSize)
        {
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle buffer;
                var at = frame.String(cursor, out length);
                int status = Native.mk_session_not_searchable(out buffer, handle, at, length, Size(most), Errors.Own);
                var page = Json.Parse(frame.Take(status, buffer));
                return new Page<NotSearchable>(page["items"].List(part => new NotSearchable(part)), page["cursor"].String);
            }
        }

        /// <summary>The indexes of a store, or of all.</summary>
        /// <param name="store">The number of the store; 0 for all.</param>
        /// <exception cref="ArgumentOutOfRangeException">The number is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such store.</exception>
        public IReadOnlyList<StoreIndex> StoreIndexes(int store = 0)
        {
            BufferHandle buffer;
            int status = Native.mk_session_store_indexes(out buffer, handle, (uint)Number.OfC(store, nameof(store)), Errors.Own);
            return Json.Parse(Take(status, buffer))["items"].List(index => new StoreIndex(index));
        }

        /// <summary>
        /// Rebuilds the index of a store from its mails. Until it is done, searches use the old one, which stays if the call is
        /// ended.
        /// </summary>
        /// <param name="store">The number of the store.</param>
        /// <param name="progress">Receives how far it is.</param>
        /// <param name="token">Ends the call.</param>
        /// <exception cref="ArgumentOutOfRangeException">The number is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such store.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public void RebuildStoreIndex(int store, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            uint number = (uint)Number.OfC(store, nameof(store));
            using (var frame = new Frame(progress, token))
                frame.Check(Native.mk_session_rebuild_store_index(handle, number, frame.Progress, Errors.Own));
        }

        /// <summary>Marks all indexes for <see cref="RebuildSelectedStoreIndexes"/>.</summary>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public void SelectAllStoreIndexes() =>
            Errors.Check(Native.mk_session_select_all_store_indexes(handle, Errors.Own));

        /// <summary>Rebuilds the indexes that are marked or need it.</summary>
        /// <param name="progress">Receives how far it is.</param>
        /// <param name="token">Ends the call.</param>
        /// <returns>How many were rebuilt.</returns>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public long RebuildSelectedStoreIndexes(IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            using (var frame = new Frame(progress, token))
            {
                ulong rebuilt;
                frame.Check(Native.mk_session_rebuild_selected_store_indexes(out rebuilt, handle, frame.Progress, Errors.Own));
                return (long)rebuilt;
            }
        }

        /// <summary>The media types of attachments that are to be searched, besides text.</summary>
        public IReadOnlyList<string> IndexedTypes()
        {
            BufferHandle buffer;
            int status = Native.mk_session_index_configuration(out buffer, handle, Errors.Own);
            return Json.Parse(Take(status, buffer))["types"].Strings;
        }

        /// <summary>Sets the media types of attachments that are searched from now on, besides text.</summary>
        /// <param name="types">The types, such as <c>application/pdf</c>.</param>
        /// <exception cref="ArgumentNullException">The list or a type is null.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: a type cannot be searched.</exception>
        public void SetIndexedTypes(IEnumerable<string> types)
        {
            if (types == null) throw new ArgumentNullException(nameof(types));
            var json = new StringBuilder("{\"types\":[");
            string comma = "";
            foreach (string type in types)
            {
                Json.Write(json.Append(comma), type ?? throw new ArgumentNullException(nameof(types)));
                comma = ",";
            }
            using (var frame = new Frame())
            {
                UIntPtr length;
                var at = frame.String(json.Append("]}").ToString(), out length);
                frame.Check(Native.mk_session_set_index_configuration(handle, at, length, Errors.Own));
            }
        }
    }
}
