// A session: the stores of the archive.
using System;
using System.Collections.Generic;
using System.Threading;

namespace Mailkeep
{
    public sealed unsafe partial class Session
    {
        /// <summary>The stores of the archive, by number.</summary>
        /// <param name="withStats">Each that is open has its <see cref="StoreInfo.Stats"/>, which takes a look at every file.</param>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public IReadOnlyList<StoreInfo> GetStores(bool withStats = false)
        {
            BufferHandle buffer;
            int status = Native.mk_session_stores(out buffer, handle, withStats ? Native.MK_STORES_STATS : 0, Errors.Own);
            return Json.Parse(Take(status, buffer))["items"].List(store => new StoreInfo(store));
        }

        /// <summary>Creates a store, and returns its number. It takes new mail from then on, unless the state says otherwise.</summary>
        /// <param name="name">Its name, which no other store has.</param>
        /// <param name="state">What it is to be used for.</param>
        /// <param name="dirs">Where its files go; null is a folder within the archive. Folders that exist must be empty.</param>
        /// <exception cref="ArgumentNullException">The name is null.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="MailkeepException"><c>store_exists</c>: another store has the name; <c>misuse</c>: a folder cannot be
        /// used.</exception>
        public int CreateStore(string name, StoreState state = StoreState.Current, StoreDirs dirs = null)
        {
            using (var frame = new Frame())
            {
                uint store;
                UIntPtr length;
                var called = frame.String(Given(name, nameof(name)), out length);
                frame.Check(Native.mk_session_create_store(out store, handle, called, length, (uint)state, frame.StoreDirs(dirs), Errors.Own));
                return (int)store;
            }
        }

        /// <summary>
        /// Makes a store that was detached part of the archive again, and returns its number, which is the one that it had.
        /// </summary>
        /// <param name="name">Its name, which no other store has.</param>
        /// <param name="dirs">Where its files are.</param>
        /// <param name="state">What it is to be used for.</param>
        /// <exception cref="ArgumentNullException">The name or the folders are null.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="MailkeepException"><c>not_a_store</c>: there is no store of this archive; <c>misuse</c>: it is part of
        /// the archive; <c>store_not_open</c>: it was attached and cannot be opened.</exception>
        public int AttachStore(string name, StoreDirs dirs, StoreState state = StoreState.Normal)
        {
            if (dirs == null) throw new ArgumentNullException(nameof(dirs));
            using (var frame = new Frame())
            {
                uint store;
                UIntPtr length;
                var called = frame.String(Given(name, nameof(name)), out length);
                frame.Check(Native.mk_session_attach_store(out store, handle, called, length, (uint)state, frame.StoreDirs(dirs), Errors.Own));
                return (int)store;
            }
        }

        /// <summary>
        /// Takes a store out of the archive. Its files stay as they are; its messages are in no list and no search until it is
        /// attached again. Waits up to 10 s for calls that use it.
        /// </summary>
        /// <param name="store">Its number.</param>
        /// <param name="token">Ends the call.</param>
        /// <exception cref="ArgumentOutOfRangeException">The number is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such store.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="MailkeepException"><c>store_busy</c>: calls still use it, and nothing was changed; <c>misuse</c>: it is
        /// the only store.</exception>
        public void DetachStore(int store, CancellationToken token = default(CancellationToken))
        {
            uint number = (uint)Number.OfC(store, nameof(store));
            using (var frame = new Frame(null, token)) frame.Check(Native.mk_session_detach_store(handle, number, frame.Progress, Errors.Own));
        }

        /// <summary>Gives a store another name. Its folders keep theirs.</summary>
        /// <param name="store">Its number.</param>
        /// <param name="name">Its new name, which no other store has.</param>
        /// <exception cref="ArgumentNullException">The name is null.</exception>
        /// <exception cref="ArgumentOutOfRangeException">The number is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such store.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="MailkeepException"><c>store_exists</c>: another store has the name.</exception>
        public void RenameStore(int store, string name)
        {
            uint number = (uint)Number.OfC(store, nameof(store));
            using (var frame = new Frame())
            {
                UIntPtr length;
                var called = frame.String(Given(name, nameof(name)), out length);
                frame.Check(Native.mk_session_rename_store(handle, number, called, length, Errors.Own));
            }
        }

