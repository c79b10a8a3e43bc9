// A program that ends without closing anything: it must end, and what has a receipt must be there afterwards.
using System;
using System.IO;
using System.Threading;
using Mailkeep;

static class Leaving
{
    private static string Receipts => Path.Combine(Tests.Work, "receipts");

    public static int Leave()
    {
        string folder;
        var session = Tests.NewArchive(out folder).Session();
        var stream = session.OpenMail(session.ImportOne(Mails.Large(), "anna/large").Id);
        stream.ReadByte();
        session.SearchAll("*").GetEnumerator().MoveNext();
        var began = new ManualResetEvent(false);
        var receipts = new StreamWriter(Receipts) { AutoFlush = true };
        receipts.WriteLine(folder);
        session.ImportAsync(Mails.MboxFile(0, 30000), events: new ImportEvents
        {
            Receipt = receipt =>
            {
                receipts.WriteLine(receipt.Id);
                began.Set();
            },
        });
        return began.WaitOne(60000) ? 0 : 1;
    }

    public static int Return()
    {
        var lines = File.ReadAllLines(Receipts);
        using (var archive = Tests.Reopen(lines[0]))
        using (var session = archive.Session())
        {
            // The last line may have been cut.
            for (int i = 1; i < lines.Length - 1; i++) session.Raw(MessageId.Parse(lines[i]));
            Tests.True(lines.Length > 2 && session.Verify().IsClean, "receipts, and no damage");
        }
        return 0;
    }
}
