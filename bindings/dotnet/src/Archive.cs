// Archives: how they are created, opened, closed and unlocked.
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Mailkeep
{
    /// <summary>How much a message of an open matters.</summary>
    public enum LogLevel
    {
        /// <summary>Something that people should know.</summary>
        Notice = 1,

        /// <summary>Something is wrong.</summary>
        Warning = 2,
    }

    /// <summary>How an archive is opened.</summary>
    public sealed class OpenOptions
    {
        /// <summary>Mail is not indexed.</summary>
        public bool WithoutIndex { get; set; }

        /// <summary>
        /// Closed files are read through memory maps. If the medium fails, the system then ends the process.
        /// </summary>
        public bool Mapped { get; set; }

        /// <summary>
        /// The archive is only read: beside a process that writes it, and on read-only media. No byte of it is changed; calls
        /// that would change it fail with <c>read_only</c>.
        /// </summary>
        public bool ReadOnly { get; set; }

        /// <summary>About how many bytes of memory the archive may take; 0 is the default, 144 MiB.</summary>
        public long Memory { get; set; }

        /// <summary>Containers are closed when they are larger than this many bytes; 0 is the default, 256 MiB.</summary>
        public long ContainerLimit { get; set; }

        /// <summary>Receives what the open found and did, before it returns.</summary>
        public Action<LogLevel, string> Log { get; set; }
    }

    /// <summary>How an archive is created.</summary>
    public sealed class CreateOptions
    {
        /// <summary>A passphrase that also opens it; null for none.</summary>
        public string Passphrase { get; set; }

        /// <summary>It has no key file: it opens with the recovery key, and with the passphrase if there is one.</summary>
        public bool WithoutKeyFile { get; set; }

        /// <summary>How it is opened after its creation; null is the default.</summary>
        public OpenOptions Open { get; set; }
    }

    /// <summary>An open archive. Any thread may use it.</summary>
    /// <example>
    /// <code>
    /// using (var archive = Archive.Open("mail", Key.ReadFile("mail.key")))
    /// using (var session = archive.Session())
    ///     foreach (var hit in session.SearchAll("invoice"))
    ///         Console.WriteLine(hit.Subject);
    /// </code>
    /// </example>
    public sealed unsafe class Archive : IDisposable
    {
        private readonly ArchiveHandle handle;

        internal Archive(ArchiveHandle handle) { this.handle = handle; }

        /// <summary>
        /// Begins an archive in a folder. Nothing is on disk before <see cref="NewArchive.Commit"/>: keep its keys first.
        /// </summary>
        /// <param name="folder">The folder, which is created if missing, and must be empty.</param>
        /// <param name="owner">The name of its first user archive, such as <c>anna</c>.</param>
        /// <param name="options">How it is created; null is the default.</param>
        /// <exception cref="ArgumentNullException">The folder or the owner is null.</exception>
        /// <exception cref="MailkeepException"><c>exists</c>: there is something in the folder.</exception>
        public static NewArchive Create(string folder, string owner, CreateOptions options = null) =>
            NewArchive.Begin(folder, owner, options ?? new CreateOptions());

        /// <summary>Opens the archive in a folder.</summary>
        /// <param name="folder">The folder.</param>
        /// <param name="key">A key that opens it.</param>
        /// <param name="options">How it is opened; null is the default.</param>
        /// <param name="progress">Receives how far the open is: it may have to read records and to index mails.</param>
        /// <param name="token">Ends the open.</param>
        /// <exception cref="ArgumentNullException">The folder or the key is null.</exception>
        /// <exception cref="WrongKeyException">The key does not open it.</exception>
        /// <exception cref="InUseException">It is open elsewhere.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        /// <exception cref="MailkeepException"><c>not_an_archive</c>, <c>io</c> and others.</exception>
        public static Archive Open(string folder, Key key, OpenOptions options = null, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            if (folder == null) throw new ArgumentNullException(nameof(folder));
            using (var frame = new Frame(progress, token))
            {
                UIntPtr length;
                ArchiveHandle opened;
                var path = frame.String(folder, out length);
                var given = frame.Key(key);
                int status = Native.mk_archive_open(out opened, path, length, given, OfC(options ?? new OpenOptions(), frame),
                    Errors.Own);
                return Opened(frame, status, opened);
            }
        }

        /// <summary>Opens the archive in a folder on a thread of its own, which waits for the disk.</summary>
        /// <param name="folder">The folder.</param>
        /// <param name="key">A key that opens it.</param>
        /// <param name="options">How it is opened; null is the default.</param>
        /// <param name="progress">Receives how far the open is.</param>
        /// <param name="token">Ends the open.</param>
        /// <exception cref="MailkeepException">As for <see cref="Open"/>.</exception>
        public static Task<Archive> OpenAsync(string folder, Key key, OpenOptions options = null,
            IProgress<Progress> progress = null, CancellationToken token = default(CancellationToken)) =>
            Background.Run(() => Open(folder, key, options, progress, token), token);

        /// <summary>The id of the archive in a folder, without a key: 32 hex digits.</summary>
        /// <param name="folder">The folder.</param>
        /// <exception cref="ArgumentNullException">The folder is null.</exception>
        /// <exception cref="MailkeepException"><c>not_an_archive</c>, <c>broken_identity</c> and others.</exception>
        public static string IdOf(string folder)
        {
            if (folder == null) throw new ArgumentNullException(nameof(folder));
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle buffer;
                var path = frame.String(folder, out length);
                int status = Native.mk_archive_id_of(out buffer, path, length, Errors.Own);
                return frame.Take(status, buffer);
            }
        }

        /// <summary>What opens the archive in a folder, as an English text for people who look for the right key.</summary>
        /// <param name="folder">The folder.</param>
        /// <exception cref="ArgumentNullException">The folder is null.</exception>
        /// <exception cref="MailkeepException"><c>not_an_archive</c>, <c>broken_identity</c> and others.</exception>
        public static string OpensWith(string folder)
        {
            if (folder == null) throw new ArgumentNullException(nameof(folder));
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle buffer;
                var path = frame.String(folder, out length);
                int status = Native.mk_archive_opens_with(out buffer, path, length, Errors.Own);
                return frame.Take(status, buffer);
            }
        }

        /// <summary>
        /// Whether a path, which need not exist, is or leads into a folder with an archive, also by links: nothing may be
        /// written there.
        /// </summary>
        /// <param name="folder">The folder with the archive.</param>
        /// <param name="path">The path.</param>
        /// <exception cref="ArgumentNullException">The folder or the path is null.</exception>
        public static bool LiesIn(string folder, string path)
        {
            if (folder == null) throw new ArgumentNullException(nameof(folder));
            if (path == null) throw new ArgumentNullException(nameof(path));
            using (var frame = new Frame())
            {
                UIntPtr length, otherLength;
                int isInside;
                var at = frame.String(folder, out length);
                var other = frame.String(path, out otherLength);
                frame.Check(Native.mk_archive_lies_in(out isInside, at, length, other, otherLength, Errors.Own));
                return isInside != 0;
            }
        }

        /// <summary>Tries a key on the archive in a folder. Nothing else is opened, and the archive may be in use.</summary>
        /// <param name="folder">The folder.</param>
        /// <param name="key">The key.</param>
        /// <returns>The slot that the key opens.</returns>
        /// <exception cref="ArgumentNullException">The folder or the key is null.</exception>
        /// <exception cref="WrongKeyException">The key does not open it.</exception>
        public static KeySlot TestKey(string folder, Key key)
        {
            if (folder == null) throw new ArgumentNullException(nameof(folder));
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle buffer;
                var path = frame.String(folder, out length);
                int status = Native.mk_key_test(out buffer, path, length, frame.Key(key), Errors.Own);
                return new KeySlot(Json.Parse(frame.Take(status, buffer)));
            }
        }

        /// <summary>What is known of the archive, and what its open found.</summary>
        /// <exception cref="ObjectDisposedException">The archive was closed.</exception>
        public ArchiveInfo Info()
        {
            using (var frame = new Frame())
            {
                BufferHandle buffer;
                int status = Native.mk_archive_info(out buffer, handle, Errors.Own);
                return new ArchiveInfo(frame.Take(status, buffer));
            }
        }

        /// <summary>The archive, used by the program itself, which sees and does everything.</summary>
        /// <exception cref="ObjectDisposedException">The archive was closed.</exception>
        public Session Session() => Session(null);

        /// <summary>The archive, used on behalf of a person.</summary>
        /// <param name="user">The person, with the folders that they see; null for the program itself.</param>
        /// <exception cref="ObjectDisposedException">The archive was closed.</exception>
        public Session Session(User user)
        {
            using (var frame = new Frame())
            {
                UIntPtr length;
                SessionHandle begun;
                var json = frame.String(user?.ToJson(), out length);
                int status = Native.mk_session_begin(out begun, handle, json, length, Errors.Own);
                frame.Check(status);
                begun.Parent = handle;
                return new Session(begun);
            }
        }

        /// <summary>
        /// Notes on disk that everything up to the last commit is synced. An archive does this by itself within a second.
        /// </summary>
        /// <exception cref="ObjectDisposedException">The archive was closed.</exception>
        /// <exception cref="MailkeepException"><c>io</c>: the note could not be written.</exception>
        public void Mark() => Errors.Check(Native.mk_archive_mark(handle, Errors.Own));

        /// <summary>
        /// Shows what was committed since the archive was opened with <see cref="OpenOptions.ReadOnly"/>, or refreshed last.
        /// Calls under way and streams that were begun go on with what they saw; lists and searches go on in the new state.
        /// Does nothing to an archive that is open for writing.
        /// </summary>
        /// <exception cref="ObjectDisposedException">The archive was closed.</exception>
        /// <exception cref="MailkeepException">
        /// As for <see cref="Open"/>; the archive then shows what it showed before.
        /// </exception>
        public void Refresh() => Errors.Check(Native.mk_archive_refresh(handle, Errors.Own));

        /// <summary>
        /// Holds everything that changes a file of the archive, so that its folder can be copied, or a snapshot of its volume
        /// taken: such a copy has all mail that had a receipt before. Reading and searching go on; other calls wait, in this
        /// thread too, until it is thawed or the time is over. Closing the archive thaws it at once.
        /// </summary>
        /// <param name="max">The longest time that nothing changes.</param>
        /// <exception cref="ArgumentOutOfRangeException">The time is below 0.</exception>
        /// <exception cref="ObjectDisposedException">The archive was closed.</exception>
        /// <exception cref="MailkeepException">
        /// <c>misuse</c>: it is frozen already; <c>read_only</c>; <c>io</c>: what was not synced yet could not be.
        /// </exception>
        public Frozen Freeze(TimeSpan max)
        {
            FrozenHandle frozen;
            ulong milliseconds = Number.OfC((long)max.TotalMilliseconds, nameof(max));
            Errors.Check(Native.mk_archive_freeze(out frozen, handle, milliseconds, Errors.Own));
            frozen.Parent = handle;
            return new Frozen(frozen);
        }

        /// <summary>What opens the archive.</summary>
        /// <exception cref="ObjectDisposedException">The archive was closed.</exception>
        public KeyStatus KeyStatus()
        {
            using (var frame = new Frame())
            {
                BufferHandle buffer;
                int status = Native.mk_key_status(out buffer, handle, Errors.Own);
                return new KeyStatus(frame.Take(status, buffer));
            }
        }

        /// <summary>Notes that the recovery key is at hand, if this is it.</summary>
        /// <param name="key">The recovery key.</param>
        /// <exception cref="ArgumentNullException">The key is null.</exception>
        /// <exception cref="WrongKeyException">It is another key.</exception>
        /// <exception cref="ObjectDisposedException">The archive was closed.</exception>
        public void ConfirmRecoveryKey(Key key)
        {
            using (var frame = new Frame())
                frame.Check(Native.mk_key_confirm_recovery(handle, frame.Key(key), Errors.Own));
        }

        /// <summary>Adds a passphrase that opens the archive.</summary>
        /// <param name="passphrase">The passphrase.</param>
        /// <returns>Its slot, by which it is removed.</returns>
        /// <exception cref="ArgumentNullException">The passphrase is null.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: it is too short, or there are too many.</exception>
        /// <exception cref="ObjectDisposedException">The archive was closed.</exception>
        public KeySlot AddPassphrase(string passphrase)
        {
            if (passphrase == null) throw new ArgumentNullException(nameof(passphrase));
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle buffer;
                var secret = frame.Secret(passphrase, out length);
                int status = Native.mk_key_add_passphrase(out buffer, handle, secret, length, Errors.Own);
                return new KeySlot(Json.Parse(frame.Take(status, buffer)));
            }
        }

        /// <summary>Removes a passphrase.</summary>
        /// <param name="slot">The id of its slot, such as <c>1f2e3d4c</c>.</param>
        /// <exception cref="ArgumentNullException">The slot is null.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: no passphrase has this slot.</exception>
        /// <exception cref="ObjectDisposedException">The archive was closed.</exception>
        public void RemovePassphrase(string slot)
        {
            if (slot == null) throw new ArgumentNullException(nameof(slot));
            using (var frame = new Frame())
            {
                UIntPtr length;
                var at = frame.String(slot, out length);
                frame.Check(Native.mk_key_remove_passphrase(handle, at, length, Errors.Own));
            }
        }

        /// <summary>
        /// Closes the archive, with its sessions, searches and streams. It waits for calls under way; cancel them first if
        /// they are long. The archive is closed when this returns, whatever it throws; closing it again does nothing.
        /// </summary>
        /// <param name="progress">Receives how far it is.</param>
        /// <param name="token">Leaves to the next open what the caches lack.</param>
        /// <exception cref="InvalidOperationException">
        /// It is called by a function that a call runs, such as a progress report: the archive stays open.
        /// </exception>
        /// <exception cref="StoppedException">The token was cancelled: the archive is closed, and no mail is lost.</exception>
        /// <exception cref="MailkeepException">
        /// <c>caches_lag</c>: catalog or index could not be written; all mail is archived. <c>io</c>: the note that everything
        /// is synced could not be written; all mail with a receipt is.
        /// </exception>
        public void Close(IProgress<Progress> progress = null, CancellationToken token = default(CancellationToken))
        {
            if (handle.IsClosed) return;
            // Cancelled or not, it must be closed.
            using (var frame = token.IsCancellationRequested ? new Frame() : new Frame(progress, token))
            {
                int status = Native.mk_archive_close(handle.Number, frame.Progress, Errors.Own);
                if (status == Native.MK_MISUSE)
                    throw new InvalidOperationException("an archive cannot be closed by a function that one of its calls runs");
                // Another thread was faster.
                if (status == Native.MK_BAD_HANDLE) return;
                handle.SetHandleAsInvalid();
                frame.Check(status);
            }
        }

        /// <summary>Closes the archive on a thread of its own.</summary>
        /// <param name="progress">Receives how far it is.</param>
        /// <param name="token">Leaves to the next open what the caches lack.</param>
        /// <exception cref="MailkeepException">As for <see cref="Close"/>.</exception>
        public Task CloseAsync(IProgress<Progress> progress = null, CancellationToken token = default(CancellationToken)) =>
            Background.Run(() => { Close(progress, token); return true; }, CancellationToken.None);

        /// <summary>
        /// Closes the archive as <see cref="Close"/> does, and passes over what could not be written: it costs no mail with a
        /// receipt. A program that wants to know calls <see cref="Close"/> first.
        /// </summary>
        /// <exception cref="InvalidOperationException">
        /// It is called by a function that a call runs, such as a progress report: the archive stays open.
        /// </exception>
        public void Dispose()
        {
            try { Close(); }
            catch (MailkeepException) { }
        }

        internal static Archive Opened(Frame frame, int status, ArchiveHandle opened)
        {
            try { frame.Check(status); }
            catch
            {
                // Such as a log that threw.
                opened?.Dispose();
                throw;
            }
            return new Archive(opened);
        }

        internal static mk_open_options* OfC(OpenOptions options, Frame frame)
        {
            var of = (mk_open_options*)frame.Zeroed(sizeof(mk_open_options));
            of->size = (uint)sizeof(mk_open_options);
            of->flags = (options.WithoutIndex ? Native.MK_OPEN_WITHOUT_INDEX : 0) | (options.Mapped ? Native.MK_OPEN_MAPPED : 0)
                | (options.ReadOnly ? Native.MK_OPEN_READ_ONLY : 0);
            of->memory = Number.OfC(options.Memory, nameof(options.Memory));
            of->container_limit = Number.OfC(options.ContainerLimit, nameof(options.ContainerLimit));
            of->progress = frame.Progress;
            if (options.Log == null) return of;
            frame.Log = options.Log;
            of->log = Callbacks.Log;
            of->log_payload = frame.Payload;
            return of;
        }
    }

    /// <summary>An archive that does not change; disposing of this lets it change again.</summary>
    /// <example>
    /// <code>
    /// using (var frozen = archive.Freeze(TimeSpan.FromMinutes(10)))
    /// {
    ///     CopyFolder(archive.Info().Folder, "backup");
    ///     if (!frozen.Thaw()) throw new TimeoutException("the copy took longer than ten minutes");
    /// }
    /// </code>
    /// </example>
    public sealed class Frozen : IDisposable
    {
        private readonly FrozenHandle handle;

        internal Frozen(FrozenHandle handle) { this.handle = handle; }

        /// <summary>
        /// Lets the archive change again. Returns whether nothing had changed until now: if not, the time was over, and a copy
        /// that was not complete by then is none.
        /// </summary>
        /// <exception cref="MailkeepException"><c>misuse</c>: it was thawed before.</exception>
        /// <exception cref="ObjectDisposedException">
        /// It was disposed of, or the archive was closed: then a copy must not be used.
        /// </exception>
        public bool Thaw()
        {
            int held;
            Errors.Check(Native.mk_frozen_thaw(out held, handle, Errors.Own));
            return held != 0;
        }

        /// <summary>Lets the archive change again, if it was not thawed.</summary>
        public void Dispose() => handle.Dispose();
    }

    /// <summary>An archive that is about to be created. Nothing is on disk yet.</summary>
    public sealed unsafe class NewArchive : IDisposable
    {
        private readonly NewArchiveHandle handle;

        /// <summary>How it is opened lives until it is.</summary>
        private readonly Frame frame;

        private NewArchive(NewArchiveHandle handle, Frame frame)
        {
            this.handle = handle;
            this.frame = frame;
        }

        internal static NewArchive Begin(string folder, string owner, CreateOptions options)
        {
            if (folder == null) throw new ArgumentNullException(nameof(folder));
            if (owner == null) throw new ArgumentNullException(nameof(owner));
            var frame = new Frame();
            try
            {
                UIntPtr length, ownerLength;
                NewArchiveHandle made;
                var path = frame.String(folder, out length);
                var name = frame.String(owner, out ownerLength);
                var of = (mk_create_options*)frame.Zeroed(sizeof(mk_create_options));
                of->size = (uint)sizeof(mk_create_options);
                of->flags = options.WithoutKeyFile ? Native.MK_CREATE_WITHOUT_KEY_FILE : 0;
                of->passphrase = frame.Secret(options.Passphrase, out of->passphrase_length);
                if (options.Open != null) of->open = Archive.OfC(options.Open, frame);
                frame.Check(Native.mk_new_archive_begin(out made, path, length, name, ownerLength, of, Errors.Own));
                return new NewArchive(made, frame);
            }
            catch
            {
                frame.Dispose();
                throw;
            }
        }

        /// <summary>The recovery key, for its owner to write down: it cannot be shown again.</summary>
        /// <exception cref="MailkeepException"><c>misuse</c>: it was committed.</exception>
        /// <exception cref="ObjectDisposedException">It was disposed.</exception>
        public string RecoveryKey
        {
            get
            {
                BufferHandle buffer;
                int status = Native.mk_new_archive_recovery_key(out buffer, handle, Errors.Own);
                return frame.Take(status, buffer);
            }
        }

        /// <summary>The text for a key file outside the archive; empty if none was wanted.</summary>
        /// <exception cref="MailkeepException"><c>misuse</c>: it was committed.</exception>
        /// <exception cref="ObjectDisposedException">It was disposed.</exception>
        public string KeyFile
        {
            get
            {
                BufferHandle buffer;
                int status = Native.mk_new_archive_key_file(out buffer, handle, Errors.Own);
                return frame.Take(status, buffer);
            }
        }

        /// <summary>The id that the archive will have: 32 hex digits.</summary>
        /// <exception cref="MailkeepException"><c>misuse</c>: it was committed.</exception>
        /// <exception cref="ObjectDisposedException">It was disposed.</exception>
        public string Id
        {
            get
            {
                BufferHandle buffer;
                int status = Native.mk_new_archive_id(out buffer, handle, Errors.Own);
                return frame.Take(status, buffer);
            }
        }

        /// <summary>Creates the archive and opens it.</summary>
        /// <exception cref="MailkeepException">
        /// <c>misuse</c>: its keys were not asked for, then ask and commit again; or it was committed before.
        /// <c>exists</c>, <c>io</c> and others: it could not be created.
        /// </exception>
        /// <exception cref="ObjectDisposedException">It was disposed.</exception>
        public Archive Commit()
        {
            ArchiveHandle opened;
            int status = Native.mk_new_archive_commit(out opened, handle, Errors.Own);
            return Archive.Opened(frame, status, opened);
        }

        /// <summary>Frees it. If it was not committed, nothing is created.</summary>
        public void Dispose()
        {
            handle.Dispose();
            frame.Dispose();
        }
    }

    /// <summary>Long calls as tasks.</summary>
    internal static class Background
    {
        // A thread of its own: a long call would take one from the pool, which other tasks wait for.
        internal static Task<T> Run<T>(Func<T> work, CancellationToken token) =>
            Task.Factory.StartNew(work, token, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach,
                TaskScheduler.Default);
    }

    internal static class Number
    {
        internal static ulong OfC(long number, string name) =>
            number >= 0 ? (ulong)number : throw new ArgumentOutOfRangeException(name, number, "it is below 0");
    }
}