        /// <summary>
        /// Puts a store into a state. One that is disabled is closed, once calls that use it have ended, for which it waits up to
        /// 10 s.
        /// </summary>
        /// <param name="store">Its number.</param>
        /// <param name="state">What it is to be used for.</param>
        /// <param name="progress">Receives how far it is: a store that is opened may have to be indexed.</param>
        /// <param name="token">Ends the call.</param>
        /// <exception cref="ArgumentOutOfRangeException">The number is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such store.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="MailkeepException"><c>store_busy</c>: calls still use it, and nothing was changed;
        /// <c>store_not_open</c>: it cannot be opened; the state is recorded, and <see cref="RetryOpenStores"/> tries
        /// again.</exception>
        public void SetStoreState(int store, StoreState state, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            uint number = (uint)Number.OfC(store, nameof(store));
            using (var frame = new Frame(progress, token))
                frame.Check(Native.mk_session_set_store_state(handle, number, (uint)state, frame.Progress, Errors.Own));
        }

        /// <summary>Records where the files of a disabled store are, after the program moved them: this moves nothing.</summary>
        /// <param name="store">Its number.</param>
        /// <param name="dirs">Where they are; null is a folder within the archive.</param>
        /// <exception cref="ArgumentOutOfRangeException">The number is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such store.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: the store is not disabled.</exception>
        public void SetStoreDirs(int store, StoreDirs dirs)
        {
            uint number = (uint)Number.OfC(store, nameof(store));
            using (var frame = new Frame()) frame.Check(Native.mk_session_set_store_dirs(handle, number, frame.StoreDirs(dirs), Errors.Own));
        }

        /// <summary>
        /// When a new store is made by itself: <c>never</c>, <c>messages:N</c> (when the current store has so many),
        /// <c>bytes:N</c> (when its mails have so many bytes, each counted once), <c>monthly</c> or <c>quarterly</c>. It is named
        /// after the month, such as <c>2026-12</c>, lies within the archive, and takes new mail.
        /// </summary>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: there is no such rule.</exception>
        public string StoreRule
        {
            get
            {
                BufferHandle buffer;
                int status = Native.mk_session_store_rule(out buffer, handle, Errors.Own);
                return Take(status, buffer);
            }
            set
            {
                using (var frame = new Frame())
                {
                    UIntPtr length;
                    var rule = frame.String(Given(value, nameof(value)), out length);
                    frame.Check(Native.mk_session_set_store_rule(handle, rule, length, Errors.Own));
                }
            }
        }

        /// <summary>Tries again to open the stores that could not be opened. Returns why some still cannot.</summary>
        /// <param name="progress">Receives how far it is.</param>
        /// <param name="token">Ends the call.</param>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public IReadOnlyList<StoreNotOpen> RetryOpenStores(IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            using (var frame = new Frame(progress, token))
            {
                BufferHandle buffer;
                int status = Native.mk_session_retry_open_stores(out buffer, handle, frame.Progress, Errors.Own);
                return Json.Parse(frame.Take(status, buffer))["items"].List(store => new StoreNotOpen(store));
            }
        }

