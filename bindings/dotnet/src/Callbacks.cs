// The functions that the library calls. Each is one static delegate for the life of the process, and finds what it serves
// by its payload: nothing that native code points to is ever collected. No exception crosses native code: it is kept in
// the call, which throws it when it returns.
using System;
using System.Runtime.InteropServices;

namespace Mailkeep
{
    internal static unsafe class Callbacks
    {
        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int KeyFn(IntPtr payload, mk_text* needed, mk_answer* answer);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void LogFn(IntPtr payload, uint level, mk_text* message);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int ProgressFn(IntPtr payload, mk_step* step);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate void FailedFn(IntPtr payload, ulong id, mk_text* message);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int WriteFn(IntPtr payload, IntPtr data, UIntPtr length);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate long ReadFn(IntPtr payload, IntPtr data, UIntPtr length);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int ReceiptFn(IntPtr payload, mk_receipt* receipt);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int TroubleFn(IntPtr payload, mk_trouble* trouble);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int MissingFn(IntPtr payload, mk_text* source, ulong offset);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int LostMailFn(IntPtr payload, mk_text* json, IntPtr data, UIntPtr length);

        [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
        private delegate int WritePartFn(IntPtr payload, uint part, IntPtr data, UIntPtr length);

        private static readonly KeyFn KeyKept = OnKey;
        private static readonly LogFn LogKept = OnLog;
        private static readonly ProgressFn ProgressKept = OnProgress;
        private static readonly FailedFn FailedKept = OnFailed;
        private static readonly WriteFn WriteKept = OnWrite;
        private static readonly ReadFn ReadKept = OnRead;
        private static readonly ReceiptFn ReceiptKept = OnReceipt;
        private static readonly TroubleFn TroubleKept = OnTrouble;
        private static readonly MissingFn MissingKept = OnMissing;
        private static readonly WriteFn LostKept = OnLost;
        private static readonly LostMailFn LostMailKept = OnLostMail;
        private static readonly WritePartFn WritePartKept = OnWritePart;

        internal static readonly IntPtr Key = Marshal.GetFunctionPointerForDelegate(KeyKept);
        internal static readonly IntPtr Log = Marshal.GetFunctionPointerForDelegate(LogKept);
        internal static readonly IntPtr Progress = Marshal.GetFunctionPointerForDelegate(ProgressKept);
        internal static readonly IntPtr Failed = Marshal.GetFunctionPointerForDelegate(FailedKept);
        internal static readonly IntPtr Write = Marshal.GetFunctionPointerForDelegate(WriteKept);
        internal static readonly IntPtr Read = Marshal.GetFunctionPointerForDelegate(ReadKept);
        internal static readonly IntPtr Receipt = Marshal.GetFunctionPointerForDelegate(ReceiptKept);
        internal static readonly IntPtr Trouble = Marshal.GetFunctionPointerForDelegate(TroubleKept);
        internal static readonly IntPtr Missing = Marshal.GetFunctionPointerForDelegate(MissingKept);
        internal static readonly IntPtr Lost = Marshal.GetFunctionPointerForDelegate(LostKept);
        internal static readonly IntPtr LostMail = Marshal.GetFunctionPointerForDelegate(LostMailKept);
        internal static readonly IntPtr WritePart = Marshal.GetFunctionPointerForDelegate(WritePartKept);

        /// <summary>What a callback returns after an exception: any number but 0 ends the call.</summary>
        private const int Failure = 1;

        private static Frame Of(IntPtr payload) => (Frame)GCHandle.FromIntPtr(payload).Target;

        private static int OnKey(IntPtr payload, mk_text* needed, mk_answer* answer)
        {
            var frame = Of(payload);
            try
            {
                var key = frame.Prompt(Text.Of(*needed)) ?? throw new InvalidOperationException("the prompt returned no key");
                if (key.Kind == Native.MK_KEY_PROMPT) throw new InvalidOperationException("the prompt returned another prompt");
                answer->kind = key.Kind;
                answer->data = frame.Secret(key.Secret, out answer->length);
                return 0;
            }
            catch (Exception e)
            {
                frame.Keep(e);
                return Failure;
            }
        }

        private static void OnLog(IntPtr payload, uint level, mk_text* message)
        {
            var frame = Of(payload);
            try { frame.Log((LogLevel)level, Text.Of(*message)); }
            catch (Exception e) { frame.Keep(e); }
        }

        private static int OnProgress(IntPtr payload, mk_step* step)
        {
            var frame = Of(payload);
            try
            {
                frame.Report.Report(new Progress(*step));
                return 0;
            }
            catch (Exception e)
            {
                frame.Keep(e);
                return Failure;
            }
        }

        // An export goes on after a message that it cannot write, so what this throws is kept until its end.
        private static void OnFailed(IntPtr payload, ulong id, mk_text* message)
        {
            var frame = Of(payload);
            try { frame.Failed(new MessageId(id), Text.Of(*message)); }
            catch (Exception e) { frame.Keep(e); }
        }

        private static int OnWrite(IntPtr payload, IntPtr data, UIntPtr length)
        {
            var frame = Of(payload);
            try
            {
                frame.WritePiece(data, length);
                return 0;
            }
            catch (Exception e)
            {
                frame.Keep(e);
                return Failure;
            }
        }

        private static long OnRead(IntPtr payload, IntPtr data, UIntPtr length)
        {
            var frame = Of(payload);
            try { return frame.ReadPiece(data, length); }
            catch (Exception e)
            {
                frame.Keep(e);
                return -Failure;
            }
        }

        private static int OnReceipt(IntPtr payload, mk_receipt* receipt)
        {
            var frame = Of(payload);
            try
            {
                frame.Events.Receipt(new Receipt(receipt));
                return 0;
            }
            catch (Exception e)
            {
                frame.Keep(e);
                return Failure;
            }
        }

        private static int OnTrouble(IntPtr payload, mk_trouble* trouble)
        {
            var frame = Of(payload);
            try
            {
                frame.Events.Trouble(new Trouble(*trouble));
                return 0;
            }
            catch (Exception e)
            {
                frame.Keep(e);
                return Failure;
            }
        }

        private static int OnMissing(IntPtr payload, mk_text* source, ulong offset)
        {
            var frame = Of(payload);
            try
            {
                frame.Events.Missing(new MissingMail(Text.Of(*source), checked((long)offset)));
                return 0;
            }
            catch (Exception e)
            {
                frame.Keep(e);
                return Failure;
            }
        }

        private static int OnLost(IntPtr payload, IntPtr data, UIntPtr length)
        {
            var frame = Of(payload);
            try
            {
                frame.Events.Lost(BytesOf(data, length));
                return 0;
            }
            catch (Exception e)
            {
                frame.Keep(e);
                return Failure;
            }
        }

        private static int OnLostMail(IntPtr payload, mk_text* json, IntPtr data, UIntPtr length)
        {
            var frame = Of(payload);
            try
            {
                frame.LostMail(new LostMail(Text.Of(*json), BytesOf(data, length)));
                return 0;
            }
            catch (Exception e)
            {
                frame.Keep(e);
                return Failure;
            }
        }

        private static int OnWritePart(IntPtr payload, uint part, IntPtr data, UIntPtr length)
        {
            var frame = Of(payload);
            try
            {
                frame.WritePart((int)part, BytesOf(data, length));
                return 0;
            }
            catch (Exception e)
            {
                frame.Keep(e);
                return Failure;
            }
        }

        private static byte[] BytesOf(IntPtr data, UIntPtr length) =>
            Text.BytesOf(new mk_text { data = (byte*)data, length = length });
    }
}
