// Handles of the library. The runtime counts their uses, so that none is freed during a call, and frees what a program
// forgets. A handle that belongs to an archive keeps the archive's alive: closing waits for calls under way, and must not
// be done by the finalizer thread while there is one.
using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Mailkeep
{
    internal abstract class Handle : SafeHandle
    {
        protected Handle() : base(IntPtr.Zero, true) { }

        public override bool IsInvalid => handle == IntPtr.Zero;

        /// <summary>What must live as long as this handle.</summary>
        internal Handle Parent { get; set; }

        /// <summary>The number that C knows it by. It is never dereferenced, so an old one is an error and nothing else.</summary>
        internal IntPtr Number => handle;
    }

    internal sealed class ArchiveHandle : Handle
    {
        private ArchiveHandle() { }

        // The program forgot to close it. Everything with a receipt is durable, so it is closed as fast as possible: what
        // the caches lack is left to the next open.
        protected override unsafe bool ReleaseHandle()
        {
            // Mono runs finalizers while the process ends, when callbacks stand still for good: a call under way would be
            // waited for without end. The system frees the locks.
            if (Frame.StandStill) return true;
            CancelHandle cancel;
            var progress = new mk_progress { size = (uint)sizeof(mk_progress) };
            if (Native.mk_cancel_new(out cancel, Errors.Own) == Native.MK_OK)
            {
                using (cancel)
                {
                    cancel.Cancel();
                    progress.cancel = cancel.Number;
                    Native.mk_archive_close(handle, &progress, Errors.Own);
                }
            }
            return true;
        }
    }

    internal sealed class NewArchiveHandle : Handle
    {
        private NewArchiveHandle() { }

        protected override bool ReleaseHandle()
        {
            Native.mk_new_archive_free(handle);
            return true;
        }
    }

    // Sessions, searches, streams and freezes are freed with their archive: freeing them again is refused, and that is no failure.

    internal sealed class SessionHandle : Handle
    {
        private SessionHandle() { }

        protected override bool ReleaseHandle()
        {
            Native.mk_session_free(handle);
            return true;
        }
    }

    internal sealed class SearchHandle : Handle
    {
        private SearchHandle() { }

        protected override bool ReleaseHandle()
        {
            Native.mk_search_free(handle);
            return true;
        }
    }

    internal sealed class StreamHandle : Handle
    {
        private StreamHandle() { }

        protected override bool ReleaseHandle()
        {
            Native.mk_stream_free(handle);
            return true;
        }
    }

    internal sealed class FrozenHandle : Handle
    {
        private FrozenHandle() { }

        protected override bool ReleaseHandle()
        {
            Native.mk_frozen_free(handle);
            return true;
        }
    }

    internal sealed class PageHandle : Handle
    {
        private PageHandle() { }

        protected override bool ReleaseHandle()
        {
            Native.mk_page_free(handle);
            return true;
        }
    }

    internal sealed class CancelHandle : Handle
    {
        private CancelHandle() { }

        internal void Cancel() => Native.mk_cancel_now(this, Errors.Own);

        protected override bool ReleaseHandle()
        {
            Native.mk_cancel_free(handle);
            return true;
        }
    }

    internal sealed class ErrorHandle : Handle
    {
        private ErrorHandle() { }

        protected override bool ReleaseHandle()
        {
            Native.mk_error_free(handle);
            return true;
        }
    }

    internal sealed class BufferHandle : Handle
    {
        private BufferHandle() { }

        protected override bool ReleaseHandle()
        {
            Native.mk_buffer_free(handle);
            return true;
        }

        internal byte[] Bytes()
        {
            mk_text bytes;
            Errors.Check(Native.mk_buffer_get(out bytes, this, Errors.Own));
            var copy = Text.BytesOf(bytes);
            GC.KeepAlive(this);
            return copy;
        }

        internal string String()
        {
            mk_text text;
            Errors.Check(Native.mk_buffer_get(out text, this, Errors.Own));
            var copy = Text.Of(text);
            GC.KeepAlive(this);
            return copy;
        }
    }

    /// <summary>Text as C has it.</summary>
    internal static unsafe class Text
    {
        /// <summary>Refuses what is not text: half of a surrogate pair would name another folder.</summary>
        internal static readonly Encoding Utf8 = new UTF8Encoding(false, true);

        /// <summary>An array of .NET has at most about 2 GiB.</summary>
        internal static int Length(mk_text text) => checked((int)text.length.ToUInt64());

        internal static byte[] BytesOf(mk_text text)
        {
            var bytes = new byte[Length(text)];
            Copy(text, bytes, 0);
            return bytes;
        }

        /// <summary>Copies a text into an array, from <paramref name="at"/> on.</summary>
        internal static void Copy(mk_text text, byte[] into, int at)
        {
            int length = Length(text);
            if (length == 0) return;
            fixed (byte* start = &into[at]) Buffer.MemoryCopy(text.data, start, into.Length - at, length);
        }

        /// <summary>The empty string where there is no text.</summary>
        internal static string Of(mk_text text)
        {
            int length = Length(text);
            return length == 0 ? "" : Utf8.GetString(text.data, length);
        }

        internal static bool Same(mk_text one, mk_text other)
        {
            if (one.length != other.length) return false;
            for (int i = 0; i < Length(one); i++)
                if (one.data[i] != other.data[i]) return false;
            return true;
        }

        internal static string OrNull(mk_text text) => text.data == null ? null : Of(text);

        /// <summary>Text that ends with a zero byte.</summary>
        internal static string OfZeroEnded(IntPtr text)
        {
            var at = (byte*)text;
            int length = 0;
            while (at[length] != 0) length++;
            return Utf8.GetString(at, length);
        }
    }
}