        /// <summary><see cref="Compact"/> for one store.</summary>
        /// <param name="store">Its number.</param>
        /// <param name="isDryRun">Nothing is done; the report says what would be.</param>
        /// <param name="progress">Receives how far the compaction is.</param>
        /// <param name="token">Ends the compaction; the next one goes on with it.</param>
        /// <exception cref="ArgumentOutOfRangeException">The number is below 0.</exception>
        /// <exception cref="NotFoundException">There is no such store.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        /// <exception cref="StoppedException">The token was cancelled.</exception>
        /// <exception cref="MailkeepException"><c>store_write_protected</c>; and as for <see cref="Compact"/>.</exception>
        public CompactReport CompactStore(int store, bool isDryRun = false, IProgress<Progress> progress = null,
            CancellationToken token = default(CancellationToken))
        {
            uint number = (uint)Number.OfC(store, nameof(store));
            using (var frame = new Frame(progress, token))
            {
                BufferHandle buffer;
                uint flags = isDryRun ? Native.MK_COMPACT_DRY_RUN : 0;
                int status = Native.mk_session_compact_store(out buffer, handle, number, flags, frame.Progress, Errors.Own);
                return new CompactReport(frame.Take(status, buffer));
            }
        }
    }

    /// <summary>What a store is to be used for.</summary>
    public enum StoreState
    {
        /// <summary>A state that this version does not know.</summary>
        Unknown = 0,

        /// <summary>It takes new mail; the store that did becomes <see cref="Normal"/>.</summary>
        Current = 1,

        /// <summary>It is read and searched, and its messages and folders can be changed.</summary>
        Normal = 2,

        /// <summary>It is read and searched, and nothing in it changes.</summary>
        WriteProtected = 3,

        /// <summary>It is closed: its messages are in no list and no search.</summary>
        Disabled = 4,
    }

    /// <summary>Where the files of a store are. A relative path counts from the current folder.</summary>
    public sealed class StoreDirs
    {
        /// <summary>Records and catalog, and everything else unless it is named; null is a folder within the archive.</summary>
        public string Dir { get; set; }

        /// <summary>Containers; null is <c>content</c> in <see cref="Dir"/>.</summary>
        public string ContentDir { get; set; }

        /// <summary>The index; null is <c>index</c> in <see cref="Dir"/>.</summary>
        public string IndexDir { get; set; }
    }

    /// <summary>A store of the archive.</summary>
    public sealed class StoreInfo
    {
        internal StoreInfo(Json json)
        {
            Number = (int)json["number"].Long;
            Name = json["name"].String ?? "";
            Id = json["id"].String ?? "";
            State = StateOf(json["state"].String);
            IsOpen = json["open"].Bool;
            Error = json["error"].String;
            ErrorCode = json["error_code"].String;
            Dir = json["dir"].String ?? "";
            ContentDir = json["content_dir"].String ?? "";
            IndexDir = json["index_dir"].String ?? "";
            Stats = json["stats"].IsNull ? null : new StoreStats(json["stats"]);
        }

        /// <summary>Its number: the first part of the ids of its messages. It is never given to another store.</summary>
        public int Number { get; }

        /// <summary>Its name.</summary>
        public string Name { get; }

        /// <summary>Its id, for ever.</summary>
        public string Id { get; }

        /// <summary>What it is to be used for.</summary>
        public StoreState State { get; }

        /// <summary>Whether it is open: its messages are listed and searched.</summary>
        public bool IsOpen { get; }

        /// <summary>Why it is not open, if it should be. Else null.</summary>
        public string Error { get; }

        /// <summary>The code of that error.</summary>
        public string ErrorCode { get; }

        /// <summary>Its folder: records and catalog.</summary>
        public string Dir { get; }

        /// <summary>The folder of its containers.</summary>
        public string ContentDir { get; }

        /// <summary>The folder of its index.</summary>
        public string IndexDir { get; }

        /// <summary>Its contents in numbers, if it is open and they were asked for. Else null.</summary>
        public StoreStats Stats { get; }

        private static StoreState StateOf(string name)
        {
            switch (name)
            {
                case "current": return StoreState.Current;
                case "normal": return StoreState.Normal;
                case "writeProtected": return StoreState.WriteProtected;
                case "disabled": return StoreState.Disabled;
                default: return StoreState.Unknown;
            }
        }
    }

    /// <summary>A store that could not be opened.</summary>
    public sealed class StoreNotOpen
    {
        internal StoreNotOpen(Json json)
        {
            Store = json["store"].String ?? "";
            Message = json["message"].String ?? "";
            Why = json["why"].String ?? "";
        }

        /// <summary>Its name.</summary>
        public string Store { get; }

        /// <summary>Why, and what to do.</summary>
        public string Message { get; }

        /// <summary>The code of the reason, such as <c>store_missing</c>.</summary>
        public string Why { get; }
    }
}
