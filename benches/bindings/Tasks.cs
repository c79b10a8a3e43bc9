// The tasks of tasks.c through the C# package.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using Mailkeep;

static class Tasks
{
    // Reads what a program would show of each row.
    static ulong Take(IEnumerable<MessageInfo> rows)
    {
        ulong sum = 0;
        foreach (var row in rows)
        {
            if (row.Id.Value != 0 && row.Subject.Length > 0 && row.Folder.Length > 0) sum++;
            sum += (ulong)row.Bytes + (ulong)row.Attachments;
        }
        return sum;
    }

    static ulong List(Session session, int times)
    {
        ulong sum = 0;
        for (var time = 0; time < times; time++)
        {
            string cursor = null;
            do
            {
                var page = session.MessagesPage(null, cursor, 1000);
                sum += Take(page.Items);
                cursor = page.Cursor;
            } while (cursor != null);
        }
        return sum;
    }

    static ulong Search(Session session, string requests)
    {
        ulong sum = 0;
        foreach (var line in File.ReadLines(requests))
        {
            // {"limit":50,"query":"..."}: what the C program passes on as it is.
            var query = line.Substring(line.IndexOf("\"query\":\"", StringComparison.Ordinal) + 9).TrimEnd('}', '\n', '"');
            var found = session.Search(new SearchRequest(query) { Limit = 50 });
            sum += (ulong)found.Total + Take(found.Hits);
        }
        return sum;
    }

    static void Main(string[] args)
    {
        using (var archive = Archive.Open(args[1], Key.ReadFile(args[2])))
        using (var session = archive.Session())
        {
            var process = Process.GetCurrentProcess();
            var begun = process.TotalProcessorTime;
            var sum = args[0] == "list" ? List(session, int.Parse(args[3]))
                : args[0] == "search" ? Search(session, args[3])
                : (ulong)session.Import(args[3]).Read;
            process.Refresh();
            var cpu = (process.TotalProcessorTime - begun).TotalSeconds;
            Console.WriteLine("{\"cpu\": " + cpu.ToString("0.000000", System.Globalization.CultureInfo.InvariantCulture) + ", \"sum\": " + sum + "}");
            archive.Close();
        }
    }
}
