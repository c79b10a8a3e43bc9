// A session: what brings mail in and writes it out.
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Mailkeep
{
    public sealed unsafe partial class Session
    {
        /// <summary>Imports everything in a file or folder. What has a receipt is durable, whatever happens later.</summary>
        /// <param name="path">A file or folder.</param>
        /// <param name="options">How it is imported; null is the default.</param>
        /// <param name="progress">Receives how far the import is.</param>
        /// <param name="events">What is called during it; may be null.</param>
        /// <param name="token">Ends the import at the next safe point.</param>
        /// <exception cref="ArgumentNullException">The path is null.</exception>
        /// <exception cref="StoppedException">The token was cancelled; its report has the totals until then.</exception>
        /// <exception cref="MailkeepException">
        /// <c>source</c>: nothing of the source could be read. <c>disk_full</c>, <c>latched</c> and others.
        /// </exception>
        public ImportReport Import(string path, ImportOptions options = null, IProgress<Progress> progress = null,
            ImportEvents events = null, CancellationToken token = default(CancellationToken))
        {
            if (path == null) throw new ArgumentNullException(nameof(path));
            using (var frame = new Frame(progress, token))
                return Import(frame, Source(frame, path, null), options, events);
        }

        /// <summary>Imports everything in a stream. What has a receipt is durable, whatever happens later.</summary>
        /// <param name="stream">The source. It is read to its end, not disposed, and what it throws comes out of this call.</param>
        /// <param name="name">A name that hints at its format, such as <c>inbox.mbox</c>; may be empty.</param>
        /// <param name="options">How it is imported; null is the default.</param>
        /// <param name="progress">Receives how far the import is.</param>
        /// <param name="events">What is called during it; may be null.</param>
        /// <param name="token">Ends the import at the next safe point.</param>
        /// <exception cref="ArgumentNullException">The stream or the name is null.</exception>
        /// <exception cref="StoppedException">The token was cancelled; its report has the totals until then.</exception>
        /// <exception cref="MailkeepException"><c>disk_full</c>, <c>latched</c> and others.</exception>
        public ImportReport Import(Stream stream, string name = "", ImportOptions options = null,
            IProgress<Progress> progress = null, ImportEvents events = null,
            CancellationToken token = default(CancellationToken))
        {
            if (stream == null) throw new ArgumentNullException(nameof(stream));
            if (name == null) throw new ArgumentNullException(nameof(name));
            using (var frame = new Frame(progress, token))
                return Import(frame, Source(frame, name, stream), options, events);
        }

        /// <summary>Imports a file or folder on a thread of its own, which is taken until the import ends.</summary>
        /// <param name="path">A file or folder.</param>
        /// <param name="options">How it is imported; null is the default.</param>
        /// <param name="progress">Receives how far the import is.</param>
        /// <param name="events">What is called during it; may be null.</param>
        /// <param name="token">Ends the import at the next safe point.</param>
        /// <exception cref="MailkeepException">As for <see cref="Import(string, ImportOptions, IProgress{Progress},
        /// ImportEvents, CancellationToken)"/>.</exception>
        public Task<ImportReport> ImportAsync(string path, ImportOptions options = null, IProgress<Progress> progress = null,
            ImportEvents events = null, CancellationToken token = default(CancellationToken)) =>
            Background.Run(() => Import(path, options, progress, events, token), token);

        /// <summary>Imports a stream on a thread of its own, which is taken until the import ends.</summary>
        /// <param name="stream">The source.</param>
        /// <param name="name">A name that hints at its format; may be empty.</param>
        /// <param name="options">How it is imported; null is the default.</param>
        /// <param name="progress">Receives how far the import is.</param>
        /// <param name="events">What is called during it; may be null.</param>
        /// <param name="token">Ends the import at the next safe point.</param>
        /// <exception cref="MailkeepException">As for <see cref="Import(Stream, string, ImportOptions, IProgress{Progress},
        /// ImportEvents, CancellationToken)"/>.</exception>
        public Task<ImportReport> ImportAsync(Stream stream, string name = "", ImportOptions options = null,
            IProgress<Progress> progress = null, ImportEvents events = null,
            CancellationToken token = default(CancellationToken)) =>
            Background.Run(() => Import(stream, name, options, progress, events, token), token);

        private ImportReport Import(Frame frame, mk_source* source, ImportOptions options, ImportEvents events)
        {
            BufferHandle buffer;
            var given = (options ?? new ImportOptions()).OfC(frame, events);
            int status = Native.mk_session_import(out buffer, handle, source, given, Errors.Own);
            var report = new ImportReport(frame.Take(status, buffer));
            return report.IsStopped ? throw frame.Stopped(report) : report;
        }

        /// <summary>Archives one mail in a folder, which is created if missing. The mail is durable when this returns.</summary>
        /// <param name="mail">The bytes of the mail.</param>
        /// <param name="folder">The folder, such as <c>anna/inbox</c>.</param>
        /// <exception cref="ArgumentNullException">The mail or the folder is null.</exception>
        /// <exception cref="MailkeepException">
        /// <c>not_a_mail</c>: the bytes are never a mail. <c>disk_full</c>, <c>latched</c> and others.
        /// </exception>
        public Receipt ImportOne(byte[] mail, string folder) =>
            ImportOne(new ArraySegment<byte>(mail ?? throw new ArgumentNullException(nameof(mail))), folder);

        /// <summary>Archives one mail, which is a piece of an array.</summary>
        /// <param name="mail">The bytes of the mail.</param>
        /// <param name="folder">The folder, such as <c>anna/inbox</c>.</param>
        /// <exception cref="ArgumentNullException">The mail or the folder is null.</exception>
        /// <exception cref="MailkeepException">
        /// <c>not_a_mail</c>: the bytes are never a mail. <c>disk_full</c>, <c>latched</c> and others.
        /// </exception>
        public Receipt ImportOne(ArraySegment<byte> mail, string folder)
        {
            if (mail.Array == null) throw new ArgumentNullException(nameof(mail));
            if (folder == null) throw new ArgumentNullException(nameof(folder));
            using (var frame = new Frame())
            {
                UIntPtr length;
                var path = frame.String(folder, out length);
                var receipt = (mk_receipt*)frame.Zeroed(sizeof(mk_receipt));
                receipt->size = (uint)sizeof(mk_receipt);
                fixed (byte* bytes = mail.Array)
                    frame.Check(Native.mk_session_import_one(receipt, handle, bytes + mail.Offset, (UIntPtr)(uint)mail.Count,
                        path, length, Errors.Own));
                return new Receipt(receipt);
            }
        }

        /// <summary>The folder into which an import would put the mails of a file or folder.</summary>
        /// <param name="path">A file or folder.</param>
        /// <param name="options">How it would be imported; null is the default.</param>
        /// <exception cref="ArgumentNullException">The path is null.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: the options name no folder.</exception>
        public string ImportTarget(string path, ImportOptions options = null)
        {
            if (path == null) throw new ArgumentNullException(nameof(path));
            using (var frame = new Frame())
            {
                BufferHandle buffer;
                var given = (options ?? new ImportOptions()).OfC(frame, null);
                int status = Native.mk_session_import_target(out buffer, handle, Source(frame, path, null), given, Errors.Own);
                return frame.Take(status, buffer);
            }
        }

        /// <summary>
        /// Reads a file or folder as an import does, archives nothing, and returns where its mails would go.
        /// </summary>
        /// <param name="path">A file or folder.</param>
        /// <param name="options">How it would be imported; null is the default.</param>
        /// <param name="progress">Receives how far the reading is.</param>
        /// <param name="events">What is called during it; may be null.</param>
        /// <param name="token">Ends the reading.</param>
        /// <exception cref="ArgumentNullException">The path is null.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        /// <exception cref="MailkeepException"><c>source</c>: nothing of the source could be read.</exception>
        public ImportPlan Plan(string path, ImportOptions options = null, IProgress<Progress> progress = null,
            ImportEvents events = null, CancellationToken token = default(CancellationToken))
        {
            if (path == null) throw new ArgumentNullException(nameof(path));
            using (var frame = new Frame(progress, token))
            {
                BufferHandle buffer;
                var given = (options ?? new ImportOptions()).OfC(frame, events);
                int status = Native.mk_session_import_plan(out buffer, handle, Source(frame, path, null), given, Errors.Own);
                var plan = new ImportPlan(frame.Take(status, buffer));
                return plan.Source.IsStopped ? throw frame.Stopped(plan) : plan;
            }
        }

        /// <summary>
        /// Checks whether every mail of a file or folder is in the archive with exactly its bytes, apart from headers that
        /// mail programs change.
        /// </summary>
        /// <param name="path">A file or folder.</param>
        /// <param name="options">How it was imported; null is the default.</param>
        /// <param name="progress">Receives how far the check is.</param>
        /// <param name="events">Names each mail that is missing; may be null.</param>
        /// <param name="token">Ends the check.</param>
        /// <exception cref="ArgumentNullException">The path is null.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        /// <exception cref="MailkeepException"><c>source</c>: nothing of the source could be read.</exception>
        public CheckReport Check(string path, ImportOptions options = null, IProgress<Progress> progress = null,
            ImportEvents events = null, CancellationToken token = default(CancellationToken))
        {
            if (path == null) throw new ArgumentNullException(nameof(path));
            using (var frame = new Frame(progress, token))
                return Check(frame, Source(frame, path, null), options, events);
        }

        /// <summary>Checks a stream as a file is checked.</summary>
        /// <param name="stream">The source. It is read to its end, not disposed, and what it throws comes out of this call.</param>
        /// <param name="name">A name that hints at its format; may be empty.</param>
        /// <param name="options">How it was imported; null is the default.</param>
        /// <param name="progress">Receives how far the check is.</param>
        /// <param name="events">Names each mail that is missing; may be null.</param>
        /// <param name="token">Ends the check.</param>
        /// <exception cref="ArgumentNullException">The stream or the name is null.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        public CheckReport Check(Stream stream, string name = "", ImportOptions options = null,
            IProgress<Progress> progress = null, ImportEvents events = null,
            CancellationToken token = default(CancellationToken))
        {
            if (stream == null) throw new ArgumentNullException(nameof(stream));
            if (name == null) throw new ArgumentNullException(nameof(name));
            using (var frame = new Frame(progress, token))
                return Check(frame, Source(frame, name, stream), options, events);
        }

        private CheckReport Check(Frame frame, mk_source* source, ImportOptions options, ImportEvents events)
        {
            BufferHandle buffer;
            var given = (options ?? new ImportOptions()).OfC(frame, events);
            int status = Native.mk_session_check(out buffer, handle, source, given, Errors.Own);
            return new CheckReport(frame.Take(status, buffer));
        }

        /// <summary>Writes messages into a folder, which is created if missing.</summary>
        /// <param name="destination">The folder.</param>
        /// <param name="options">What is exported, and how; null is everything, as single files.</param>
        /// <param name="progress">Receives how far the export is.</param>
        /// <param name="token">Ends the export.</param>
        /// <exception cref="ArgumentNullException">The destination is null.</exception>
        /// <exception cref="QueryException">The query of the options cannot be understood.</exception>
        /// <exception cref="NotFoundException">There is no such folder in the archive.</exception>
        /// <exception cref="StoppedException">The token was cancelled; its report has the totals until then.</exception>
        /// <exception cref="MailkeepException"><c>io</c>, <c>disk_full</c>, <c>exists</c> and others.</exception>
        public ExportReport Export(string destination, ExportOptions options = null, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            if (destination == null) throw new ArgumentNullException(nameof(destination));
            using (var frame = new Frame(progress, token))
            {
                UIntPtr length;
                BufferHandle buffer;
                var path = frame.String(destination, out length);
                var given = (options ?? new ExportOptions()).OfC(frame);
                int status = Native.mk_session_export(out buffer, handle, path, length, given, Errors.Own);
                return Exported(frame, status, buffer);
            }
        }

        /// <summary>Exports on a thread of its own, which is taken until the export ends.</summary>
        /// <param name="destination">The folder.</param>
        /// <param name="options">What is exported, and how; null is everything, as single files.</param>
        /// <param name="progress">Receives how far the export is.</param>
        /// <param name="token">Ends the export.</param>
        /// <exception cref="MailkeepException">As for <see cref="Export"/>.</exception>
        public Task<ExportReport> ExportAsync(string destination, ExportOptions options = null,
            IProgress<Progress> progress = null, CancellationToken token = default(CancellationToken)) =>
            Background.Run(() => Export(destination, options, progress, token), token);

        /// <summary>Writes one mbox of the messages to a stream, folder by folder.</summary>
        /// <param name="to">The stream. What it throws comes out of this call.</param>
        /// <param name="options">
        /// What is exported; only <see cref="ExportOptions.Folder"/>, <see cref="ExportOptions.Query"/> and
        /// <see cref="ExportOptions.Failed"/> have an effect. Null is everything.
        /// </param>
        /// <param name="progress">Receives how far the export is.</param>
        /// <param name="token">Ends the export.</param>
        /// <exception cref="ArgumentNullException">The stream is null.</exception>
        /// <exception cref="QueryException">The query of the options cannot be understood.</exception>
        /// <exception cref="NotFoundException">There is no such folder in the archive.</exception>
        /// <exception cref="StoppedException">The token was cancelled; its report has the totals until then.</exception>
        public ExportReport ExportMbox(Stream to, ExportOptions options = null, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            if (to == null) throw new ArgumentNullException(nameof(to));
            using (var frame = new Frame(progress, token) { Stream = to })
            {
                BufferHandle buffer;
                var given = (options ?? new ExportOptions()).OfC(frame);
                var payload = frame.Payload;
                int status = Native.mk_session_export_mbox(out buffer, handle, Callbacks.Write, payload, given, Errors.Own);
                return Exported(frame, status, buffer);
            }
        }

        private static ExportReport Exported(Frame frame, int status, BufferHandle buffer)
        {
            var report = new ExportReport(frame.Take(status, buffer));
            return report.IsStopped ? throw frame.Stopped(report) : report;
        }

        /// <summary>The files in <c>lost+found</c>: what opens cut after the last durable commit.</summary>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public IReadOnlyList<LostFile> LostFiles()
        {
            BufferHandle buffer;
            int status = Native.mk_session_lost_files(out buffer, handle, Errors.Own);
            return Json.Parse(Take(status, buffer))["items"].List(file => new LostFile(file));
        }

        /// <summary>Passes the mails in <c>lost+found</c> to a function, one at a time.</summary>
        /// <param name="visit">Receives each mail. What it throws comes out of this call.</param>
        /// <exception cref="ArgumentNullException">The function is null.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public LostReport LostMails(Action<LostMail> visit)
        {
            using (var frame = new Frame { LostMail = visit ?? throw new ArgumentNullException(nameof(visit)) })
            {
                BufferHandle buffer;
                var payload = frame.Payload;
                int status = Native.mk_session_lost_mails(out buffer, handle, Callbacks.LostMail, payload, Errors.Own);
                return new LostReport(frame.Take(status, buffer));
            }
        }

        /// <summary>Imports the mails of <c>lost+found</c> into the folders that they were meant for.</summary>
        /// <param name="receipt">
        /// Receives a receipt for each; may be null. What it throws comes out of this call, and does not end it earlier.
        /// </param>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public ImportReport ImportLost(Action<Receipt> receipt = null)
        {
            using (var frame = new Frame())
            {
                BufferHandle buffer;
                var events = new ImportEvents { Receipt = receipt };
                int status = Native.mk_session_import_lost(out buffer, handle, events.OfC(frame), Errors.Own);
                return new ImportReport(frame.Take(status, buffer));
            }
        }

        private static mk_source* Source(Frame frame, string path, Stream stream)
        {
            var source = (mk_source*)frame.Zeroed(sizeof(mk_source));
            source->size = (uint)sizeof(mk_source);
            source->path = frame.String(path, out source->path_length);
            if (stream == null) return source;
            frame.Stream = stream;
            source->read = Callbacks.Read;
            source->payload = frame.Payload;
            return source;
        }
    }
}
