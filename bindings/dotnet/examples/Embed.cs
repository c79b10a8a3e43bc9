// The library embedded: open or create an archive, import a mailbox, search it, save an attachment.
//
// Embed.exe ARCHIVE MBOX QUERY. With an SDK: `dotnet add package Mailkeep`; with Mono: `mcs -r:Mailkeep.dll -r:netstandard.dll`.
using System;
using System.IO;
using System.Linq;
using Mailkeep;

static class Embed
{
    static int Main(string[] args)
    {
        if (args.Length != 3)
        {
            Console.Error.WriteLine("usage: embed ARCHIVE MBOX QUERY");
            return 2;
        }
        try
        {
            Run(args[0], args[1], args[2]);
            return 0;
        }
        catch (MailkeepException failure)
        {
            Console.Error.WriteLine("\nerror: " + failure.Message);
            return 1;
        }
    }

    static void Run(string folder, string mailbox, string query)
    {
        using (var archive = OpenOrCreate(folder))
        using (var session = archive.Session())
        {
            var report = session.Import(mailbox, progress: new ShowProgress());
            Console.Error.WriteLine();
            Console.WriteLine(
                $"read {report.Read} = stored {report.Stored} + duplicate {report.Duplicate} + failed {report.Failed}");

            var found = session.Search(new SearchRequest(query) { Limit = 10 });
            Console.WriteLine($"{found.Hits.Count} of {found.Total} hits");
            foreach (var hit in found.Hits)
                Console.WriteLine($"{hit.Id}\t{hit.Folder}\t{hit.Bytes}\t{hit.Subject}");

            var withAttachment = found.Hits.FirstOrDefault(hit => hit.Attachments > 0);
            if (withAttachment != null) SaveAttachment(session, withAttachment.Id, folder + ".attachment");
            archive.Close();
        }
    }

    static Archive OpenOrCreate(string folder)
    {
        string keyFile = folder + ".key";
        if (File.Exists(keyFile)) return Archive.Open(folder, Key.ReadFile(keyFile));
        // Nothing is on disk before the commit: first its keys are kept.
        using (var made = Archive.Create(folder, "anna"))
        {
            Console.Error.WriteLine("keep this safe: " + made.RecoveryKey);
            File.WriteAllText(keyFile, made.KeyFile);
            return made.Commit();
        }
    }

    static void SaveAttachment(Session session, MessageId id, string path)
    {
        var part = session.Parts(id).Parts.FirstOrDefault(one => one.IsAttachment);
        if (part == null) return;
        using (var file = File.Create(path))
        using (var bytes = session.OpenPart(id, part.Number))
        {
            bytes.CopyTo(file);
            Console.WriteLine($"saved {part.Name ?? "an attachment"} of {id}, {part.Type}, {file.Length} bytes");
        }
    }

    // System.Progress<T> reports on another thread, and maybe after the call.
    sealed class ShowProgress : IProgress<Progress>
    {
        public void Report(Progress step) =>
            Console.Error.Write($"\r{step.Activity}: {step.Done} of {step.Total ?? 0} {step.Unit.ToString().ToLowerInvariant()}");
    }
}
