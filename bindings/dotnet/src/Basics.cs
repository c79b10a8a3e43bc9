// The library itself, ids, progress, keys, users.
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Mailkeep
{
    /// <summary>The native library that is loaded.</summary>
    public static class Library
    {
        /// <summary>Its version, such as <c>0.2.0</c>.</summary>
        public static string Version => Text.OfZeroEnded(Native.mk_library_version());

        /// <summary>The version of its C interface.</summary>
        public static int Abi => (int)Native.mk_library_abi();

        /// <summary>
        /// How many native objects this process has in use. One for each thread that has called the library is normal.
        /// </summary>
        public static long HandlesInUse
        {
            get
            {
                ulong count;
                Errors.Check(Native.mk_library_handles(out count, Errors.Own));
                return (long)count;
            }
        }

        /// <summary>Whether the library has a feature, such as <c>search</c>.</summary>
        /// <param name="feature">The name of the feature.</param>
        /// <exception cref="ArgumentNullException">The name is null.</exception>
        public static unsafe bool Has(string feature)
        {
            if (feature == null) throw new ArgumentNullException(nameof(feature));
            using (var frame = new Frame())
            {
                UIntPtr length;
                var name = frame.String(feature, out length);
                return Native.mk_library_has(name, length) != 0;
            }
        }

        /// <summary>The names in the path of a folder, as the archive reads it: <c>anna/inbox</c> has two.</summary>
        /// <param name="path">The path of a folder of an archive.</param>
        /// <exception cref="ArgumentNullException">The path is null.</exception>
        /// <exception cref="MailkeepException"><c>misuse</c>: it is not the path of a folder.</exception>
        public static unsafe IReadOnlyList<string> FolderNames(string path)
        {
            if (path == null) throw new ArgumentNullException(nameof(path));
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle buffer;
                var at = frame.String(path, out length);
                int status = Native.mk_folder_names(out buffer, at, length, Errors.Own);
                return Json.Parse(frame.Take(status, buffer))["items"].Strings;
            }
        }
    }

    /// <summary>The permanent id of a message. It is printed as <c>1:42</c>, and no other message ever gets it.</summary>
    public struct MessageId : IEquatable<MessageId>, IComparable<MessageId>
    {
        /// <summary>The id with this number, as a program may have kept it.</summary>
        /// <param name="value">The number.</param>
        public MessageId(ulong value) { Value = value; }

        /// <summary>Its number: that of its store in the upper 32 bits, and its own in the lower ones.</summary>
        public ulong Value { get; }

        /// <summary>The number of its store.</summary>
        public long Store => (long)(Value >> 32);

        /// <summary>Its number in the store.</summary>
        public long Number => (long)(Value & uint.MaxValue);

        /// <summary>Reads an id such as <c>1:42</c>.</summary>
        /// <param name="text">The text.</param>
        /// <exception cref="ArgumentNullException">The text is null.</exception>
        /// <exception cref="MailkeepException"><c>bad_argument</c>: the text is no id.</exception>
        public static unsafe MessageId Parse(string text)
        {
            if (text == null) throw new ArgumentNullException(nameof(text));
            using (var frame = new Frame())
            {
                UIntPtr length;
                ulong id;
                var at = frame.String(text, out length);
                frame.Check(Native.mk_message_id_read(out id, at, length, Errors.Own));
                return new MessageId(id);
            }
        }

        /// <summary>Reads an id such as <c>1:42</c>; false if the text is none.</summary>
        /// <param name="text">The text; null is no id.</param>
        /// <param name="id">The id.</param>
        public static bool TryParse(string text, out MessageId id)
        {
            try
            {
                id = text == null ? default(MessageId) : Parse(text);
                return text != null;
            }
            catch (Exception e) when (e is MailkeepException || e is EncoderFallbackException)
            {
                id = default(MessageId);
                return false;
            }
        }

        /// <summary>The id as it is printed.</summary>
        public override unsafe string ToString()
        {
            // Two numbers of 32 bits, a colon and a zero byte.
            const int most = 24;
            var buffer = stackalloc byte[most];
            Errors.Check(Native.mk_message_id_print(buffer, (UIntPtr)most, null, Value, Errors.Own));
            return Text.OfZeroEnded((IntPtr)buffer);
        }

        /// <summary>Whether both are the same id.</summary>
        /// <param name="other">The other one.</param>
        public bool Equals(MessageId other) => Value == other.Value;

        /// <summary>Whether both are the same id.</summary>
        /// <param name="obj">The other one.</param>
        public override bool Equals(object obj) => obj is MessageId && Equals((MessageId)obj);

        /// <summary>A hash of the id.</summary>
        public override int GetHashCode() => Value.GetHashCode();

        /// <summary>By store, then by number: the order of archiving within a store.</summary>
        /// <param name="other">The other one.</param>
        public int CompareTo(MessageId other) => Value.CompareTo(other.Value);

        /// <summary>Whether both are the same id.</summary>
        /// <param name="one">One id.</param>
        /// <param name="other">Another one.</param>
        public static bool operator ==(MessageId one, MessageId other) => one.Value == other.Value;

        /// <summary>Whether they are different ids.</summary>
        /// <param name="one">One id.</param>
        /// <param name="other">Another one.</param>
        public static bool operator !=(MessageId one, MessageId other) => one.Value != other.Value;
    }

    /// <summary>What progress is counted in. Later versions may add units.</summary>
    public enum ProgressUnit
    {
        /// <summary>Bytes.</summary>
        Bytes = 1,

        /// <summary>Messages.</summary>
        Messages = 2,

        /// <summary>Contents: different mails.</summary>
        Contents = 3,

        /// <summary>Commits of the records.</summary>
        Commits = 4,

        /// <summary>Steps of a call whose parts cannot be compared.</summary>
        Steps = 5,
    }

    /// <summary>How far a call is.</summary>
    /// <remarks>
    /// Reports come from threads of the library, one at a time, while it holds no lock: a report may use the archive, and
    /// must not close it. What a report throws ends the call, which throws it on.
    /// </remarks>
    public sealed class Progress
    {
        internal Progress(mk_step step)
        {
            Unit = (ProgressUnit)step.unit;
            Done = (long)step.done;
            Total = step.total == 0 ? (long?)null : (long)step.total;
            Activity = Text.Of(step.activity);
        }

        /// <summary>What is counted.</summary>
        public ProgressUnit Unit { get; }

        /// <summary>What is done, in this unit. It never falls within one activity.</summary>
        public long Done { get; }

        /// <summary>What there is to do, in this unit; null if that is not known. It is an estimate.</summary>
        public long? Total { get; }

        /// <summary>What the call is doing, in a few English words.</summary>
        public string Activity { get; }
    }

    /// <summary>A key that opens an archive.</summary>
    /// <remarks>
    /// Native copies of a key are wiped after each call. The string is not: .NET cannot wipe strings.
    /// </remarks>
    public sealed class Key
    {
        private Key(uint kind, string secret, Func<string, Key> ask)
        {
            Kind = kind;
            Secret = secret;
            Ask = ask;
        }

        internal uint Kind { get; }

        internal string Secret { get; }

        internal Func<string, Key> Ask { get; }

        /// <summary>The text of a key file, as <see cref="NewArchive.KeyFile"/> gave it.</summary>
        /// <param name="text">The text.</param>
        /// <exception cref="ArgumentNullException">The text is null.</exception>
        public static Key File(string text) => new Key(Native.MK_KEY_FILE, NotNull(text), null);

        /// <summary>Reads a key file.</summary>
        /// <param name="path">Its path.</param>
        /// <exception cref="IOException">The file cannot be read.</exception>
        public static Key ReadFile(string path) => File(System.IO.File.ReadAllText(path));

        /// <summary>The recovery key, as it was printed or as somebody typed it from paper.</summary>
        /// <param name="text">The recovery key.</param>
        /// <exception cref="ArgumentNullException">The text is null.</exception>
        public static Key Recovery(string text) => new Key(Native.MK_KEY_RECOVERY, NotNull(text), null);

        /// <summary>A passphrase.</summary>
        /// <param name="passphrase">The passphrase.</param>
        /// <exception cref="ArgumentNullException">The passphrase is null.</exception>
        public static Key Passphrase(string passphrase) => new Key(Native.MK_KEY_PASSPHRASE, NotNull(passphrase), null);

        /// <summary>Asks for a key when it is needed.</summary>
        /// <param name="prompt">
        /// Receives an English text that says which keys open the archive, and returns one of them. What it throws comes out
        /// of the call that asked.
        /// </param>
        /// <exception cref="ArgumentNullException">The function is null.</exception>
        public static Key Prompt(Func<string, Key> prompt) =>
            new Key(Native.MK_KEY_PROMPT, null, prompt ?? throw new ArgumentNullException(nameof(prompt)));

        private static string NotNull(string text) => text ?? throw new ArgumentNullException(nameof(text));
    }

    /// <summary>A folder that a user sees, with those below it or without.</summary>
    public sealed class FolderScope
    {
        /// <summary>A folder and all below it, or the folder alone.</summary>
        /// <param name="path">Its path, such as <c>anna/inbox</c>.</param>
        /// <param name="subfolders">Whether folders below it count.</param>
        /// <exception cref="ArgumentNullException">The path is null.</exception>
        public FolderScope(string path, bool subfolders = true)
        {
            Path = path ?? throw new ArgumentNullException(nameof(path));
            Subfolders = subfolders;
        }

        /// <summary>Its path.</summary>
        public string Path { get; }

        /// <summary>Whether folders below it count.</summary>
        public bool Subfolders { get; }
    }

    /// <summary>A person on whose behalf an archive is used, with the folders that they see.</summary>
    /// <remarks>Folders outside their view behave as if they did not exist.</remarks>
    public sealed class User
    {
        /// <summary>A person who sees some folders. Those that do not exist are ignored.</summary>
        /// <param name="name">Their name, for records.</param>
        /// <param name="folders">The folders whose messages they see.</param>
        /// <exception cref="ArgumentNullException">The name, the list or a folder is null.</exception>
        public User(string name, params FolderScope[] folders)
        {
            Name = name ?? throw new ArgumentNullException(nameof(name));
            Folders = folders ?? throw new ArgumentNullException(nameof(folders));
            if (Array.IndexOf(folders, null) >= 0) throw new ArgumentNullException(nameof(folders));
        }

        /// <summary>Their name.</summary>
        public string Name { get; }

        /// <summary>The folders whose messages they see.</summary>
        public IReadOnlyList<FolderScope> Folders { get; }

        /// <summary>They may restrict a search to one store. This gives no right to see mail.</summary>
        public bool IsAdministrator { get; set; }

        internal string ToJson()
        {
            var json = new StringBuilder("{\"name\":");
            Json.Write(json, Name);
            json.Append(",\"administrator\":").Append(IsAdministrator ? "true" : "false").Append(",\"folders\":[");
            for (int i = 0; i < Folders.Count; i++)
            {
                json.Append(i == 0 ? "{\"path\":" : ",{\"path\":");
                Json.Write(json, Folders[i].Path);
                json.Append(",\"subfolders\":").Append(Folders[i].Subfolders ? "true}" : "false}");
            }
            return json.Append("]}").ToString();
        }
    }
}
