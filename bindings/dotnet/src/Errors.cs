// What failed, from numbers to exceptions.
using System;
using System.Threading;

namespace Mailkeep
{
    /// <summary>What the library refused, or could not do.</summary>
    /// <remarks>
    /// <see cref="Exception.Message"/> says what went wrong, where, and what to do. Calls on something that was disposed throw
    /// <see cref="ObjectDisposedException"/>, calls that were cancelled throw <see cref="StoppedException"/>, and what a
    /// function of the program threw during a call comes out of that call unchanged.
    /// </remarks>
    public class MailkeepException : Exception
    {
        private readonly Json json;

        internal MailkeepException(int status, string code, string message, string json) : base(message)
        {
            Status = status;
            Code = code;
            Json = json;
            this.json = Mailkeep.Json.Parse(json);
        }

        /// <summary>A stable name of the error, such as <c>wrong_key</c>.</summary>
        public string Code { get; }

        /// <summary>The number of the C interface, below 0. Later versions add numbers.</summary>
        public int Status { get; }

        /// <summary>
        /// The error as a JSON object: <c>code</c>, <c>message</c>, <c>retryable</c>, and fields of the error, such as
        /// <c>file</c>.
        /// </summary>
        public string Json { get; }

        /// <summary>Whether the same call may succeed later without any change of the program or the archive.</summary>
        public bool IsRetryable => json["retryable"].Bool;

        internal Json Fields => json;
    }

    /// <summary>The key opens no slot of the archive (<c>wrong_key</c>), or is malformed (<c>bad_key</c>).</summary>
    public sealed class WrongKeyException : MailkeepException
    {
        internal WrongKeyException(int status, string code, string message, string json) : base(status, code, message, json) { }
    }

    /// <summary>The archive is open elsewhere: by another process, or by this one. Try again later.</summary>
    public sealed class InUseException : MailkeepException
    {
        internal InUseException(int status, string code, string message, string json) : base(status, code, message, json) { }
    }

    /// <summary>Bytes on disk are not what was written. Only the mails whose bytes are hit cannot be read.</summary>
    public sealed class DamageException : MailkeepException
    {
        internal DamageException(int status, string code, string message, string json) : base(status, code, message, json)
        {
            Damage = Damage.Of(Fields["damage"]);
        }

        /// <summary>Where it is, and what it costs.</summary>
        public Damage Damage { get; }
    }

    /// <summary>The query cannot be understood.</summary>
    public sealed class QueryException : MailkeepException
    {
        internal QueryException(int status, string code, string message, string json) : base(status, code, message, json)
        {
            Start = (int?)Fields["start"].LongOrNull;
            End = (int?)Fields["end"].LongOrNull;
        }

        /// <summary>
        /// Where the part at fault begins: an offset in the UTF-8 bytes of the query. Null if no part alone is at fault.
        /// </summary>
        public int? Start { get; }

        /// <summary>Where it ends: the offset of the byte after it.</summary>
        public int? End { get; }
    }

    /// <summary>
    /// There is no such message, part, folder or store, or the user does not see it. <c>deleted</c>: the message was deleted, and
    /// can be brought back.
    /// </summary>
    public sealed class NotFoundException : MailkeepException
    {
        internal NotFoundException(int status, string code, string message, string json) : base(status, code, message, json) { }
    }

    /// <summary>The user may not do this.</summary>
    public sealed class DeniedException : MailkeepException
    {
        internal DeniedException(int status, string code, string message, string json) : base(status, code, message, json) { }
    }

    /// <summary>
    /// A call was ended by its <see cref="CancellationToken"/>. What has a receipt stays in the archive.
    /// </summary>
    public sealed class StoppedException : OperationCanceledException
    {
        internal StoppedException(string message, Report report, CancellationToken token) : base(message, token)
        {
            Report = report;
        }

        /// <summary>
        /// What was done until then: an <see cref="ImportReport"/>, <see cref="ImportPlan"/> or <see cref="ExportReport"/>. Null
        /// for other calls.
        /// </summary>
        public Report Report { get; }
    }

    internal static class Errors
    {
        /// <summary>The version of the C interface that this assembly was written for.</summary>
        private const uint Abi = Native.MK_ABI_VERSION;

        [ThreadStatic]
        private static ErrorHandle own;

        /// <summary>The error object of this thread. What it has is read right after the call that failed.</summary>
        internal static ErrorHandle Own => own ?? (own = Make());

        private static ErrorHandle Make()
        {
            uint abi = Native.mk_library_abi();
            if (abi != Abi) throw new NotSupportedException($"the native library has version {abi} of the C interface; version {Abi} is needed");
            ErrorHandle made;
            int status = Native.mk_error_new(out made);
            return status == Native.MK_OK ? made : throw Bare(status);
        }

        internal static void Check(int status)
        {
            if (status != Native.MK_OK) throw Of(status, CancellationToken.None);
        }

        /// <summary>The exception for a status that the last call of this thread returned.</summary>
        internal static Exception Of(int status, CancellationToken token)
        {
            mk_text code, message, json;
            var kept = own;
            // Some failures cannot be kept, such as that of a forked process.
            if (kept == null || Native.mk_error_status(kept) != status
                || Native.mk_error_code(out code, kept) != Native.MK_OK
                || Native.mk_error_message(out message, kept) != Native.MK_OK
                || Native.mk_error_json(out json, kept) != Native.MK_OK)
                return Bare(status);
            return Of(status, Text.Of(code), Text.Of(message), Text.Of(json), token);
        }

        private static Exception Of(int status, string code, string message, string json, CancellationToken token)
        {
            switch (status)
            {
                case Native.MK_CLOSED:
                case Native.MK_BAD_HANDLE:
                    return new ObjectDisposedException(message, new MailkeepException(status, code, message, json));
                case Native.MK_STOPPED:
                    return new StoppedException(message, null, token);
                case Native.MK_WRONG_KEY:
                case Native.MK_BAD_KEY:
                    return new WrongKeyException(status, code, message, json);
                case Native.MK_IN_USE:
                    return new InUseException(status, code, message, json);
                case Native.MK_DAMAGE:
                    return new DamageException(status, code, message, json);
                case Native.MK_QUERY:
                    return new QueryException(status, code, message, json);
                case Native.MK_DENIED:
                    return new DeniedException(status, code, message, json);
                case Native.MK_NO_SUCH_MESSAGE:
                case Native.MK_DELETED:
                case Native.MK_NO_SUCH_PART:
                case Native.MK_NO_SUCH_FOLDER:
                case Native.MK_NO_SUCH_STORE:
                    return new NotFoundException(status, code, message, json);
                default:
                    return new MailkeepException(status, code, message, json);
            }
        }

        private static MailkeepException Bare(int status)
        {
            string code = Text.OfZeroEnded(Native.mk_status_name(status));
            return new MailkeepException(status, code, $"the library returned {code} ({status})", $"{{\"code\":\"{code}\"}}");
        }
    }
}
