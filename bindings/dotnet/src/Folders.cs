// A session: what changes folders.
using System;
using System.Collections.Generic;

namespace Mailkeep
{
    public sealed unsafe partial class Session
    {
        /// <summary>Makes a folder, and the folders above it that do not exist.</summary>
        /// <param name="path">The folder.</param>
        /// <param name="options">Whether it is only planned.</param>
        /// <exception cref="MailkeepException">There is a folder of this path (<c>folder_exists</c>).</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public FolderReport MakeFolder(string path, FolderOptions options = FolderOptions.None)
        {
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle report;
                var at = frame.String(Given(path, nameof(path)), out length);
                int status = Native.mk_session_make_folder(out report, handle, at, length, (uint)options, Errors.Own);
                return new FolderReport(frame.Take(status, report));
            }
        }

        /// <summary>Gives a folder another name, in the folder in which it is.</summary>
        /// <param name="path">The folder.</param>
        /// <param name="name">Its new name.</param>
        /// <param name="options">Whether it is only planned.</param>
        /// <exception cref="NotFoundException">There is no such folder.</exception>
        /// <exception cref="MailkeepException">There is a folder of this name (<c>folder_exists</c>).</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public FolderReport RenameFolder(string path, string name, FolderOptions options = FolderOptions.None)
        {
            using (var frame = new Frame())
            {
                UIntPtr length, nameLength;
                BufferHandle report;
                var at = frame.String(Given(path, nameof(path)), out length);
                var called = frame.String(Given(name, nameof(name)), out nameLength);
                int status = Native.mk_session_rename_folder(out report, handle, at, length, called, nameLength, (uint)options, Errors.Own);
                return new FolderReport(frame.Take(status, report));
            }
        }

        /// <summary>
        /// Gives a folder another path, with everything in it. Folders above it that do not exist are made. Messages keep their
        /// ids; nothing that names a folder by its path follows.
        /// </summary>
        /// <param name="from">The folder.</param>
        /// <param name="to">Its new path, with its name.</param>
        /// <param name="options">Whether it is only planned.</param>
        /// <exception cref="NotFoundException">There is no such folder.</exception>
        /// <exception cref="MailkeepException">
        /// There is a folder of this path (<c>folder_exists</c>), or it is below the folder itself (<c>misuse</c>).
        /// </exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public FolderReport MoveFolder(string from, string to, FolderOptions options = FolderOptions.None)
        {
            using (var frame = new Frame())
            {
                UIntPtr fromLength, toLength;
                BufferHandle report;
                var source = frame.String(Given(from, nameof(from)), out fromLength);
                var target = frame.String(Given(to, nameof(to)), out toLength);
                int status = Native.mk_session_move_folder(out report, handle, source, fromLength, target, toLength, (uint)options, Errors.Own);
                return new FolderReport(frame.Take(status, report));
            }
        }

        /// <summary>Removes a folder and all folders below it, if none of them has a message.</summary>
        /// <param name="path">The folder.</param>
        /// <param name="options">Whether it is only planned.</param>
        /// <exception cref="NotFoundException">There is no such folder.</exception>
        /// <exception cref="MailkeepException">There are messages in it (<c>folder_not_empty</c>).</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public FolderReport RemoveFolder(string path, FolderOptions options = FolderOptions.None)
        {
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle report;
                var at = frame.String(Given(path, nameof(path)), out length);
                int status = Native.mk_session_remove_folder(out report, handle, at, length, (uint)options, Errors.Own);
                return new FolderReport(frame.Take(status, report));
            }
        }

        /// <summary>
        /// Removes all folders that have no message in themselves and in the folders below them. User archives stay.
        /// </summary>
        /// <param name="path">Only this folder and those below it; null for all.</param>
        /// <param name="options">Whether it is only planned.</param>
        /// <exception cref="NotFoundException">There is no such folder.</exception>
        /// <exception cref="DeniedException">The session is that of a person.</exception>
        public FolderReport PruneFolders(string path = null, FolderOptions options = FolderOptions.None)
        {
            using (var frame = new Frame())
            {
                UIntPtr length;
                BufferHandle report;
                var at = frame.String(path, out length);
                int status = Native.mk_session_prune_folders(out report, handle, at, length, (uint)options, Errors.Own);
                return new FolderReport(frame.Take(status, report));
            }
        }

        private static string Given(string text, string name) => text ?? throw new ArgumentNullException(name);
    }

    /// <summary>How folders are changed.</summary>
    [Flags]
    public enum FolderOptions
    {
        /// <summary>The change is made.</summary>
        None = 0,

        /// <summary>Nothing is done; the report says what would be, and the call fails as the change would.</summary>
        DryRun = 1,
    }

    /// <summary>What a change of folders did, or would do.</summary>
    public sealed class FolderReport : Report
    {
        internal FolderReport(string json) : base(json)
        {
            Made = Fields["made"].Strings;
            MovedFrom = Fields["moved"]["from"].String;
            MovedTo = Fields["moved"]["to"].String;
            Removed = Fields["removed"].Strings;
        }

        /// <summary>The folders that were made, each after the one that it is in.</summary>
        public IReadOnlyList<string> Made { get; }

        /// <summary>The path of the folder that was renamed or moved, before. Null if none was.</summary>
        public string MovedFrom { get; }

        /// <summary>The path of the folder that was renamed or moved, since. Null if none was.</summary>
        public string MovedTo { get; }

        /// <summary>The folders that were removed, sorted by path.</summary>
        public IReadOnlyList<string> Removed { get; }
    }
}
