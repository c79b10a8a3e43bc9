// One call of the library: the memory that it needs, the functions that it may call, its cancellation, and what such a
// function threw.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Mailkeep
{
    internal sealed unsafe class Frame : IDisposable
    {
        /// <summary>Pieces of streams: large enough to cost little, and below what the collector calls a large object.</summary>
        private const int Piece = 64 << 10;

        private struct Block
        {
            internal IntPtr At;
            internal int Length;
        }

        /// <summary>How long the end of the process waits for calls, in milliseconds.</summary>
        private const int ExitWait = 2000;

        /// <summary>The long calls under way, to be ended before the process does.</summary>
        private static readonly HashSet<Frame> UnderWay = new HashSet<Frame>();

        private static bool isExiting;

        // When a process ends, runtimes let no more callbacks in, and Mono waits for threads in native calls: an import
        // that waits for its callback would keep the process for ever.
        static Frame() { AppDomain.CurrentDomain.ProcessExit += (sender, e) => EndAll(); }

        private readonly List<Block> blocks = new List<Block>();
        private readonly CancellationToken token;
        private GCHandle self;
        private CancelHandle cancel;
        private CancellationTokenRegistration registration;
        private ExceptionDispatchInfo thrown;
        private Stream stream;
        private byte[] piece;

        /// <summary>A call that cannot be followed.</summary>
        internal Frame() { }

        /// <summary>A call that may be long: it is followed, and ended by the token or the end of the process.</summary>
        internal Frame(IProgress<Progress> progress, CancellationToken token) : this(token)
        {
            Report = progress;
            if (progress != null)
            {
                Progress->report = Callbacks.Progress;
                Progress->payload = Payload;
            }
            lock (UnderWay) UnderWay.Add(this);
        }

        /// <summary>Several calls of one search, which may be left in the middle.</summary>
        internal Frame(CancellationToken token)
        {
            token.ThrowIfCancellationRequested();
            this.token = token;
            Errors.Check(Native.mk_cancel_new(out cancel, Errors.Own));
            if (token.CanBeCanceled) registration = token.Register(state => ((CancelHandle)state).Cancel(), cancel);
            Progress = (mk_progress*)Zeroed(sizeof(mk_progress));
            Progress->size = (uint)sizeof(mk_progress);
            Progress->cancel = cancel.Number;
        }

        /// <summary>A search that was not read to its end is collected; what its call had is freed then.</summary>
        ~Frame() { Free(); }

        /// <summary>The process is ending, and a call did not end before.</summary>
        internal static bool StandStill
        {
            get { lock (UnderWay) return isExiting && UnderWay.Count > 0; }
        }

        /// <summary>NULL if the call can be neither followed nor ended.</summary>
        internal mk_progress* Progress { get; }

        internal IProgress<Progress> Report { get; }

        internal Func<string, Key> Prompt { get; set; }

        internal Action<LogLevel, string> Log { get; set; }

        internal Action<MessageId, string> Failed { get; set; }

        internal Action<LostMail> LostMail { get; set; }

        internal Action<int, byte[]> WritePart { get; set; }

        internal ImportEvents Events { get; set; }

        /// <summary>What the caller reads from or writes to.</summary>
        internal Stream Stream
        {
            set
            {
                stream = value;
                piece = new byte[Piece];
            }
        }

        /// <summary>By which callbacks find this call.</summary>
        internal IntPtr Payload
        {
            get
            {
                if (!self.IsAllocated) self = GCHandle.Alloc(this);
                return GCHandle.ToIntPtr(self);
            }
        }

        /// <summary>Memory that does not move, all zero, until the call is over.</summary>
        internal byte* Zeroed(int length)
        {
            var block = new Block { At = Marshal.AllocHGlobal(length), Length = length };
            blocks.Add(block);
            var at = (byte*)block.At;
            for (int i = 0; i < length; i++) at[i] = 0;
            return at;
        }

        /// <summary>Text for C; NULL for null.</summary>
        internal byte* String(string text, out UIntPtr length)
        {
            length = UIntPtr.Zero;
            if (text == null) return null;
            int bytes = Text.Utf8.GetByteCount(text);
            // One more, so that empty text is not NULL.
            var at = Zeroed(bytes + 1);
            fixed (char* chars = text) Text.Utf8.GetBytes(chars, text.Length, at, bytes);
            length = (UIntPtr)(uint)bytes;
            return at;
        }

        /// <summary>Ids for C.</summary>
        internal ulong* Ids(IEnumerable<MessageId> messages, out UIntPtr count)
        {
            var ids = messages.ToList();
            // One more, so that none is not NULL.
            var at = (ulong*)Zeroed((ids.Count + 1) * sizeof(ulong));
            for (int i = 0; i < ids.Count; i++) at[i] = ids[i].Value;
            count = (UIntPtr)(uint)ids.Count;
            return at;
        }

        /// <summary>A secret for C. All memory of a call is wiped when it is freed.</summary>
        internal byte* Secret(string text, out UIntPtr length) => String(text, out length);

        /// <summary>Folders of a store for C; NULL for null.</summary>
        internal mk_store_dirs* StoreDirs(StoreDirs dirs)
        {
            if (dirs == null) return null;
            var given = (mk_store_dirs*)Zeroed(sizeof(mk_store_dirs));
            given->size = (uint)sizeof(mk_store_dirs);
            given->dir = String(dirs.Dir, out given->dir_length);
            given->content_dir = String(dirs.ContentDir, out given->content_dir_length);
            given->index_dir = String(dirs.IndexDir, out given->index_dir_length);
            return given;
        }

        internal mk_key* Key(Key key)
        {
            if (key == null) throw new ArgumentNullException(nameof(key));
            var given = (mk_key*)Zeroed(sizeof(mk_key));
            given->size = (uint)sizeof(mk_key);
            given->kind = key.Kind;
            given->data = Secret(key.Secret, out given->length);
            if (key.Kind != Native.MK_KEY_PROMPT) return given;
            Prompt = key.Ask;
            given->prompt = Callbacks.Key;
            given->payload = Payload;
            return given;
        }

        /// <summary>Keeps what a callback threw. The first exception is the cause of the others.</summary>
        internal void Keep(Exception e) => Interlocked.CompareExchange(ref thrown, ExceptionDispatchInfo.Capture(e), null);

        internal void WritePiece(IntPtr data, UIntPtr length)
        {
            ulong left = length.ToUInt64();
            var at = (byte*)data;
            while (left > 0)
            {
                int count = (int)Math.Min(left, Piece);
                Marshal.Copy((IntPtr)at, piece, 0, count);
                stream.Write(piece, 0, count);
                at += count;
                left -= (uint)count;
            }
        }

        internal int ReadPiece(IntPtr data, UIntPtr length)
        {
            int count = (int)Math.Min(length.ToUInt64(), Piece);
            int read = stream.Read(piece, 0, count);
            if (read < 0 || read > count) throw new IOException("the stream returned more bytes than it was asked for");
            Marshal.Copy(piece, 0, data, read);
            return read;
        }

        /// <summary>Throws what a callback threw, or what the call itself failed with.</summary>
        internal void Check(int status)
        {
            // Before what was thrown: it needs what the call left in the error object of this thread.
            var failure = status == Native.MK_OK || status == Native.MK_END ? null : Errors.Of(status, token);
            thrown?.Throw();
            if (failure != null) throw failure;
        }

        /// <summary>The JSON or text that a call returned.</summary>
        internal string Take(int status, BufferHandle buffer)
        {
            using (buffer)
            {
                Check(status);
                return buffer.String();
            }
        }

        /// <summary>A call that was ended, and says in its report what it did until then.</summary>
        internal StoppedException Stopped(Report report) =>
            new StoppedException("the call was ended; what has a receipt stays in the archive", report, token);

        public void Dispose()
        {
            lock (UnderWay)
            {
                UnderWay.Remove(this);
                Monitor.PulseAll(UnderWay);
            }
            // After this, nothing cancels any more.
            registration.Dispose();
            cancel?.Dispose();
            if (self.IsAllocated) self.Free();
            Free();
            GC.SuppressFinalize(this);
        }

        private static void EndAll()
        {
            var clock = Stopwatch.StartNew();
            lock (UnderWay)
            {
                isExiting = true;
                foreach (var frame in UnderWay) frame.cancel.Cancel();
                while (UnderWay.Count > 0 && clock.ElapsedMilliseconds < ExitWait)
                    Monitor.Wait(UnderWay, (int)Math.Max(1, ExitWait - clock.ElapsedMilliseconds));
            }
        }

        private void Free()
        {
            foreach (var block in blocks)
            {
                var at = (byte*)block.At;
                for (int i = 0; i < block.Length; i++) at[i] = 0;
                Marshal.FreeHGlobal(block.At);
            }
            blocks.Clear();
        }
    }
}
